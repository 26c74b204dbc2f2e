//! SIGTERM drains: a transaction in hand finishes with 250, sessions without one are told 421, new
//! connections are refused, and the process ends with success. What was accepted is kept.

use std::io::ErrorKind;
use std::net::TcpStream;

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn a_drain_finishes_transactions_in_hand() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let address = relay.address("mx");
    let mut idle = relay.client("mx");
    idle.ehlo();
    let mut sending = relay.client("mx");
    sending.ehlo();
    sending.command("MAIL FROM:<ann@sender.example>", 250);
    sending.command("RCPT TO:<x@desk.example>", 250);
    sending.command("DATA", 354);
    let (first, rest) = MESSAGE.split_at(MESSAGE.len() / 2);
    sending.send(first).unwrap();

    relay.signal("TERM");
    assert_eq!(idle.expect(421).enhanced(), Some("4.3.2"));
    assert!(idle.closed());
    // One that comes while the listener closes may still be taken, or reset; from then on, none.
    relay.eventually("new connections are refused", |_| {
        let failed = TcpStream::connect(address).err()?;
        (failed.kind() == ErrorKind::ConnectionRefused).then_some(())
    });

    sending.send([rest, b".\r\n"].concat()).unwrap();
    let id = sending.expect(250).transaction();
    assert_eq!(sending.expect(421).enhanced(), Some("4.3.2"));
    assert!(sending.closed());
    drop((idle, sending));
    let status = relay.process().wait();
    assert_eq!(status.code(), Some(0), "{}", relay.log());
    assert_eq!(relay.events(&id, "replied").len(), 1);

    // It is delivered by now or by the next relay, once.
    relay.restart();
    let arrived = sink.take();
    assert!(arrived.text().ends_with("Hello!\r\n"));
    relay.eventually("the delivery is recorded", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.leaves_nothing(sink);
}

/// A client that never comes to an end does not keep the relay from stopping for ever: told twice,
/// it waits no longer.
#[test]
fn a_second_signal_ends_the_drain() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let mut sending = relay.client("mx");
    sending.ehlo();
    sending.command("MAIL FROM:<ann@sender.example>", 250);
    sending.command("RCPT TO:<x@desk.example>", 250);
    sending.command("DATA", 354);
    relay.signal("TERM");
    relay.logged("stopping");
    relay.signal("TERM");
    assert_eq!(relay.process().wait().code(), Some(0));
    // The client may still be told, but not that its message is taken.
    while let Ok(reply) = sending.reply() {
        assert_eq!(reply.code, 421, "{}", reply.text());
    }
    relay.restart();
    relay.leaves_nothing(sink);
}
