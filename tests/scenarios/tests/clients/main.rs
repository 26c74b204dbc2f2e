//! Real mail software on both sides of the relay: swaks, Python's smtplib and GNU SASL as clients,
//! Postfix, Exim and OpenSMTPD as client and as next hop, Dovecot as next hop over LMTP.
//!
//! Each file has one scenario. A program that is not installed is not tested, and one line says so.
//! Every scenario ends with [`Relay::leaves_nothing`] or [`nothing_is_left`]: each message arrives
//! once.
#![allow(clippy::unwrap_used)]

mod between_two_postfixes;
mod internationalised;
mod notifications;

mod gatepost {
    mod logs_in_at_another;
}

mod gsasl {
    mod scram;
}

mod swaks {
    mod auth;
    mod implicit_tls;
    mod pipelining;
    mod plain;
    pub mod program;
    mod proxy;
    mod starttls;
    mod wrong_password;
    mod xclient;
}

mod smtplib {
    mod auth_login;
    mod eight_bit;
    mod good_and_bad_recipients;
    mod implicit_tls;
    mod one_connection;
    mod plain;
    pub mod program;
    mod starttls_and_login;
}

mod postfix_sends {
    mod before_queue;
    mod burst;
    mod dsn;
    mod good_and_bad_recipients;
    mod smtputf8;
    mod starttls;
    mod submission;
    mod two_accounts;
    mod without_tls;
    mod xforward;
}

mod exim_sends {
    mod chunking;
    mod dsn;
    mod good_and_bad_recipients;
    mod smtputf8;
    mod starttls;
    mod without_tls;
}

mod exim_receives {
    mod chunking;
    mod dsn;
    mod opportunistic_tls;
    mod refused_recipient;
    mod required_tls;
    mod smtputf8;
}

mod opensmtpd_sends {
    mod dsn;
    mod good_and_bad_recipients;
    mod starttls;
    mod without_tls;
}

mod opensmtpd_receives {
    mod broken_tls;
    mod dsn;
    mod without_smtputf8;
    mod without_tls;
}

mod dovecot_receives {
    mod by_name;
    mod chunking;
    mod each_recipient;
    mod starttls;
}

mod postfix_receives {
    mod burst;
    mod chunking;
    mod closed_when_idle;
    mod dsn;
    mod dsn_not_offered;
    mod few_connections;
    mod long_lines;
    mod message_rate;
    mod opportunistic_tls;
    mod refused_message;
    mod refused_recipient;
    mod required_tls;
    mod smtputf8;
    mod smuggling;
    mod untrusted_certificate;
    mod without_8bitmime;
    mod without_smtputf8;
    mod without_tls;
    mod xforward;
}

use std::net::SocketAddr;
use std::ops::Deref;

use test_support::{
    Client, Exim, MailServer, OpenSmtpd, Postfix, Relay, RelayBuilder, Sink, Taken,
};

/// A message with whatever is easily spoilt on the way.
fn awkward() -> Vec<u8> {
    let longest = 998;
    let eight_bit: Vec<u8> = (0x80..=0xff).collect();
    let lines: &[&[u8]] = &[
        b"From: Ann <ann@sender.example>",
        b"To: user@desk.example",
        b"Subject: awkward",
        b"Date: Thu, 1 Jan 2026 00:00:00 +0000",
        b"Message-ID: <awkward@sender.example>",
        b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=iso-8859-1",
        b"Content-Transfer-Encoding: 8bit",
        b"",
        b".",
        b"..",
        b".leading dot",
        b"From here on it might be a mailbox",
        b"blanks at the end  \t",
        b"",
        &eight_bit,
        // RFC 5321 section 4.5.3.1.6: 1000 octets with CRLF, and a stuffed dot does not count.
        &b"x".repeat(longest),
        &[b".", b"y".repeat(longest - 1).as_slice()].concat(),
        &b"\xe4".repeat(longest),
        b".",
        b"",
        b"",
    ];
    lines
        .iter()
        .flat_map(|line| [line, &b"\r\n"[..]].concat())
        .collect()
}

