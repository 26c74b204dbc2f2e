//! What came in plaintext behind STARTTLS was put there by somebody else: it is never executed
//! (RFC 3207 section 4.2 and section 6; CVE-2011-0411).

use test_support::{RelayBuilder, Sink};

#[test]
fn commands_behind_starttls_are_thrown_away() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    client
        .send(
            "STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@sender.example>\r\n\
             RCPT TO:<user@desk.example>\r\nDATA\r\nSubject: injected\r\n\r\nx\r\n.\r\n",
        )
        .unwrap();
    client.expect(220);
    client.secure().unwrap();
    // The first thing said under TLS is the reply to the first thing asked under TLS.
    assert_eq!(client.command("NOOP", 250).text(), "2.0.0 OK");
    client.command("RCPT TO:<user@desk.example>", 503);
    client.command("DATA", 503);
    client.command("QUIT", 221);
    assert!(client.closed());
    relay.leaves_nothing(sink);
}

/// Commands in plaintext before it are forgotten too.
#[test]
fn starttls_resets_the_session() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<evil@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("STARTTLS", 220);
    client.secure().unwrap();
    client.command("DATA", 503);
    client.command("MAIL FROM:<ann@sender.example>", 503);
    let offered = client.ehlo();
    assert!(!offered.contains(&"STARTTLS".to_owned()), "{offered:?}");
    client.command("STARTTLS", 503);
    client.command("MAIL FROM:<ann@sender.example>", 250);
    drop(client);
    relay.leaves_nothing(sink);
}
