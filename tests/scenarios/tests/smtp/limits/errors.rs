//! Too many refused commands: 421 to the next, and the connection closes (RFC 5321 section
//! 4.3.2 allows it at any time; section 7.8).

use test_support::{RelayBuilder, Sink};

#[test]
fn too_many_errors_end_the_session() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nerrors = 3")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<x@elsewhere.example>", 550);
    client.command("NOOP", 250);
    client.command("FOO", 500);
    client.command("RCPT TO:<no address>", 501);
    let reply = client.command("RCPT TO:<user@desk.example>", 421);
    assert_eq!(reply.enhanced(), Some("4.7.0"));
    assert!(client.closed());
    drop(client);
    relay.leaves_nothing(sink);
}
