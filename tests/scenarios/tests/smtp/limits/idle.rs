//! A client that is silent for too long: 421, and the connection closes, wherever it fell silent
//! (RFC 5321 section 4.5.3.2.7).

use std::time::{Duration, Instant};

use test_support::{Client, Relay, RelayBuilder, Sink};

const IDLE: Duration = Duration::from_secs(2);

/// Nothing is sent any more: the reply comes by itself, and not too soon.
fn falls_silent(mut client: Client, since: Instant) {
    let reply = client.expect(421);
    assert!(since.elapsed() >= IDLE, "after {:?}", since.elapsed());
    assert_eq!(reply.enhanced(), Some("4.4.2"));
    assert!(client.closed());
}

fn relay(sink: &Sink) -> Relay {
    RelayBuilder::usual(sink.address())
        .with("[limits]\nidle = \"2s\"")
        .start()
}

#[test]
fn silence_ends_the_session() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let begun = Instant::now();
    falls_silent(relay.client("mx"), begun);
    relay.leaves_nothing(sink);
}

#[test]
fn silence_under_tls_ends_the_session() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut client = relay.client("mx");
    client.ehlo();
    let begun = Instant::now();
    client.starttls();
    falls_silent(client, begun);
    relay.leaves_nothing(sink);
}

#[test]
fn silence_in_a_message_ends_it_unfinished() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    let begun = Instant::now();
    client.send("Subject: half\r\n\r\nhalf").unwrap();
    falls_silent(client, begun);
    relay.leaves_nothing(sink);
}
