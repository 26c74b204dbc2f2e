//! From any other network a PROXY header is not believed, or anybody could be whom they like: it
//! is read as what it looks like to SMTP, bad commands.

use test_support::{Client, Relay, RelayBuilder, Sink};

use super::header::{connect_as, connect_with, header};
use crate::{MESSAGE, trace_field_and_rest};

#[test]
fn a_header_is_not_believed_where_none_is_expected() {
    let sink = Sink::start();
    not_believed(RelayBuilder::usual(sink.address()).start(), sink);
}

#[test]
fn a_header_is_not_believed_from_a_network_that_is_not_named() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).replace(
        "direction = \"inbound\"",
        "direction = \"inbound\"\nproxy-from = [\"192.0.2.0/24\", \"2001:db8::/32\"]",
    );
    not_believed(relay.start(), sink);
}

fn not_believed(relay: Relay, sink: Sink) {
    let mx = relay.address("mx");
    let mut client = connect_as("192.0.2.7:4711", mx);
    client.expect(220);
    // Three line ends, the third behind a NUL, and a line that goes on to the next line end.
    client.send("\r\n").unwrap();
    for _ in 0..4 {
        client.expect(500);
    }
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take().bytes();
    let (field, _) = trace_field_and_rest(&arrived);
    assert!(
        field.starts_with("Received: from client.example ([127.0.0.1])"),
        "{field}"
    );
    drop(client);

    // Nor is the QUIT in the middle of it a command, or what follows it.
    let evil = [
        header("192.0.2.7:4711".parse().unwrap(), mx),
        b"NOOP\r\n".to_vec(),
    ]
    .concat();
    let mut client: Client = connect_with(&evil, mx);
    client.expect(220);
    for _ in 0..4 {
        client.expect(500);
    }
    client.command("NOOP", 250);
    drop(client);
    relay.leaves_nothing(sink);
}