/// A message of one megabyte, with dots.
fn megabyte() -> Vec<u8> {
    let head = b"From: Ann <ann@sender.example>\r\nTo: user@desk.example\r\nSubject: large\r\n\r\n";
    let line = b".the same line again and again, 64 octets with its end of line\r\n";
    [head, line.repeat((1 << 20) / line.len()).as_slice()].concat()
}

/// Fails unless everything below the header section arrived octet for octet.
fn assert_whole(taken: &Taken, sent: &[u8]) {
    let (sent, arrived) = (body(sent), taken.bytes());
    let arrived = body(&arrived);
    let same = sent.iter().zip(arrived).take_while(|(a, b)| a == b).count();
    let there = |octets: &[u8]| {
        String::from_utf8_lossy(&octets[same..])
            .chars()
            .take(60)
            .collect::<String>()
    };
    assert!(
        sent == arrived,
        "of {} octets {} arrived; the first {same} are the same, then {:?} became {:?}",
        sent.len(),
        arrived.len(),
        there(sent),
        there(arrived),
    );
}

fn body(message: &[u8]) -> &[u8] {
    let empty = message.windows(4).position(|octets| octets == b"\r\n\r\n");
    &message[empty.expect("an empty line") + 4..]
}

/// A small message with this subject.
fn numbered(number: usize) -> Vec<u8> {
    format!("From: <ann@sender.example>\r\nSubject: {number}\r\n\r\nHello!\r\n").into_bytes()
}

/// The subjects of so many messages as numbers, in order; each has to come.
fn numbers(sink: &Sink, count: usize) -> Vec<usize> {
    let subject = |taken: Taken| taken.header("Subject").unwrap().parse().unwrap();
    let mut numbers: Vec<usize> = (0..count).map(|_| subject(sink.take())).collect();
    numbers.sort_unstable();
    numbers
}

/// A mail server before or behind the relay, that hands on every message.
trait Server: Deref<Target = MailServer> {
    /// Waits until it has no work left for any message.
    fn drained(&self);
}

impl Server for Postfix {
    fn drained(&self) {
        self.drained();
    }
}

impl Server for Exim {
    fn drained(&self) {
        self.drained();
    }
}

impl Server for OpenSmtpd {
    fn drained(&self) {
        self.drained();
    }
}

/// A message whose last line has no end.
const OPEN: &[u8] = b"From: Ann <ann@sender.example>\r\nSubject: open\r\n\r\n.\r\nno end";

/// Ends the relay, and makes sure that it has nothing left to do.
fn nothing_is_queued(mut relay: Relay) {
    let status = relay.terminate();
    assert!(status.success(), "{status}:\n{}", relay.log());
    let queue = relay.json(&["queue", "list", "--messages"]);
    assert!(queue.is_empty(), "queued: {queue:?}");
}

/// Ends the relay, lets the server behind it hand on what it has, and makes sure that nothing is
/// left of which the test has not taken note.
fn nothing_is_left(relay: Relay, behind: impl Server, sink: Sink) {
    nothing_is_queued(relay);
    behind.drained();
    let rest = sink.rest();
    assert!(rest.is_empty(), "more arrived: {rest:?}");
}

/// Messages from a client through the relay, small and large: each arrives octet for octet, and the
/// trace field of the server behind the relay says this of how it came there.
fn messages_arrive(relay: Relay, behind: impl Server, sink: Sink, trace: &[&str]) {
    for message in [awkward(), megabyte()] {
        submit(relay.address("mx"), &["user@desk.example"], &message);
        let taken = sink.take();
        assert_eq!(taken.from, "ann@sender.example");
        assert_eq!(taken.to, ["user@desk.example"]);
        let field = taken.header("Received").unwrap();
        for part in trace {
            assert!(field.contains(part), "{part}: {field}");
        }
        assert_whole(&taken, &message);
    }
    nothing_is_left(relay, behind, sink);
}

/// The usual relay, whose listener for inbound mail offers no TLS.
fn without_tls(sink: &Sink) -> Relay {
    let inbound = "direction = \"inbound\"";
    RelayBuilder::usual(sink.address())
        .replace(inbound, &format!("{inbound}\ntls = \"none\""))
        .start()
}

