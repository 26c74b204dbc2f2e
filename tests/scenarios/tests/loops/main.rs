//! loop-guard through the relay itself: mail loops between machines end, and mail of people always
//! goes out.
#![allow(clippy::unwrap_used)]

mod account_ids;
mod agent_mail;
mod bounce_loop;
mod limits;
mod machines;
mod new_addresses;
mod newcomers;
mod own_address;
mod own_notices;
mod refused;
mod reported;
mod sent_again;

use test_support::{Relay, RelayBuilder, Reply, Sink};

const ANN: &str = "ann@sender.example";
const DESK: &str = "help@desk.example";
const AUTOMATIC: &str = "X-Gatepost-Trigger: automatic\r\n";
const AGENT: &str = "X-Gatepost-Trigger: agent\r\n";

/// The usual relay, with these settings of loop-guard.
fn with_settings(sink: &Sink, settings: &str) -> RelayBuilder {
    RelayBuilder::usual(sink.address()).with(&format!(
        "[[policy]]\nname = \"loop-guard\"\nbuiltin = \"loop-guard\"\nsettings = {{ {settings} }}"
    ))
}

/// Ann's message comes in, with these fields.
fn comes(relay: &Relay, fields: &str) -> Reply {
    let message =
        format!("From: Ann <{ANN}>\r\nTo: {DESK}\r\n{fields}\r\nThe printer is on fire.\r\n");
    let mut client = relay.client("mx");
    client.ehlo();
    client.deliver(ANN, &[DESK], message.as_bytes()).unwrap()
}

/// The application submits a message, with these fields.
fn goes(relay: &Relay, fields: &str, to: &[&str]) -> Reply {
    let message =
        format!("From: {DESK}\r\nSubject: Your ticket\r\n{fields}\r\nWe look into it.\r\n");
    let mut client = relay.client("submission").authenticated("user", "secret");
    client.deliver(DESK, to, message.as_bytes()).unwrap()
}

/// A message comes in from this reverse-path.
fn enter(relay: &Relay, path: &str, message: &str) -> Reply {
    let mut client = relay.client("mx");
    client.ehlo();
    client.deliver(path, &[DESK], message.as_bytes()).unwrap()
}

/// The application submits this message.
fn submit(relay: &Relay, path: &str, to: &[&str], message: &str) -> Reply {
    let mut client = relay.client("submission").authenticated("user", "secret");
    client.deliver(path, to, message.as_bytes()).unwrap()
}

/// Returns the id of the accepted transaction.
fn taken(reply: &Reply) -> String {
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// The letter of another machine, and our application's answer to it.
struct Exchange {
    reverse_path: &'static str,
    letter: String,
    answer_to: String,
    answer: String,
}

/// Returns the number of answers that go out before one is suppressed; `exchange` makes the letter
/// and the answer of each number.
fn answers(exchange: impl Fn(u32) -> Exchange) -> u32 {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut sent = 0;
    loop {
        let next = exchange(sent);
        taken(&enter(&relay, next.reverse_path, &next.letter));
        sink.take();
        let id = taken(&submit(&relay, DESK, &[&next.answer_to], &next.answer));
        if !suppressed(&relay, &id).is_empty() {
            break;
        }
        sink.take();
        sent += 1;
        assert!(sent <= 5, "it goes on after {sent} answers");
    }
    relay.leaves_nothing(sink);
    sent
}

/// The recipients of a message that get nothing, with the reasons.
fn suppressed(relay: &Relay, id: &str) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let events = relay.events(id, "suppressed");
    let events = events.iter();
    events
        .map(|event| (text(&event["address"]), text(&event["reason"])))
        .collect()
}
