//! Octets outside ASCII, control characters, odd white space: all but NUL and bare line ends
//! arrive as they were sent (RFC 6152; RFC 5321 section 2.4).

use test_support::{RelayBuilder, Sink};

use crate::trace_field_and_rest;

#[test]
fn odd_octets_arrive_as_they_were() {
    arrives(odd_lines());
}

/// A message of this size takes another way through the store.
#[test]
fn odd_octets_of_a_large_message_arrive_as_they_were() {
    let mut message = odd_lines();
    while message.len() < 1_000_000 {
        message.extend(odd_lines());
    }
    arrives(message);
}

/// A header section with octets of three character sets, then every octet that may stand in a
/// line, once alone on it and once among others.
fn odd_lines() -> Vec<u8> {
    let mut message = b"Subject: gr\xfc\xdfe \xe2\x82\xac \xff\xfe\r\n\
        X-Empty:\r\n\
        X-Folded: a\r\n \t \r\n\t b  \r\n\
        x-odd : space before the colon\r\n\
        \r\n"
        .to_vec();
    let allowed = |octet: &u8| !matches!(octet, b'\0' | b'\r' | b'\n' | b'.');
    let all: Vec<u8> = (0..=255).filter(allowed).collect();
    for octet in &all {
        message.extend([*octet, b'\r', b'\n']);
    }
    message.extend(&all);
    message.extend(b"\r\n\r\n trailing  \t\r\n\r\n\r\n");
    message
}

fn arrives(message: Vec<u8>) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(offered.contains(&"8BITMIME".to_owned()), "{offered:?}");
    client.command("MAIL FROM:<ann@sender.example> BODY=8BITMIME", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send(&message).unwrap();
    client.command(".", 250);
    let arrived = sink.take().bytes();
    assert!(trace_field_and_rest(&arrived).1 == message);
    drop(client);
    relay.leaves_nothing(sink);
}
