//! A policy that was granted it may take a message and drop it: the client hears what it always
//! hears, nobody gets anything, and the record says so.

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

    assert_eq!(relay.events(&id, "discarded").len(), 1);
    assert_eq!(relay.events(&id, "attempt").len(), 0);
    assert_eq!(relay.judgements(&id)[0]["verdict"], "discard");
    relay.leaves_nothing(sink);
}

/// Without the grant it is a fault of the policy, and the message comes again.
#[test]
fn without_the_grant_nothing_is_discarded() {
    let sink = Sink::start();
    let relay = judged_by("discards", &sink).start();
    assert_eq!(send(&relay, &["x@desk.example"], ATTACK).code, 451);
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    relay.leaves_nothing(sink);
}
