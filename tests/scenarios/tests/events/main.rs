//! What the application learns of its mail: an event for each step, in order, once and for all.
#![allow(clippy::unwrap_used)]

mod every_kind;
mod expired;
mod failed_mail_is_kept;
mod followed;
mod judged;
mod kill;
mod late;
mod metadata;
mod replied;
mod strangers;

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Reply, Sink, hostile_file};

/// The usual chain of the listeners.
const CHAIN: &str = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;

/// The usual relay, without policies.
fn relay_to(sink: &Sink) -> RelayBuilder {
    RelayBuilder::usual(sink.address()).replace(CHAIN, "chain = []")
}

/// The usual relay, with this example of `tests/guests` as its only policy.
fn judged_by(example: &str, sink: &Sink) -> RelayBuilder {
    let file = hostile_file(example);
    RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["guest"]"#)
        .with(&format!("[[policy]]\nname = \"guest\"\nfile = {file:?}"))
}

/// Submits a message with further fields; returns the last reply.
fn submit(relay: &Relay, to: &[&str], fields: &str) -> Reply {
    let message = format!(
        "From: Ann <ann@desk.example>\r\nMessage-ID: <1@desk.example>\r\n{fields}\r\nHello!\r\n"
    );
    let mut client = relay.client("submission").authenticated("user", "secret");
    (client.deliver("ann@desk.example", to, message.as_bytes())).unwrap()
}

/// Submits a message that is accepted; returns its transaction.
fn submitted(relay: &Relay, to: &[&str], fields: &str) -> String {
    let reply = submit(relay, to, fields);
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// Returns the events that a command lists.
fn listed(relay: &Relay, arguments: &[&str]) -> Vec<Value> {
    relay.json(&[&["events"], arguments].concat())
}

/// Returns the events of a message once one is of this kind.
fn until(relay: &Relay, id: &str, kind: &str) -> Vec<Value> {
    relay.eventually(kind, |relay| {
        let events = listed(relay, &["--transaction", id]);
        events
            .iter()
            .any(|event| event["kind"] == kind)
            .then_some(events)
    })
}

/// Returns the kinds of events, in order.
fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect()
}

/// Returns the number of an event.
fn seq(event: &Value) -> u64 {
    event["seq"].as_u64().unwrap()
}
