//! Answers in `route` that a policy may not give are faults of the policy: the message waits, and
//! nothing of the answer is done.

use super::by_guest;
use crate::{MESSAGE, server, submitted, waits};

#[test]
fn a_route_that_is_no_answer_is_a_fault_and_the_message_waits() {
    let server = server("");
    let (_dns, relay) = by_guest(&server, "");
    let relay = relay.start();
    for (recipient, fault) in [
        ("next-hop", "next-hop"),
        ("discard", "discard"),
        ("no-step", "step"),
        ("tag", "tag"),
        ("add", "header"),
        ("remove", "header"),
        ("classify", "class"),
        ("bad-sender", "a@b@c"),
    ] {
        let id = submitted(&relay, &[&format!("{recipient}@b.example")], MESSAGE);
        waits(&relay, &id, "451 4.3.0 ");
        let judged = relay.judgements(&id);
        let call = judged.iter().find(|call| call["hook"] == "route").unwrap();
        let error = call["error"].to_string();
        assert!(error.contains(fault), "{recipient}: {call}");
    }
    assert_eq!(server.dialogue(), "");
}
