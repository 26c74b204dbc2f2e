//! The routing that a policy answered is on record with its call: in the trace as in `check`, for
//! people as for programs.

use std::fs;

use serde_json::json;
use test_support::{RelayBuilder, Sink};

use crate::{INNOCENT, send};

#[test]
fn trace_and_check_show_the_plan_that_a_policy_answered() {
    let (usual, other) = (Sink::start(), Sink::start());
    let port = other.address().port();
    let relay = RelayBuilder::usual(usual.address())
        .with(&format!(
            r#"
            [[policy]]
            name = "outbound-route"
            builtin = "outbound-route"
            grants = ["next-hop"]
            settings = {{ routes = [
                {{ direction = "inbound", recipients = ["desk.example"], expire-after = 3600,
                   next-hop = {{ host = "127.0.0.1", port = {port}, tls = "none" }} }},
            ] }}
            "#
        ))
        .start();
    let id = send(&relay, INNOCENT).transaction();
    assert_eq!(other.take().to, ["help@desk.example"], "it takes the route");
    let told = relay.trace_until(&id, "delivered").replace("\n    ", " ");
    let line = "judged outbound-route DIGEST route: deliver by next-hop 127.0.0.1:PORT tls=none; \
                expires after 3600 s (mail of sender.example goes through 127.0.0.1:PORT)";
    assert!(told.contains(line), "{told}");

    let hop = json!({ "host": "127.0.0.1", "port": port, "tls": "none" });
    let plan = json!({ "steps": [{ "way": { "next-hop": hop } }], "expire-after": 3600 });
    let calls = relay.events(&id, "judged");
    let call = calls
        .iter()
        .find(|call| call["judgement"]["hook"] == "route");
    assert_eq!(call.unwrap()["judgement"]["routing"]["deliver"], plan);

    let file = relay.directory().join("innocent.eml");
    fs::write(&file, INNOCENT).unwrap();
    let file = file.to_str().unwrap();
    let from = ["--mail-from", "ann@sender.example"];
    let to = ["--rcpt-to", "help@desk.example", file];
    let check = [&["check"], &from[..], &to[..]].concat();
    let report = &relay.json(&check)[0];
    let policies = report["policies"].as_array().unwrap();
    let call = policies
        .iter()
        .find(|call| call["hook"] == "route")
        .unwrap();
    assert_eq!(call["routing"], plan);
    assert_eq!(report["route"], plan);
    let output = relay.command(&check);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(&format!("route: by 127.0.0.1:{port} in ")),
        "{text}"
    );
}
