//! A message with addresses and header fields outside ASCII (RFC 6531), for scenarios that show
//! how it gets through.

use std::net::SocketAddr;

use test_support::{Client, Reply, Taken};

use crate::body;

const FROM: &str = "änn@sender.example";
const TO: &str = "jürgen@desk.example";

/// The message.
pub fn message() -> Vec<u8> {
    "From: Änn <änn@sender.example>\r\n\
     To: Jürgen <jürgen@desk.example>\r\n\
     Subject: Grüße, Ελλάδα, 日本\r\n\
     Message-ID: <größe@sender.example>\r\n\
     Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\
     \r\n\
     Grüße!\r\n"
        .into()
}

/// Sends it; the reply to its end.
pub fn send(server: SocketAddr) -> Reply {
    let mut client = Client::greeted(server);
    let offered = client.ehlo();
    assert!(offered.contains(&"SMTPUTF8".to_owned()), "{offered:?}");
    client.command(&format!("MAIL FROM:<{FROM}> SMTPUTF8 BODY=8BITMIME"), 250);
    client.command(&format!("RCPT TO:<{TO}>"), 250);
    client.command("DATA", 354);
    client.send(message()).unwrap();
    let reply = client.command(".", 250);
    client.command("QUIT", 221);
    reply
}

/// Fails unless it arrived as it was sent.
pub fn assert_arrived(taken: &Taken) {
    assert!(taken.smtputf8);
    assert_eq!(taken.from, FROM);
    assert_eq!(taken.to, [TO]);
    let arrived = taken.bytes();
    assert_eq!(body(&arrived), body(&message()));
    let head = String::from_utf8(arrived).unwrap();
    for line in String::from_utf8(message()).unwrap().lines().take(5) {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
}
