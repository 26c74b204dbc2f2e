//! The queue keeps the answer of a policy, and asks again when the plan says so.

use super::quick;
use crate::{MESSAGE, attempt, routed, server, submitted};

/// Server that defers two attempts.
const DEFERS_TWICE: &str = "[[on]]\ncommand = 'RCPT'\ntimes = 2\nreply = '450 4.2.1 not now'\n";

/// Returns the number of calls that three attempts take.
fn calls(route: &str) -> usize {
    let server = server(DEFERS_TWICE);
    let (_dns, relay) = quick(&server);
    let relay = routed(relay, route)
        .replace("retry = [\"1s\"]", "retry = [\"2s\"]")
        .start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    server.take();
    assert_eq!(attempt(&relay, &id, 3)["ending"], "delivered");
    let calls = relay.judgements(&id);
    let calls = calls.iter().filter(|call| call["hook"] == "route").count();
    relay.leaves_nothing(server);
    calls
}

#[test]
fn an_answer_is_kept_for_all_attempts() {
    assert_eq!(calls(r#"{ by = "mx" }"#), 1);
}

#[test]
fn an_answer_that_holds_for_a_second_is_asked_for_again() {
    assert_eq!(calls(r#"{ by = "mx", holds-for = 1 }"#), 3);
}
