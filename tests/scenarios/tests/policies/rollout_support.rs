//! Support of the scenarios on rollouts.

use serde_json::Value;
use test_support::{Relay, Reply, Sink, hostile_file};

/// Tries the candidate for the policy `guest`, with these options; returns the rollout.
pub fn tried(relay: &Relay, options: &[&str]) -> Value {
    let file = hostile_file("candidate");
    let file = file.to_string_lossy();
    let arguments = ["policy", "activate", &file, "--name", "guest"];
    relay.json(&[&arguments[..], options].concat()).remove(0)
}

/// A message on which the candidate behaves like this.
pub fn with_behaviour(behaviour: &str) -> Vec<u8> {
    format!(
        "From: Ann <ann@sender.example>\r\nTo: help@desk.example\r\nSubject: hello\r\n\
         X-Candidate: {behaviour}\r\n\r\nHello!\r\n"
    )
    .into_bytes()
}

/// Sends a message of one of many correspondents; returns the last reply, and the version that has
/// marked the message if it was delivered.
pub fn sent(
    relay: &Relay,
    sink: &Sink,
    correspondent: usize,
    message: &[u8],
) -> (Reply, Option<String>) {
    let mut client = relay.client("mx");
    client.ehlo();
    let from = format!("ann{correspondent}@sender.example");
    let reply = client
        .deliver(&from, &["help@desk.example"], message)
        .unwrap();
    let version = match reply.code {
        250 => sink.take().header("X-Version"),
        _ => None,
    };
    (reply, version)
}

/// Returns the policy `guest` with its rollout.
pub fn details(relay: &Relay) -> Value {
    relay.json(&["policy", "status", "guest"]).remove(0)
}

/// Returns the texts of the events about policies, oldest first.
pub fn told(relay: &Relay) -> Vec<String> {
    let events = relay.json(&["events"]).into_iter();
    let of_policies = events.filter(|event| event["subject"] == "policy");
    let texts = of_policies.map(|event| event["text"].as_str().unwrap().to_owned());
    texts.collect()
}

/// Kills the relay as a crash does, and starts it again. What was delivered is on record before, so that
/// nothing comes twice.
pub fn crashes(relay: &mut Relay) {
    relay.eventually("the queue is empty", |relay| {
        let queue = relay.json(&["queue", "list", "--messages"]);
        queue.is_empty().then_some(())
    });
    relay.kill();
    relay.restart();
}
