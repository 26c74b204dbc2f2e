//! The fields in which the relay says what it found are the relay's alone: an edit of them that a
//! policy asks for is dropped, and that is on record.

use test_support::{RelayBuilder, Sink};

use crate::{CHAIN, INNOCENT, send};

const POLICY: &str = r#"
[[policy]]
name = "forges"
builtin = "header-guard"
settings = { rules = [
    { header = "X-Gatepost-Tags", action = { set = { value = "relay-secure" } } },
    { header = "X-Gatepost-Auth", action = { set = { value = "dmarc=pass" } } },
    { header = "X-Gatepost-Reasons", action = { set = { value = "boss@desk.example says so" } } },
    { header = "x_gatepost_tags", action = { set = { value = "relay-secure" } } },
    { header = "X-Gatepost-Original-Recipient", action = { set = { value = "boss@desk.example" } } },
    { header = "Authentication-Results", action = { set = { value = "mx.desk.example; dmarc=pass" } } },
    { header = "Received", action = "strip" },
    { header = "Return-Path", action = { set = { value = "<boss@desk.example>" } } },
    { header = "X-New", action = { set = { value = "fine" } } },
] }
"#;

#[test]
fn no_policy_writes_reserved_fields() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["forges"]"#)
        .with(POLICY)
        .start();
    let message = [
        b"Received: from a by b; Mon, 2 Mar 2026 11:04:51 +0000\r\n",
        INNOCENT,
    ]
    .concat();
    let reply = send(&relay, &message);
    assert_eq!(reply.code, 250);
    let arrived = sink.take();
    assert_eq!(arrived.header("X-New").as_deref(), Some("fine"));
    let text = arrived.text();
    for forged in ["relay-secure", "dmarc=pass", "boss@"] {
        assert!(!text.contains(forged), "{text}");
    }
    assert_eq!(text.matches("Received: ").count(), 2, "{text}");

    let judgements = relay.judgements(&reply.transaction());
    let decision = &judgements[0]["decision"];
    assert_eq!(decision["edits"].as_array().unwrap().len(), 1, "{decision}");
    let dropped = decision["dropped"].as_array().unwrap();
    assert_eq!(dropped.len(), 8, "{decision}");
    let said = "edit of X-Gatepost-Tags dropped: only the relay writes this field";
    assert!(dropped.iter().any(|dropped| dropped == said), "{decision}");
    relay.leaves_nothing(sink);
}
