//! A message that is not delivered after the set time is told of once, whatever it waits for.

use test_support::Sink;

use crate::{listed, relay_to, submitted, until};

#[test]
fn mail_that_waits_is_told_of_as_late_once() {
    let sink = Sink::scripted(
        "[[on]]\ncommand = \"RCPT\"\nreply = \"451 4.2.1 Later\"",
        &[],
    );
    let relay = relay_to(&sink)
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .with("[events]\nlate-after = \"1s\"")
        .start();
    let id = submitted(&relay, &["x@b.example"], "");
    let events = until(&relay, &id, "late");
    let late = events.last().unwrap();
    assert_eq!(late["minutes"], 0);
    assert_eq!(late["recipient"], "x@b.example");
    let waited = late["at"].as_u64().unwrap() - events[0]["at"].as_u64().unwrap();
    assert!(waited >= 1000, "{waited}");
    // A later message is late, too, and the first one is not told of again.
    let other = submitted(&relay, &["y@b.example"], "");
    until(&relay, &other, "late");
    assert_eq!(listed(&relay, &["--kind", "late"]).len(), 2);
}
