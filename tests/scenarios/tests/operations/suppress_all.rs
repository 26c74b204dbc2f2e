//! Every recipient of a message is suppressed: the message is accepted, nobody gets it, and no
//! bounce is sent.

use test_support::Sink;

use crate::{accepted, judged_by};

const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    X-Suppress: x@desk.example, y@desk.example\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn a_message_suppressed_for_all_is_accepted_and_goes_to_nobody() {
    let sink = Sink::start();
    let relay = judged_by("suppresses", &sink).start();
    let id = accepted(&relay, &["x@desk.example", "y@desk.example"], MESSAGE);
    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    recipient <y@desk.example>: 250 2.1.5 Recipient OK
    judged guest DIGEST message: pass
    suppressed <x@desk.example>: the message says so
    suppressed <y@desk.example>: the message says so
    replied 250 2.6.0 Queued as ID1 (86 B)
    ");
    relay.leaves_nothing(sink);
}
