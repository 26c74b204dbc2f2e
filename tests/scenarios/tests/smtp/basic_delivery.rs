//! A message goes from a client to the next hop: once, to the envelope's recipient, octet for
//! octet, with one trace field on top (RFC 5321 sections 3.3 and 4.4).

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest};

#[test]
fn a_message_arrives_once_and_as_it_was() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();

    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send(MESSAGE).unwrap();
    client.command(".", 250);
    client.command("QUIT", 221);
    assert!(client.closed());

    let taken = sink.take();
    assert_eq!(taken.from, "ann@sender.example");
    assert_eq!(taken.to, ["user@desk.example"]);
    let arrived = taken.bytes();
    assert_eq!(trace_field_and_rest(&arrived).1, MESSAGE);
    relay.leaves_nothing(sink);
}
