//! A header section that is too large: 552 at the end of the message; the session stays. Policies
//! look at all of it, so it has a limit of its own.

use test_support::{RelayBuilder, Sink};

use crate::trace_field_and_rest;

#[test]
fn the_header_section_has_a_limit_of_its_own() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nheader-size = \"1KiB\"")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    let lines = b"X-Line: of twenty-two\r\n".repeat(50);

    let in_head = [b"Subject: large\r\n", lines.as_slice(), b"\r\nbody\r\n"].concat();
    let reply = client
        .deliver("ann@sender.example", &["user@desk.example"], &in_head)
        .unwrap();
    assert_eq!((reply.code, reply.enhanced()), (552, Some("5.3.4")));

    let in_body = [b"Subject: large\r\n\r\n", lines.as_slice()].concat();
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], &in_body);
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take().bytes();
    assert_eq!(trace_field_and_rest(&arrived).1, in_body);
    drop(client);
    relay.leaves_nothing(sink);
}
