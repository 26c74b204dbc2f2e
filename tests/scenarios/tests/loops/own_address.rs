//! The desk's own address is a recipient of its notifications, so that each comes back as a new
//! ticket: no notification goes to its own author. A form that sends in the desk's name gets no
//! automatic answer.

use test_support::{RelayBuilder, Sink};

use crate::{AUTOMATIC, DESK, enter, submit, suppressed, taken};

#[test]
fn a_notification_to_the_address_that_it_is_from_goes_nowhere() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let form = format!("From: {DESK}\r\nTo: {DESK}\r\nSubject: Form\r\n\r\nPlease call me.\r\n");
    let path = "SRS0=ab=2Z=desk.example=help@forwarder.example";
    taken(&enter(&relay, path, &form));
    let tag = sink.take().header("X-Gatepost-Tags");
    assert_eq!(tag.as_deref(), Some("suppress-automatic"));
    for to in [DESK, "Help+4711@desk.example"] {
        let notification = format!(
            "{AUTOMATIC}From: {DESK}\r\nSubject: New ticket\r\n\r\nThere is a new one.\r\n"
        );
        let id = taken(&submit(&relay, DESK, &[to], &notification));
        let [(_, reason)] = suppressed(&relay, &id).try_into().unwrap();
        assert!(reason.contains("itself"), "{reason}");
    }
    relay.leaves_nothing(sink);
}

/// Without a trigger it might be a person who writes to the desk: it ends by what it says.
#[test]
fn mail_without_a_trigger_ends_when_it_repeats() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut sent = 0;
    loop {
        let notification = format!(
            "From: {DESK}\r\nSubject: [#{sent}] New ticket\r\nMessage-ID: <{sent}@desk.example>\r\n\
             \r\nThere is a new ticket for you, number {sent}.\r\n"
        );
        let reply = submit(&relay, DESK, &[DESK], &notification);
        if reply.code == 550 {
            break;
        }
        taken(&reply);
        sink.take();
        sent += 1;
        assert!(sent <= 10, "it goes on after {sent}");
    }
    relay.leaves_nothing(sink);
}
