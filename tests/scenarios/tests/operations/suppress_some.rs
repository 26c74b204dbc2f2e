//! A suppressed recipient gets nothing, which only the trace says; the others get the message.

use test_support::Sink;

use crate::{accepted, judged_by};

const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    X-Suppress: x@desk.example\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn other_recipients_get_a_suppressed_message() {
    let sink = Sink::start();
    let relay = judged_by("suppresses", &sink).start();
    let id = accepted(&relay, &["x@desk.example", "y@desk.example"], MESSAGE);
    let arrived = sink.take();
    assert_eq!(arrived.from, "ann@sender.example");
    assert_eq!(arrived.to, ["y@desk.example"]);
    insta::assert_snapshot!(relay.trace_until(&id, "delivered"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    recipient <y@desk.example>: 250 2.1.5 Recipient OK
    judged guest DIGEST message: pass
    suppressed <x@desk.example>: the message says so
    queued for <y@desk.example>
    replied 250 2.6.0 Queued as ID1 (70 B)
    attempt 1 for <y@desk.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    relay.leaves_nothing(sink);
}
