//! Exim refuses one of several recipients: the others get the message, and the sender a bounce in
//! Exim's words.

use test_support::{Exim, RelayBuilder, Sink};

use crate::{assert_whole, awkward, nothing_is_left, submit};

#[test]
fn other_recipients_get_it_and_the_sender_a_bounce() {
    let sink = Sink::start();
    let Some(exim) = Exim::with(sink.address(), "REFUSED = bad", "") else {
        return;
    };
    let relay = RelayBuilder::usual(exim.address()).start();
    let recipients = ["one@desk.example", "bad@desk.example", "two@desk.example"];
    submit(relay.address("mx"), &recipients, &awkward());
    let mut taken = [sink.take(), sink.take()];
    taken.sort_by_key(|taken| taken.from.is_empty());
    let [message, bounce] = taken;
    assert_eq!(message.to, ["one@desk.example", "two@desk.example"]);
    assert_whole(&message, &awkward());
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    assert!(report.contains("550 5.1.1 nobody of that name"), "{report}");
    assert_eq!(report.matches("Final-Recipient:").count(), 1, "{report}");
    nothing_is_left(relay, exim, sink);
}
