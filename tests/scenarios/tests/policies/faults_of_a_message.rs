//! A message that makes a policy fail is put off once; where it fails again while the policy
//! answers for others, the fault is the message's, and it does not come back for days: it is
//! refused for good, or judged without the policy where `on-error` says so.

use test_support::Sink;

use crate::{ATTACK, Guest, INNOCENT, send};

const FAULTS: &str = "gatepost_policy_message_faults_total{policy=\"guest\",hook=\"message\"}";

#[test]
fn a_faulting_message_is_refused_once_the_policy_has_judged_another() {
    let sink = Sink::start();
    let relay = Guest::new("trap").relay(&sink).start();
    for _ in 0..2 {
        assert_eq!(
            send(&relay, ATTACK).code,
            451,
            "perhaps the policy is broken"
        );
    }
    assert_eq!(send(&relay, INNOCENT).code, 250);
    sink.take();
    // A server that queues puts its trace field on top anew.
    let again = [b"Received: from a by b; now\r\n", ATTACK].concat();
    let reply = send(&relay, &again);
    assert_eq!((reply.code, reply.enhanced()), (554, Some("5.6.0")));
    let judgement = &relay.judgements(&reply.transaction())[0];
    assert_eq!(judgement["error"]["kind"], "repeated");
    let detail = "judged without guest because its fault was the message's";
    assert_eq!(judgement["error"]["detail"], detail);
    assert_eq!(relay.metric(FAULTS), Some(1.0));
    let trace = relay.command(&["trace", &reply.transaction()]);
    let shown = String::from_utf8_lossy(&trace.stdout).into_owned();
    assert!(shown.contains("its fault was the message's"), "{shown}");
    relay.leaves_nothing(sink);
}

#[test]
fn a_faulting_message_skips_the_policy_with_skip() {
    let sink = Sink::start();
    let relay = Guest::new("trap")
        .relay(&sink)
        .with("on-error = \"skip\"")
        .start();
    for message in [ATTACK, INNOCENT, ATTACK] {
        assert_eq!(send(&relay, message).code, 250);
        sink.take();
    }
    let reply = send(&relay, ATTACK);
    assert_eq!(reply.code, 250);
    sink.take();
    let judgement = &relay.judgements(&reply.transaction())[0];
    assert_eq!(judgement["error"]["kind"], "repeated", "{judgement}");
    relay.leaves_nothing(sink);
}
