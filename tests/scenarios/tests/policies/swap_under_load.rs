//! Fifty swaps while eight clients send: no session is dropped, every message is answered and
//! delivered, and its record names one version of the policy, the one whose mark it carries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use test_support::{Client, Relay, Sink, hostile_file};

use crate::{Guest, status};

const SWAPS: usize = 50;
const CLIENTS: usize = 8;

#[test]
fn every_message_is_judged_by_exactly_one_version() {
    let sink = Sink::start();
    let relay = Guest::new("version_one").relay(&sink).start();
    let swapped = AtomicBool::new(false);
    let (sent, digests) = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (swapped, connection) = (&swapped, relay.client("mx"));
                scope.spawn(move || send_until(swapped, connection, client))
            })
            .collect();
        let digests = swap(&relay);
        swapped.store(true, Ordering::Release);
        let sent = clients
            .into_iter()
            .flat_map(|client| client.join().unwrap());
        (sent.collect::<BTreeMap<_, _>>(), digests)
    });

    let mut marks = BTreeMap::new();
    for _ in 0..sent.len() {
        let taken = sink.take();
        let twice = marks.insert(
            taken.header("X-Number").unwrap(),
            taken.header("X-Version").unwrap(),
        );
        assert_eq!(twice, None);
    }
    assert!(sent.keys().eq(marks.keys()), "what was sent has arrived");
    for (number, transaction) in &sent {
        let version = &digests[&marks[number]];
        assert_eq!(*version, judged_by(&relay, transaction), "{number}");
    }
    let used: BTreeSet<&String> = marks.values().collect();
    assert_eq!(used.len(), 2, "both versions have judged");
    println!("{} messages in {SWAPS} swaps", sent.len());
    relay.leaves_nothing(sink);
}

/// Sends one message after the other in one session, until the swaps are done; the transactions
/// by the number that each message carries.
fn send_until(done: &AtomicBool, mut client: Client, name: usize) -> Vec<(String, String)> {
    client.ehlo();
    let mut sent = Vec::new();
    while !done.load(Ordering::Acquire) {
        let number = format!("{name}-{}", sent.len());
        let message = format!("From: <ann@sender.example>\r\nX-Number: {number}\r\n\r\nHello!\r\n");
        let reply = client
            .deliver(
                "ann@sender.example",
                &["help@desk.example"],
                message.as_bytes(),
            )
            .unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        sent.push((number, reply.transaction()));
    }
    client.command("QUIT", 221);
    sent
}

/// Swaps to and fro; the digest of each version by the mark that it makes.
fn swap(relay: &Relay) -> BTreeMap<String, Value> {
    let mut digests = BTreeMap::from([("one".to_owned(), status(relay, "guest")["digest"].take())]);
    for number in 0..SWAPS {
        let version = ["two", "one"][number % 2];
        let file = hostile_file(&format!("version_{version}"));
        let swaps = relay.json(&[
            "policy",
            "activate",
            &file.to_string_lossy(),
            "--name",
            "guest",
        ]);
        let new = swaps[0]["new"].clone();
        assert_ne!(new, swaps[0]["old"]);
        let known = digests.entry(version.to_owned()).or_insert(new.clone());
        assert_eq!(*known, new);
    }
    digests
}

/// The one version of the policy that is on record of a transaction.
fn judged_by(relay: &Relay, transaction: &str) -> Value {
    let trace = json!({ "operation": "trace", "request": { "id": transaction } });
    let events = relay.ask(&trace);
    let events = events["answer"].as_array().unwrap().iter();
    let mut judgements = events
        .filter(|event| event["event"] == "judged")
        .map(|event| &event["judgement"]);
    let digest = judgements.next().unwrap()["digest"].clone();
    assert_eq!(judgements.next(), None, "{transaction}");
    digest
}