/// Messages through a server before the relay, small and large: each arrives octet for octet, and
/// the relay's trace field says that it came from this host by this protocol.
fn messages_come(relay: Relay, server: &impl Server, sink: Sink, from: &str, protocol: &str) {
    for message in [awkward(), megabyte()] {
        submit(server.address(), &["user@desk.example"], &message);
        let taken = sink.take();
        assert_eq!(taken.from, "ann@sender.example");
        assert_eq!(taken.to, ["user@desk.example"]);
        let field = taken.header("Received").unwrap();
        assert!(field.starts_with(&format!("from {from} ")), "{field}");
        assert!(field.contains(&format!(" with {protocol} id ")), "{field}");
        assert_whole(&taken, &message);
    }
    server.drained();
    relay.leaves_nothing(sink);
}

/// Takes [`awkward`] that the user has submitted under TLS to a recipient elsewhere, and ends the
/// relay.
fn submission_arrives(relay: Relay, sink: Sink) {
    let taken = sink.take();
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTPSA id "), "{field}");
    assert_whole(&taken, &awkward());
    relay.leaves_nothing(sink);
}

/// A server before the relay hands over the good recipients of [`GOOD_AND_BAD`]. Its bounce goes to
/// the sink by a second account, that of the sender.
fn good_ones_come<S: Server>(start: impl FnOnce(SocketAddr) -> Option<S>) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("sending-domains = [\"sender.example\"]", "")
        .with("[[account]]\nid = \"sender\"\ndomains = [\"sender.example\"]")
        .start();
    let Some(server) = start(relay.address("mx")) else {
        return;
    };
    submit(server.address(), &GOOD_AND_BAD, &awkward());
    good_ones_arrive(&sink);
    server.drained();
    relay.leaves_nothing(sink);
}

/// Recipients that a mail server is given for [`good_ones_arrive`].
const GOOD_AND_BAD: [&str; 3] = [
    "one@desk.example",
    "x@elsewhere.example",
    "two@desk.example",
];

/// [`awkward`] to [`GOOD_AND_BAD`] arrives at the good ones; what the sender is told of the bad one.
fn good_ones_arrive(sink: &Sink) -> String {
    let mut taken = [sink.take(), sink.take()];
    taken.sort_by_key(|taken| taken.from.is_empty());
    let [mut message, bounce] = taken;
    // OpenSMTPD hands them over in no order.
    message.to.sort();
    assert_eq!(message.to, ["one@desk.example", "two@desk.example"]);
    assert_whole(&message, &awkward());
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    for part in ["x@elsewhere.example", "550 5.7.1 "] {
        assert!(report.contains(part), "{report}");
    }
    assert!(!report.contains("one@desk.example"), "{report}");
    report
}

/// Sends a message over a connection of its own; it must be accepted.
fn submit(server: SocketAddr, to: &[&str], message: &[u8]) {
    let mut client = Client::greeted(server);
    client.ehlo();
    let reply = client.deliver("ann@sender.example", to, message).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    client.command("QUIT", 221);
}

/// The same by BDAT, in chunks of 20 octets (RFC 3030).
fn submit_in_chunks(server: SocketAddr, to: &[&str], message: &[u8]) {
    let mut client = Client::greeted(server);
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    for recipient in to {
        client.command(&format!("RCPT TO:<{recipient}>"), 250);
    }
    for chunk in message.chunks(20) {
        let command = format!("BDAT {}\r\n", chunk.len());
        client.send([command.as_bytes(), chunk].concat()).unwrap();
        client.expect(250);
    }
    client.command("BDAT 0 LAST", 250);
    client.command("QUIT", 221);
}

/// Sends messages numbered from 0 over some connections at once; each must be accepted.
fn submit_numbered(server: SocketAddr, connections: usize, each: usize) {
    std::thread::scope(|scope| {
        for connection in 0..connections {
            scope.spawn(move || {
                let mut client = Client::greeted(server);
                client.ehlo();
                for number in connection * each..(connection + 1) * each {
                    let message = numbered(number);
                    let reply =
                        client.deliver("ann@sender.example", &["user@desk.example"], &message);
                    assert_eq!(reply.unwrap().code, 250);
                }
            });
        }
    });
}
