//! A client that missed our 250 sends the same message again: it gets another 250, and the message
//! is delivered once. A message that comes back from another server is refused as a loop.

use test_support::{RelayBuilder, Sink};

use crate::{AGENT, ANN, DESK, enter, submit, taken};

#[test]
fn a_message_of_ours_that_is_sent_again_is_no_loop() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let message = format!("{AGENT}From: {DESK}\r\nSubject: Lamp\r\n\r\nIt is on its way.\r\n");
    taken(&submit(&relay, DESK, &[ANN], &message));
    let ours = sink.take().text();
    assert!(ours.contains("X-Gatepost-Email-Id: "), "{ours}");

    // Ann's server hands it back once, and again.
    taken(&enter(&relay, ANN, &ours));
    sink.take();
    let id = taken(&enter(&relay, ANN, &ours));
    assert_eq!(crate::suppressed(&relay, &id).len(), 1);

    let on =
        format!("Received: from a.example by b.example; Mon, 5 Jan 2026 10:00:00 +0000\r\n{ours}");
    let reply = enter(&relay, ANN, &on);
    let code = (reply.code, reply.enhanced());
    assert_eq!(code, (554, Some("5.4.6")), "{}", reply.text());
    relay.leaves_nothing(sink);
}
