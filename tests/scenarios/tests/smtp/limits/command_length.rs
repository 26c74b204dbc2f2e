//! A command line that is too long: 500, and the session stays (RFC 5321 section 4.5.3.1.4).

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn the_session_goes_on_after_a_command_that_is_too_long() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\ncommand = 1200")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    // With CRLF, which counts.
    let noop = |length: usize| format!("NOOP {}", "x".repeat(length - "NOOP \r\n".len()));
    client.command(&noop(1200), 250);
    for length in [1201, 5_000_000] {
        let reply = client.command(&noop(length), 500);
        assert_eq!(reply.enhanced(), Some("5.5.2"));
    }
    // The end of a line that is too long is not a command of its own, in a segment of its own
    // though it be.
    client.send("x".repeat(10_000)).unwrap();
    client.command("QUIT", 500);
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    sink.take();
    drop(client);
    relay.leaves_nothing(sink);
}
