//! An edit of a header that an earlier policy has protected is dropped, and that is on record.
//! The rest of what the later policy wants is done.

use test_support::{RelayBuilder, Sink};

use crate::{CHAIN, INNOCENT, send};

const POLICIES: &str = r#"
[[policy]]
name = "protects"
builtin = "header-guard"
settings = { rules = [{ header = "subject", protect = true }] }
[[policy]]
name = "edits"
builtin = "header-guard"
settings = { rules = [
    { header = "Subject", action = { set = { value = "another" } } },
    { header = "X-New", action = { set = { value = "fine" } } },
] }
"#;

#[test]
fn a_protected_header_stands_and_the_attempt_is_on_record() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["protects", "edits"]"#)
        .with(POLICIES)
        .start();
    let reply = send(&relay, INNOCENT);
    assert_eq!(reply.code, 250);
    let arrived = sink.take();
    assert_eq!(arrived.header("Subject").as_deref(), Some("hello"));
    assert_eq!(arrived.header("X-New").as_deref(), Some("fine"));

    let judgements = relay.judgements(&reply.transaction());
    assert_eq!(judgements[1]["policy"], "edits");
    let decision = &judgements[1]["decision"];
    let dropped = &decision["dropped"][0];
    assert_eq!(dropped, "edit of Subject dropped: the field is protected");
    assert_eq!(decision["edits"].as_array().unwrap().len(), 1, "{decision}");
    relay.leaves_nothing(sink);
}
