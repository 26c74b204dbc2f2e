//! A line of a message that is too long: 500 at the end; the session stays. One of 998 octets
//! arrives whole (RFC 5321 section 4.5.3.1.6).

use test_support::{RelayBuilder, Sink};

use crate::trace_field_and_rest;

#[test]
fn a_line_of_998_octets_and_not_one_more() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    for length in [999, 100_000] {
        for line in [
            "x".repeat(length),
            format!("Subject: {}", "x".repeat(length - 9)),
        ] {
            assert_eq!(line.len(), length);
            let message = format!("{line}\r\n\r\nbody\r\n{line}\r\n");
            let reply = client
                .deliver(
                    "ann@sender.example",
                    &["user@desk.example"],
                    message.as_bytes(),
                )
                .unwrap();
            assert_eq!((reply.code, reply.enhanced()), (500, Some("5.6.0")));
        }
    }
    // A stuffed dot does not count.
    let line = format!(".{}", "x".repeat(997));
    let message = format!("Subject: {}\r\n\r\n{line}\r\n", "x".repeat(989));
    let reply = client.deliver(
        "ann@sender.example",
        &["user@desk.example"],
        message.as_bytes(),
    );
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take().bytes();
    assert_eq!(trace_field_and_rest(&arrived).1, message.as_bytes());
    drop(client);
    relay.leaves_nothing(sink);
}
