//! A policy with the grant `discard` drops a message: the client gets the usual reply, nobody gets
//! the message, and the trace says so.

use test_support::Sink;

use crate::{MESSAGE, accepted, judged_by, send};

const ATTACK: &[u8] = b"From: Ann <ann@sender.example>\r\nX-Attack: now\r\n\r\nHello!\r\n";

#[test]
fn with_the_grant_a_message_is_dropped_in_silence() {
    let sink = Sink::start();
    let relay = judged_by("discards", &sink)
        .with("grants = [\"discard\"]")
        .start();
    let reply = send(&relay, &["x@desk.example"], ATTACK);
    let id = reply.transaction();
    assert_eq!((reply.code, reply.enhanced()), (250, Some("2.6.0")));

    let other = send(&relay, &["x@desk.example"], MESSAGE);
    let kept = other.text().replace(&other.transaction(), &id);
    assert_eq!(reply.text(), kept, "the client cannot tell");
    assert_eq!(sink.take().header("Subject").as_deref(), Some("hello"));

    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    judged guest DIGEST message: discard
    discarded
    replied 250 2.6.0 Queued as ID1 (57 B)
    ");
    relay.leaves_nothing(sink);
}

/// Without the grant it is a fault of the policy, and the message comes again.
#[test]
fn without_the_grant_nothing_is_discarded() {
    let sink = Sink::start();
    let relay = judged_by("discards", &sink).start();
    let reply = send(&relay, &["x@desk.example"], ATTACK);
    assert_eq!(reply.code, 451);
    insta::assert_snapshot!(relay.trace_until(&reply.transaction(), "replied"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    judged guest DIGEST message: tempfail [answer: it discards without the `discard` grant]
    replied 451 4.3.0 A policy could not decide on this; please try again later (ID1) (57 B)
    ");
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    relay.leaves_nothing(sink);
}
