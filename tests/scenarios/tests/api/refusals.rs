//! Whatever is refused, by an operation or before one, is a problem with a stable code.

use serde_json::{Value, json};
use test_support::{ApiAnswer, Sink};

use crate::{account, with_api};

/// Asserts that the answer is a problem with this status and code.
fn problem(answer: &ApiAnswer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
    assert_eq!(answer.fields["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], status);
    for member in ["type", "title", "detail", "kind", "what-to-do"] {
        assert!(answer.body[member].is_string(), "{member}: {answer:?}");
    }
}

#[test]
fn every_refusal_is_a_problem() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    account(&relay, &token, "a.desk.test");
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let json_type = "Content-Type: application/json\r\n";
    let api = |method: &str, path: &str| relay.api(method, path, &token, &Value::Null);

    problem(&api("GET", "/nothing"), 404, "request.unknown-path");
    problem(
        &api("GET", "/accounts/nobody.test"),
        404,
        "directory.unknown-account",
    );
    let wrong_method = api("PUT", "/accounts");
    problem(&wrong_method, 405, "request.unknown-method");
    assert_eq!(wrong_method.fields["allow"], "GET, POST, HEAD");
    problem(&api("GET", "/accounts/%FF"), 400, "request.not-understood");

    let post = |fields: &str, body: &[u8]| {
        relay.api_with("POST", "/accounts", &format!("{bearer}{fields}"), body)
    };
    problem(&post("", b"{}"), 415, "request.not-json");
    problem(
        &post("Content-Type: text/plain\r\n", b"{}"),
        415,
        "request.not-json",
    );
    problem(&post(json_type, b"{"), 400, "request.not-understood");
    problem(&post(json_type, b"[]"), 400, "request.not-understood");
    let large = vec![b' '; (4 << 20) + 1];
    problem(&post(json_type, &large), 413, "request.too-large");
    for (body, field) in [
        (json!({}), "native-domain"),
        (json!({"native-domain": "not a domain"}), "native-domain"),
        (json!({"colour": "red"}), "colour"),
    ] {
        let refused = post(json_type, body.to_string().as_bytes());
        problem(&refused, 400, "request.not-understood");
        assert_eq!(refused.text_of("field"), field);
    }
    let taken = json!({
        "native-domain": "a.desk.test", "product": "Desk", "kind": "production", "time-zone": "UTC",
    });
    let taken = relay.api("POST", "/accounts", &token, &taken);
    problem(&taken, 409, "directory.domain-taken");

    // Without a token in force, the answer says by which scheme one is presented (RFC 6750 section 3).
    let none = relay.api_with("GET", "/accounts", "", b"");
    problem(&none, 401, "request.token-needed");
    assert_eq!(none.fields["www-authenticate"], "Bearer realm=\"gatepost\"");
    let wrong = relay.api_with(
        "GET",
        "/accounts",
        "Authorization: Bearer gatepost_x_y\r\n",
        b"",
    );
    problem(&wrong, 401, "request.token-needed");
    assert!(wrong.fields["www-authenticate"].contains("error=\"invalid_token\""));
    let reads = relay.api_token("read", &[]);
    let small = relay.api("POST", "/accounts", &reads, &json!({}));
    problem(&small, 403, "request.scope-too-small");
    let challenge = &small.fields["www-authenticate"];
    assert!(challenge.contains("scope=\"administer\""), "{challenge}");

    // The page that the type of a problem points at describes its code, and runs nothing.
    let docs = relay.api_with("GET", "/docs", "", b"");
    assert_eq!(docs.status, 200);
    assert!(docs.text.contains("id=\"request.scope-too-small\""));
    let policy = &docs.fields["content-security-policy"];
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    relay.leaves_nothing(sink);
}
