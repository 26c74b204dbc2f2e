//! Every message that was answered with 250 is kept.

// In a test, an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod altered_body;
mod corrupt_database;
mod damaged_journal;
mod disk_full;
mod fsync_error;
mod kill;
mod lost_database;
mod lost_log;
mod lost_mark;
mod power_loss;

use std::net::SocketAddr;
use std::path::Path;

use test_support::{Relay, RelayBuilder};

/// Has a small message accepted.
fn accepted(relay: &Relay) {
    let message = b"From: Ann <ann@sender.example>\r\nSubject: hello\r\n\r\nHello!\r\n";
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["x@desk.example"], message);
    assert_eq!(reply.unwrap().code, 250);
}

/// The usual relay in this directory, with nobody at its next hop: every accepted message stays.
fn without_next_hop(directory: &Path) -> RelayBuilder {
    RelayBuilder::usual(SocketAddr::from(([127, 0, 0, 1], 9))).directory(directory)
}

/// Has `count` messages of so many lines accepted; returns the size of one. From 30,000 lines on, a
/// body has a file of its own.
fn accepted_large(relay: &Relay, lines: usize, count: usize) -> u64 {
    let head = "From: Ann <ann@sender.example>\r\nSubject: large\r\n\r\n";
    let message = [head, &"and so on\r\n".repeat(lines)].concat();
    let mut client = relay.client("mx");
    client.ehlo();
    for _ in 0..count {
        let reply = client.deliver(
            "ann@sender.example",
            &["x@desk.example"],
            message.as_bytes(),
        );
        assert_eq!(reply.unwrap().code, 250);
    }
    message.len() as u64
}

/// Starts a relay that must not start; returns its log on one line.
fn refuses_to_start(builder: RelayBuilder) -> String {
    let log = match builder.try_start() {
        Ok(_) => panic!("the relay started on a damaged store"),
        Err(log) => log,
    };
    log.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the exit code of `gatepost doctor`, and its output.
fn doctor(relay: &Relay) -> (i32, String) {
    let output = relay.command(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), said)
}
