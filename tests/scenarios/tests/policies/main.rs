//! Decisions in live traffic: what becomes of each fixture, and of the mail when policies are
//! replaced, fail, or mean harm.
//!
//! Each file shows one thing. The site's own policy in these scenarios is called `guest`
//! ([`Guest`]); its modules are the examples of `tests/guests`.
#![allow(clippy::unwrap_used)]

mod activation;
mod activation_survives;
mod begun_with_policy_new;
mod benched;
mod canary;
mod canary_routes;
mod canary_steps;
mod canary_through_crashes;
mod change_without_fear;
mod check;
mod checked_in_order;
mod circuit_breaker;
mod compared_on_record;
mod faults_of_a_message;
mod fixture_of_a_record;
mod fixture_of_each_hook;
mod fixtures_in_check;
mod fixtures_live;
mod fixtures_natively;
mod header_edits;
mod header_section;
mod headers_came_back;
mod hop_cases;
mod hostile_guests;
mod hostile_modules;
mod load_errors;
mod loaded_side_by_side;
mod marks;
mod on_error_of_each_hook;
mod own_from;
mod postmaster;
mod product;
mod protected_header;
mod recipients_refused;
mod reload_keeps_the_last_good;
mod reserved_fields;
mod rollback_after_a_canary;
mod rolled_back_by_threshold;
mod rollout_support;
mod routing_on_record;
mod shadow;
mod start_errors;
mod swap_under_load;
mod taken_mail;
mod tested_again_on_change;
mod tested_on_fixtures;
mod the_sandbox_decides;
mod told_as_a_story;
mod transaction_budget;
mod watched_folder;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use test_support::{Relay, RelayBuilder, Reply, Sink, hostile};

/// Every policy of the tests lets this pass.
const INNOCENT: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    To: help@desk.example\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

/// The hostile ones misbehave on this.
const ATTACK: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    To: help@desk.example\r\n\
    Subject: hello\r\n\
    X-Attack: now\r\n\
    \r\n\
    Hello!\r\n";

/// The chain of the usual relay's listeners.
const CHAIN: &str = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;

/// A policy of the site's own: a file that can be replaced while the relay runs.
struct Guest(TempDir);

impl Guest {
    /// The module is an example of `tests/guests`.
    fn new(example: &str) -> Self {
        let guest = Self(tempfile::tempdir().unwrap());
        guest.becomes(hostile(example));
        guest
    }

    /// Puts another module in the file's place.
    fn becomes(&self, module: Vec<u8>) {
        let new = self.0.path().join("new");
        fs::write(&new, module).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("guest.wasm")
    }

    /// A relay whose mail this policy alone judges. What is added to its configuration with
    /// [`RelayBuilder::with`] comes behind the policy's own table.
    fn relay(&self, sink: &Sink) -> RelayBuilder {
        RelayBuilder::usual(sink.address())
            .replace(CHAIN, r#"chain = ["guest"]"#)
            .with("[http]\naddress = \"127.0.0.1:0\"")
            .with(&format!(
                "[[policy]]\nname = \"guest\"\nfile = {:?}",
                self.file()
            ))
    }
}

/// Sends a message from the world to help@desk.example; the last reply.
fn send(relay: &Relay, message: &[u8]) -> Reply {
    send_to(relay, "mx", message)
}

/// The same over another listener.
fn send_to(relay: &Relay, listener: &str, message: &[u8]) -> Reply {
    let mut client = relay.client(listener);
    client.ehlo();
    client
        .deliver("ann@sender.example", &["help@desk.example"], message)
        .unwrap()
}

/// Sends a message as a client of another network would, behind a trusted proxy; the last reply.
fn send_from(relay: &Relay, network: usize, to: &str, message: &[u8]) -> Reply {
    let mut client = relay.client("mx");
    client.ehlo();
    client.command(&format!("XCLIENT ADDR=198.51.{network}.7"), 220);
    client.ehlo();
    client
        .deliver("ann@sender.example", &[to], message)
        .unwrap()
}

/// An attack that no other has been like.
fn another_attack(number: usize) -> Vec<u8> {
    let attack = String::from_utf8_lossy(ATTACK);
    attack
        .replace("X-Attack: now", &format!("X-Attack: {number}"))
        .into_bytes()
}

/// A relay of two accounts, `acme` and `other`, whose listeners take other clients' addresses from
/// a proxy on this machine.
fn behind_a_proxy(builder: RelayBuilder) -> RelayBuilder {
    builder
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nxclient-from = [\"127.0.0.0/8\"]",
        )
        .with("[[account]]\nid = \"other\"\ndomains = [\"other.example\"]")
}

/// The policy's line in `gatepost policy list`.
fn status(relay: &Relay, policy: &str) -> Value {
    let mut policies = relay.json(&["policy", "list"]);
    policies.retain(|status| status["policy"] == policy);
    assert_eq!(policies.len(), 1, "{policies:?}");
    policies.remove(0)
}

/// A message without the trace field that the relay has put on top, and the reasons above it.
fn without_trace_field(message: &[u8]) -> &[u8] {
    let message = match message.starts_with(b"X-Gatepost-Reasons: ") {
        true => without_first_field(message),
        false => message,
    };
    assert!(message.starts_with(b"Received: from "));
    without_first_field(message)
}

fn without_first_field(message: &[u8]) -> &[u8] {
    let mut lines = message.split_inclusive(|octet| *octet == b'\n');
    let mut end = lines.next().unwrap().len();
    for line in lines.take_while(|line| line.starts_with(b"\t") || line.starts_with(b" ")) {
        end += line.len();
    }
    &message[end..]
}
