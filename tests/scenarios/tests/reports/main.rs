//! Reports on mail that was sent: they come back to the return path of a message, or to a support
//! address, and are matched to the message; forged ones have no effect.
#![allow(clippy::unwrap_used)]

mod complaint;
mod forged;
mod invalid_token;
mod peers;
mod read_by_check;
mod read_receipt;
mod return_path;
mod return_path_of_connector;
mod smart_host;

use std::net::SocketAddr;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use test_support::{DnsServer, Relay, RelayBuilder, Sink, Zone};

/// Message of the scenarios.
const MESSAGE: &[u8] = b"From: Desk <help@desk.example>\r\n\
    To: x@b.example\r\n\
    Message-ID: <ticket-1@desk.example>\r\n\
    Subject: your ticket\r\n\
    \r\n\
    Hello!\r\n";

/// The zone in which mail for `b.example` goes to 127.0.0.1.
fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.mx("b.example", 10, "mx.b.example");
    zone.a("mx.b.example", [127, 0, 0, 1].into());
    zone
}

/// The relay of all scenarios: `acme` receives for `desk.example`, for an application, and what it
/// submits leaves by MX, to servers at this port.
fn relay(dns: &DnsServer, port: u16, application: SocketAddr) -> RelayBuilder {
    RelayBuilder::new(format!(
        r#"
        [[account]]
        id = "acme"
        domains = ["desk.example"]
        users = [{{ name = "user", password = "secret" }}]
        [[listener]]
        name = "mx"
        address = "127.0.0.1:0"
        direction = "inbound"
        chain = []
        [[listener]]
        name = "submission"
        address = "127.0.0.1:0"
        direction = "submission"
        chain = []
        [return-path]
        domain = "bounces.desk.example"
        [routes]
        submission = "mx"
        inbound = {{ host = "{}", port = {}, tls = "none" }}
        [dns]
        servers = ["{}"]
        timeout = "2s"
        attempts = 1
        [destinations]
        allowed-networks = ["127.0.0.0/8"]
        [mx]
        port = {port}
        mta-sts = false
        [delivery]
        retry = ["1s"]
        "#,
        application.ip(),
        application.port(),
        dns.address()
    ))
}

/// Submits the message to this recipient; returns its transaction.
fn submitted(relay: &Relay, to: &str) -> String {
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("help@desk.example", &[to], MESSAGE).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// Sends a message in from outside, to this recipient; returns its transaction.
fn comes_in(relay: &Relay, from: &str, to: &str, message: &str) -> String {
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver(from, &[to], message.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// Waits for the report on a message, or for the record that a message is a report.
fn report(relay: &Relay, id: &str) -> Value {
    relay.eventually("the report is on record", |relay| {
        relay.events(id, "report").pop()
    })
}

/// Returns the kinds of the events that tell of reports, with the recipient of each.
fn told(relay: &Relay) -> Vec<(String, String)> {
    let select = "SELECT kind, body ->> '$.recipient' FROM events
                  WHERE kind IN ('bounced', 'complained') ORDER BY seq";
    pairs(relay, select)
}

/// Returns the suppressed addresses with the cause of each.
fn suppressed(relay: &Relay) -> Vec<(String, String)> {
    pairs(
        relay,
        "SELECT address, cause FROM suppressions ORDER BY address",
    )
}

fn pairs(relay: &Relay, select: &str) -> Vec<(String, String)> {
    let database = relay.directory().join("store/spool.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(database, flags).unwrap();
    let mut select = database.prepare(select).unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Returns a pair of texts.
fn pair(one: &str, two: &str) -> (String, String) {
    (one.to_owned(), two.to_owned())
}

/// A notice of failure in the form of RFC 3464.
fn bounce(recipient: &str) -> String {
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@mx.b.example>\r\n\
         To: help@desk.example\r\n\
         Subject: Undelivered Mail Returned to Sender\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nIt could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.b.example\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 nobody of that name\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         From: help@desk.example\r\nTo: x@b.example\r\n\
         Message-ID: <ticket-1@desk.example>\r\n\r\n--b--\r\n"
    )
}

/// A delivered message: its transaction, and its return path as the server got it.
fn delivered(relay: &Relay, server: &Sink) -> (String, String) {
    let id = submitted(relay, "x@b.example");
    let return_path = server.take().from;
    assert!(return_path.starts_with("b+"), "{return_path}");
    relay.eventually("the delivery is on record", |relay| {
        relay.events(&id, "attempt").pop()
    });
    (id, return_path)
}
