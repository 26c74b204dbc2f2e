//! Real mail servers as the server that MX names: Exim, OpenSMTPD and Postfix.

mod exim;
mod opensmtpd;
mod postfix;

use std::net::SocketAddr;

use test_support::{DnsServer, RelayBuilder, Sink};

use crate::{attempt, beside_port, relay, submitted, zone};

/// Message with what is easily spoilt on the way: dots, a long line, octets outside ASCII.
fn message() -> Vec<u8> {
    let long = "x".repeat(998);
    let text = format!(
        "From: Ann <ann@sender.example>\r\nSubject: hello\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         .\r\n..two\r\n{long}\r\nGr\u{fc}\u{df}e\r\n"
    );
    text.into_bytes()
}

/// A relay that sends mail for `b.example` by MX to that server on 127.0.0.1, and a server for the
/// sender's domain.
struct Site {
    dns: DnsServer,
    port: u16,
    /// Server of `sender.example`.
    sender: Sink,
}

impl Site {
    fn of(server: SocketAddr) -> Self {
        let sender = beside_port(server.port(), 9);
        let mut zone = zone(&[(10, 1)]);
        zone.mx("sender.example", 10, "mx.sender.example");
        zone.a("mx.sender.example", [127, 0, 0, 9].into());
        Self {
            dns: DnsServer::start(zone),
            port: server.port(),
            sender,
        }
    }

    fn relay(&self) -> RelayBuilder {
        relay(&self.dns, self.port)
    }

    /// Asserts that a message arrives behind the server octet for octet, under TLS or not; returns
    /// the field Received that it got there.
    fn delivers(self, behind: Sink, is_encrypted: bool) -> String {
        let relay = self.relay().start();
        let id = submitted(&relay, &["x@b.example"], &message());
        let taken = behind.take();
        assert_eq!(taken.to, ["x@b.example"]);
        assert!(taken.bytes().ends_with(&message()), "{}", taken.text());
        let attempt = attempt(&relay, &id, 1);
        assert_eq!(attempt["ending"], "delivered", "{attempt}");
        let logged = relay.logged("result=\"delivered\"");
        assert_eq!(logged.contains("tls=\"TLS"), is_encrypted, "{logged}");
        let server = attempt["server"].as_str().unwrap();
        assert!(server.starts_with("mx1.b.example:"), "{server}");
        assert!(self.sender.rest().is_empty());
        let received = taken.header("Received").unwrap();
        relay.leaves_nothing(behind);
        received
    }

    /// Asserts that of two recipients the one is delivered, and that the sender gets a bounce with
    /// these words of the server about `nobody@b.example`.
    fn bounces(self, behind: Sink, words: &str) {
        let relay = self.relay().start();
        let to = ["nobody@b.example", "x@b.example"];
        submitted(&relay, &to, &message());
        let taken = behind.take();
        assert_eq!(taken.to, ["x@b.example"]);
        let bounce = self.sender.take();
        assert_eq!((&*bounce.from, &*bounce.to[0]), ("", "ann@sender.example"));
        let text = bounce.text();
        assert!(
            text.contains("Final-Recipient: rfc822; nobody@b.example"),
            "{text}"
        );
        assert_eq!(text.matches("Final-Recipient:").count(), 1, "{text}");
        assert!(text.contains(words), "{text}");
        relay.leaves_nothing(behind);
        assert!(self.sender.rest().is_empty());
    }
}
