//! A message of which a recipient has failed is kept, and is sent again on command: to that
//! recipient, and to no other.

use serde_json::Value;
use test_support::{Relay, Sink};

use crate::{kinds, relay_to, submitted, until};

const SCRIPT: &str = r#"
[[on]]
command = "RCPT"
match = "closed@*"
times = 1
reply = "550 5.2.1 Mailbox disabled"
"#;

fn failed(relay: &Relay) -> Vec<Value> {
    relay.json(&["queue", "list", "--failed"])
}

#[test]
fn failed_mail_is_kept_and_sent_again() {
    let sink = Sink::scripted(SCRIPT, &[]);
    let mut relay = relay_to(&sink).start();
    let id = submitted(
        &relay,
        &["closed@b.example", "ok@b.example"],
        "Subject: hello\r\n",
    );
    until(&relay, &id, "failed");
    let kept = relay.eventually("it is kept", |relay| failed(relay).pop());
    assert_eq!(kept["id"], *id);
    assert_eq!(kept["recipients"][0]["status"], "failed");
    assert_eq!(kept["recipients"][1]["status"], "delivered");
    // It is no more in the queue.
    assert!(relay.json(&["queue", "list", "--messages"]).is_empty());
    relay.restart();
    assert_eq!(failed(&relay).len(), 1);
    let shown = relay.json(&["queue", "show", &id]);
    assert_eq!(shown[0]["id"], *id);

    let words = relay.refuses(&["queue", "resend", &id, "--recipient", "ok@b.example"]);
    assert!(words.contains("no failed recipient"), "{words}");
    let done = relay.json(&["queue", "resend", &id]);
    assert_eq!(done[0]["changed"], 1);
    let events = until(&relay, &id, "delivered");
    let again = relay.eventually("it is delivered to both", |relay| {
        let events = until(relay, &id, "delivered");
        (kinds(&events)
            .iter()
            .filter(|kind| **kind == "delivered")
            .count()
            == 2)
            .then_some(events)
    });
    assert!(again.len() >= events.len());
    assert!(failed(&relay).is_empty());
    relay.refuses(&["queue", "resend", &id]);

    let taken = [sink.take(), sink.take(), sink.take()];
    let to: Vec<_> = taken
        .iter()
        .filter(|taken| !taken.from.is_empty())
        .collect();
    assert_eq!(to.len(), 2, "the other is the notice");
    assert_eq!(to[1].to, ["closed@b.example"]);
    assert_eq!(to[1].header("Subject").as_deref(), Some("hello"));
    relay.leaves_nothing(sink);
}

#[test]
fn failed_mail_is_not_kept_where_none_is_to_be() {
    let sink = Sink::with(&["--fail-rcpt", "closed@b.example"]);
    let relay = relay_to(&sink)
        .with("[queue]\nkeep-failed = \"0s\"")
        .start();
    let id = submitted(&relay, &["closed@b.example"], "");
    until(&relay, &id, "failed");
    relay.eventually("the queue is empty", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    assert!(failed(&relay).is_empty());
}
