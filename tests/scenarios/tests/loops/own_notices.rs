//! The relay's own notices come to the application as well: they say that no machine may answer
//! them, and one that does not care is stopped after the first.

use test_support::{RelayBuilder, Sink};

use crate::{AGENT, AUTOMATIC, DESK, enter, submit, suppressed, taken};

#[test]
fn a_bounce_is_tagged_and_nothing_automatic_goes_where_it_came_from() {
    let sink = Sink::with(&["--fail-rcpt", "nosuch@"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    let gone = "nosuch@customer.example";
    let message = |trigger: &str| {
        format!("{trigger}From: {DESK}\r\nSubject: Your ticket\r\n\r\nIt was updated.\r\n")
    };
    taken(&submit(&relay, DESK, &[gone], &message(AUTOMATIC)));
    let bounce = sink.take();
    assert_eq!(
        (bounce.from.as_str(), &bounce.to[..]),
        ("", &[DESK.to_owned()][..])
    );
    let tag = bounce.header("X-Gatepost-Tags");
    assert_eq!(tag.as_deref(), Some("suppress-automatic"));

    let id = taken(&submit(&relay, DESK, &[gone], &message(AUTOMATIC)));
    let [(_, reason)] = suppressed(&relay, &id).try_into().unwrap();
    assert!(
        reason.contains("mail to it was refused: 550 5.1.1"),
        "{reason}"
    );

    // An agent may try, and hears of it.
    taken(&submit(&relay, DESK, &[gone], &message(AGENT)));
    assert_eq!(sink.take().from, "");
    // And who writes from there is read.
    let alive = format!("From: {gone}\r\nTo: {DESK}\r\nSubject: I am back\r\n\r\nHello!\r\n");
    taken(&enter(&relay, gone, &alive));
    sink.take();
    assert_eq!(relay.json(&["machine", "list"]).len(), 0);
    relay.leaves_nothing(sink);
}
