//! The metadata that the application hands in come back with every event, and never leave the relay.

use test_support::Sink;

use crate::{relay_to, submit, submitted, until};

const METADATA: &str = r#"{"ticket": 4711, "comment": "Zoë"}"#;

#[test]
fn metadata_come_back_and_never_leave() {
    let sink = Sink::start();
    let relay = relay_to(&sink).start();
    let field = format!("X-Gatepost-Metadata: {METADATA}\r\nSubject: hello\r\n");
    let id = submitted(&relay, &["x@b.example"], &field);
    let events = until(&relay, &id, "delivered");
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_eq!(event["metadata"], METADATA);
    }
    let arrived = sink.take();
    assert_eq!(arrived.header("Subject").as_deref(), Some("hello"));
    assert!(!arrived.text().contains("Metadata"), "{}", arrived.text());
    assert!(!arrived.text().contains("4711"), "{}", arrived.text());
    relay.leaves_nothing(sink);
}

#[test]
fn metadata_are_kept_with_mail_that_waits_over_a_restart() {
    let sink = Sink::with(&["--tempfail-first", "1"]);
    let mut relay = relay_to(&sink).start();
    let id = submitted(&relay, &["x@b.example"], "X-Gatepost-Metadata: 4711\r\n");
    until(&relay, &id, "deferred");
    relay.restart();
    let events = until(&relay, &id, "delivered");
    assert_eq!(events.last().unwrap()["metadata"], "4711");
    let arrived = sink.take();
    assert!(!arrived.text().contains("4711"), "{}", arrived.text());
}

#[test]
fn metadata_that_are_too_long_are_refused() {
    let sink = Sink::start();
    let relay = relay_to(&sink).start();
    let longest = format!("X-Gatepost-Metadata: {}\r\n", "x".repeat(900));
    let longer = format!(
        "X-Gatepost-Metadata: {}\r\n {}\r\n",
        "x".repeat(900),
        "y".repeat(900)
    );
    let reply = submit(&relay, &["x@b.example"], &longer);
    assert_eq!((reply.code, reply.enhanced()), (550, Some("5.6.0")));
    submitted(&relay, &["x@b.example"], &longest);
    sink.take();
}
