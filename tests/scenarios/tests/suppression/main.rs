//! Suppression lists: how an address gets there, that mail to it is refused and never dropped, and
//! how an operator changes a list.
#![allow(clippy::unwrap_used)]

mod by_hand;
mod check;
mod delivery_clears;
mod files;
mod hard_bounce;
mod not_of_the_recipient;
mod of_one_account;
mod soft_failures;

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Reply, Sink};

/// Message of the scenarios.
const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Message-ID: <1@sender.example>\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

/// Chain of the usual relay's listeners.
const CHAIN: &str = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;

/// A relay without policies whose mail goes to a sink that follows this script.
fn relay(script: &str) -> (RelayBuilder, Sink) {
    let sink = Sink::scripted(script, &[]);
    let builder = RelayBuilder::usual(sink.address()).replace(CHAIN, "chain = []");
    (builder, sink)
}

/// Submits the message to one recipient; the reply to RCPT if that is refused, else to the message.
fn submit(relay: &Relay, to: &str) -> Reply {
    let mut client = relay.client("submission").authenticated("user", "secret");
    client
        .deliver("ann@sender.example", &[to], MESSAGE)
        .unwrap()
}

/// Submits the message to a recipient, which must be accepted.
fn accepted(relay: &Relay, to: &str) -> String {
    let reply = submit(relay, to);
    assert_eq!(reply.code, 250, "{to}: {}", reply.text());
    reply.transaction()
}

/// Submits the message to a recipient whose server refuses it, and takes the bounce.
fn bounces(relay: &Relay, sink: &Sink, to: &str) -> String {
    let id = accepted(relay, to);
    let bounce = sink.take();
    assert_eq!(bounce.from, "", "{}", bounce.text());
    assert!(bounce.text().contains(to), "{}", bounce.text());
    id
}

/// Addresses that are suppressed.
fn list(relay: &Relay) -> Vec<Value> {
    relay.json(&["suppression", "list"])
}
