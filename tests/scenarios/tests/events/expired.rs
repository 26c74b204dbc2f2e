//! A message whose time is over is told of as expired, not as refused.

use test_support::Sink;

use crate::{kinds, relay_to, submitted, until};

#[test]
fn mail_whose_time_is_over_has_expired() {
    let sink = Sink::scripted(
        "[[on]]\ncommand = \"RCPT\"\nreply = \"451 4.2.1 Later\"",
        &[],
    );
    let relay = relay_to(&sink)
        .replace("retry = [\"1s\"]", "retry = [\"1s\"]\nexpiry = \"1500ms\"")
        .start();
    let id = submitted(&relay, &["x@b.example"], "");
    let events = until(&relay, &id, "expired");
    let kinds = kinds(&events);
    assert_eq!(kinds.first(), Some(&"queued"));
    assert_eq!(kinds.last(), Some(&"expired"));
    assert!(kinds.contains(&"deferred"), "{kinds:?}");
    assert!(!kinds.contains(&"failed"), "{kinds:?}");
}
