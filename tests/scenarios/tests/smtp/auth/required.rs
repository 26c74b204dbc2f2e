//! A submission without a user is no submission (RFC 6409 section 4.3).

use test_support::{RelayBuilder, Sink};

#[test]
fn nobody_submits_without_a_password() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission");
    client.ehlo();
    nothing_goes(&mut client);
    client.starttls();
    nothing_goes(&mut client);
    // TLS begins the session afresh; only a new connection makes a user nobody again.
    client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 235);
    client.command("MAIL FROM:<user@desk.example>", 250);
    client.command("RSET", 250);
    client.ehlo();
    client.command("MAIL FROM:<user@desk.example>", 250);
    let mut other = relay.client("submission");
    other.ehlo();
    other.starttls();
    nothing_goes(&mut other);
    drop((client, other));
    relay.leaves_nothing(sink);
}

fn nothing_goes(client: &mut test_support::Client) {
    let reply = client.command("MAIL FROM:<user@desk.example>", 530);
    assert_eq!(reply.enhanced(), Some("5.7.0"));
    // Not even to our own domain.
    client.command("RCPT TO:<user@desk.example>", 503);
    client.command("RCPT TO:<x@elsewhere.example>", 503);
    client.command("DATA", 503);
}
