//! A plan with `expire-after` gives a recipient up earlier than the relay would, and the sender is
//! told.

use super::quick;
use crate::{MESSAGE, attempt, routed, server, submitted};

/// Server that defers mail for x@b.example.
const DEFERS_X: &str = "[[on]]\ncommand = 'RCPT'\nmatch = 'x@*'\nreply = '450 4.2.1 not now'\n";

#[test]
fn a_recipient_is_given_up_when_the_plan_says() {
    let server = server(DEFERS_X);
    let (_dns, relay) = quick(&server);
    let relay = routed(relay, r#"{ by = "mx", expire-after = 3 }"#)
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    let bounce = server.take();
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let text = bounce.text();
    assert!(text.contains("Status: 5.4.7"), "{text}");
    assert!(text.contains("450 4.2.1 not now"), "{text}");
    let [first, last] = [attempt(&relay, &id, 1), attempt(&relay, &id, 2)];
    assert!(first["ending"]["deferred"].is_object(), "{first}");
    assert_eq!(last["ending"], "failed", "{last}");
    let time = |attempt: &serde_json::Value| attempt["at"].as_u64().unwrap();
    assert!(time(&last) < time(&first) + 60_000, "not after an hour");
    relay.leaves_nothing(server);
}
