//! Published decisions of vacation programs and ticket systems whether to send an automatic answer.

use serde_json::Value;

use crate::{classified, conformance};

#[test]
fn every_published_decision_by_headers_and_envelope_is_met() {
    let Some(suite) = conformance("autoresponse-decision") else {
        return;
    };
    let cases = std::fs::read(suite.join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    let mut tried = 0;
    let mut wrong = Vec::new();
    for case in &cases {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        if text("kind") != "headers/envelope" {
            continue;
        }
        // The note of an informational case says so.
        if text("note").contains("informational") {
            continue;
        }
        tried += 1;
        let to = text("envelope_to");
        let found = classified(text("message").as_bytes(), text("envelope_from"), &[to]);
        if case["reply_allowed"] != found.reply_allowed {
            wrong.push(format!("{}: {}: {found:?}", text("source"), text("name")));
        }
    }
    println!("{} of {tried} decisions as published", tried - wrong.len());
    assert!(tried > 0, "cases.json has no such case");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
