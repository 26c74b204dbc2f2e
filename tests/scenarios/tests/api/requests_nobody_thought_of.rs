//! schemathesis, of PyPI, makes requests of the description of the API, right ones and wrong ones. None
//! is answered as the description does not say, and none makes the relay fail.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use test_support::{Relay, Sink, python_with};

use crate::{account, with_api};

/// Seed of the requests.
const SEED: &str = "20260";

/// Most requests that it makes up for an operation, beside those of the bounds of each member.
const EXAMPLES: &str = "4";

/// Checks of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,missing_required_header,\
    unsupported_method,allow_header_conformance,use_after_free,ensure_resource_availability,\
    ignored_auth";

/// Operations that would end the run: they remove what the others are about, or have no end.
const LEFT_OUT: [&str; 3] = ["account-remove", "account-erase", "get-events-stream"];

/// Adds one of each thing that paths name, and returns the settings that name them.
fn things(relay: &Relay, token: &str) -> String {
    let account = account(relay, token, "a.desk.test");
    let path = |below: &str| format!("/accounts/{account}{below}");
    let post = |below: &str, body: Value| {
        let answer = relay.api("POST", &path(below), token, &body);
        answer.with_status(201)
    };
    post(
        "/connectors",
        json!({"domain": "a.test", "kind": "two-way"}),
    );
    post("/addresses", json!({"address": "help@a.desk.test"}));
    let credential = post("/credentials", json!({})).text_of("user-name");
    format!(
        "[parameters]\n\
         \"path.account\" = \"{account}\"\n\
         \"path.connector\" = \"a.test\"\n\
         \"path.domain\" = \"a.test\"\n\
         \"path.credential\" = \"{credential}\"\n\
         \"query.wait\" = \"false\"\n"
    )
}

#[test]
fn no_request_makes_the_relay_fail_or_say_what_is_not_described() {
    let Some(python) = python_with("schemathesis", "import schemathesis") else {
        return;
    };
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("schemathesis.toml"),
        things(&relay, &token),
    )
    .unwrap();
    println!("seed {SEED}");
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command
        .current_dir(folder.path())
        .args(["run", "--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"])
        .args(["--checks", CHECKS, "--continue-on-failure"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .arg("--no-color")
        .arg(format!(
            "http://{}/api/v1/openapi.json",
            relay.address("api")
        ));
    for operation in LEFT_OUT {
        command.args(["--exclude-operation-id", operation]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    // A run that finds no operations succeeds as well.
    let described = relay.api("GET", "/openapi.json", &token, &Value::Null);
    let paths = described.body["paths"].as_object().unwrap().values();
    let described: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    let tested = format!("Tested: {}\n", described - LEFT_OUT.len());
    assert!(said.contains(&tested), "{tested}: {said}");
}
