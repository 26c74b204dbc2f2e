//! A message whose every recipient is suppressed is taken, and nobody gets anything: no bounce
//! tells the sender either.

use test_support::Sink;

use crate::{accepted, all, judged_by};

const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    X-Suppress: x@desk.example, y@desk.example\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn a_message_suppressed_for_all_is_accepted_and_goes_to_nobody() {
    let sink = Sink::start();
    let relay = judged_by("suppresses", &sink).start();
    let recipients = ["x@desk.example", "y@desk.example"];
    let id = accepted(&relay, &recipients, MESSAGE);
    let suppressed = relay.events(&id, "suppressed");
    assert_eq!(all(&suppressed, "address"), recipients);
    assert_eq!(suppressed[0]["reason"], "the message says so");
    assert_eq!(relay.events(&id, "attempt").len(), 0);
    assert_eq!(relay.events(&id, "bounced").len(), 0);
    relay.leaves_nothing(sink);
}
