//! A message that is too large: refused at MAIL where it is announced, else at its end; the
//! session stays (RFC 1870 sections 6.1 and 6.3).

use test_support::{Client, Relay, RelayBuilder, Sink};

use crate::trace_field_and_rest;

const LIMIT: usize = 20_000;

fn relay(sink: &Sink) -> Relay {
    RelayBuilder::usual(sink.address())
        .with(&format!("[limits]\nmessage-size = {LIMIT}"))
        .start()
}

/// Of so many octets, a multiple of 50.
fn message(size: usize) -> Vec<u8> {
    let head = format!("Subject: {}\r\n\r\n", "x".repeat(37));
    let line = format!("{}\r\n", "y".repeat(48));
    let message = head.into_bytes();
    let lines = (size - message.len()) / line.len();
    let message = [message, line.repeat(lines).into_bytes()].concat();
    assert_eq!(message.len(), size);
    message
}

fn too_large(client: &mut Client) {
    let reply = client
        .deliver(
            "ann@sender.example",
            &["user@desk.example"],
            &message(LIMIT + 50),
        )
        .unwrap();
    assert_eq!((reply.code, reply.enhanced()), (552, Some("5.3.4")));
}

#[test]
fn an_announced_size_over_the_limit_is_refused_at_mail() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(offered.contains(&format!("SIZE {LIMIT}")), "{offered:?}");
    for size in [(LIMIT + 1).to_string(), "9".repeat(20)] {
        let reply = client.command(&format!("MAIL FROM:<ann@sender.example> SIZE={size}"), 552);
        assert_eq!(reply.enhanced(), Some("5.3.4"));
    }
    client.command(&format!("MAIL FROM:<ann@sender.example> SIZE={LIMIT}"), 250);
    client.command("RSET", 250);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_message_over_the_limit_is_refused_at_its_end() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut client = relay.client("mx");
    client.ehlo();
    too_large(&mut client);
    // What was announced does not count for what comes.
    client.command("MAIL FROM:<ann@sender.example> SIZE=10", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send(message(LIMIT + 50)).unwrap();
    client.command(".", 552);

    let largest = message(LIMIT);
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], &largest);
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take().bytes();
    assert!(trace_field_and_rest(&arrived).1 == largest);
    drop(client);
    relay.leaves_nothing(sink);
}
