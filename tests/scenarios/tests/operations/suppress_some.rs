//! A suppressed recipient gets nothing, and nobody is told but the record; the others get the
//! message.

use test_support::Sink;

use crate::{accepted, all, judged_by};

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

    let attempts = relay.eventually("the delivery is on record", |relay| {
        let attempts = relay.events(&id, "attempt");
        (!attempts.is_empty()).then_some(attempts)
    });
    assert_eq!(all(&attempts, "address"), ["y@desk.example"]);
    let suppressed = relay.events(&id, "suppressed");
    assert_eq!(all(&suppressed, "address"), ["x@desk.example"]);
    assert_eq!(relay.events(&id, "bounced").len(), 0);
    relay.leaves_nothing(sink);
}
