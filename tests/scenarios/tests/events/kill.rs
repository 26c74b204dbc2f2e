//! `kill -9` at random moments while the application submits and a reader reads: every message that
//! got a 250 has its events, in order; what was read once is read again with the same numbers.

use std::collections::BTreeMap;

use serde_json::Value;
use test_support::{Relay, Sink};

use crate::{kinds, listed, relay_to, seq};

const ROUNDS: u32 = 8;

/// Submits messages to one recipient each, until the relay is killed in the middle; returns the
/// transactions that got a 250.
fn submit_and_die(relay: &mut Relay, round: u32, messages: u32) -> Vec<String> {
    let mut accepted = Vec::new();
    let mut client = relay.client("submission").authenticated("user", "secret");
    for number in 0..messages {
        let message = format!(
            "From: Ann <ann@desk.example>\r\nMessage-ID: <{round}.{number}@desk.example>\r\n\
             X-Gatepost-Metadata: {round}.{number}\r\n\r\nHello!\r\n"
        );
        let to = format!("{round}.{number}@b.example");
        let reply = client.deliver("ann@desk.example", &[&to], message.as_bytes());
        accepted.push(reply.unwrap().transaction());
    }
    relay.kill();
    accepted
}

/// Reads all events by pages.
fn all(relay: &Relay) -> Vec<Value> {
    listed(relay, &["--limit", "100000"])
}

#[test]
fn a_kill_loses_no_event_and_changes_no_number() {
    let sink = Sink::start();
    let mut relay = relay_to(&sink).start();
    let mut accepted = Vec::new();
    let mut read: BTreeMap<u64, Value> = BTreeMap::new();
    for round in 1..=ROUNDS {
        // What the reader has seen now must never change.
        if round % 2 == 0 {
            read.extend(all(&relay).into_iter().map(|event| (seq(&event), event)));
        }
        accepted.extend(submit_and_die(&mut relay, round, 5 + 3 * round));
        relay.restart();
    }
    let events = relay.eventually("all is delivered", |relay| {
        let events = all(relay);
        let is_delivered = |id: &String| {
            let mut of = events.iter().filter(|event| event["transaction"] == **id);
            of.any(|event| event["kind"] == "delivered")
        };
        accepted.iter().all(is_delivered).then_some(events)
    });
    assert!(events.is_sorted_by(|one, next| seq(one) < seq(next)));
    let numbered: BTreeMap<_, _> = events.iter().map(|event| (seq(event), event)).collect();
    for (seq, event) in &read {
        assert_eq!(numbered.get(seq), Some(&event), "event {seq}");
    }
    for id in &accepted {
        let of: Vec<_> = events
            .iter()
            .filter(|event| event["transaction"] == **id)
            .cloned()
            .collect();
        let kinds = kinds(&of);
        assert_eq!(kinds.first(), Some(&"queued"), "{kinds:?}");
        assert_eq!(
            kinds.iter().filter(|kind| **kind == "queued").count(),
            1,
            "{kinds:?}"
        );
        assert!(of.iter().all(|event| event["metadata"].is_string()));
    }
}
