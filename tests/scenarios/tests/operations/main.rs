//! What people and monitors do with a relay: look at its queue and change it, ask what became of
//! a message, try messages out, watch it, stop it.
//!
//! Each file shows one thing. Most scenarios end with [`Relay::leaves_nothing`]: what has not been
//! looked at may not have arrived either.
#![allow(clippy::unwrap_used)]

mod acme {
    //! Certificates that the relay orders itself, from an authority of the tests' own.

    mod away;
    mod beside_files;
    mod first;
    mod refused_settings;
    mod renewed;

    use test_support::{Client, Relay};

    /// Returns the certificate that a client is shown which asks for this name.
    fn shown(relay: &Relay, name: &str) -> Vec<u8> {
        let mut client = Client::greeted(relay.address("mx"));
        client.ehlo();
        client.command("STARTTLS", 220);
        client.secure_as(name).unwrap();
        client.certificate().unwrap()
    }
}
mod bounce;
mod bounce_to_null_sender;
mod check_answers_as_live;
mod check_as_queued;
mod check_at_a_time;
mod check_loop;
mod check_stored_files;
mod config_check;
mod connection_commands;
mod connection_of_the_site;
mod core_dumps;
mod diagnosis;
mod directory_addresses;
mod directory_beside_accounts;
mod directory_credentials;
mod directory_postmaster;
mod directory_settings;
mod directory_stopped;
mod discard;
mod documented_metrics;
mod drain;
mod egress_addresses;
mod exposed_files;
mod hashed_addresses;
mod health;
mod init;
mod json_logs;
mod listed_by_cause;
mod mail_between_accounts;
mod metrics;
mod notices;
mod private_store;
mod quarantine;
mod quarantine_expiry;
mod queue_live;
mod queue_stopped;
mod reasons;
mod reload;
mod retry;
mod routes_by_direction;
mod scripted_next_hop;
mod second_relay;
mod service_manager;
mod spans;
mod starting;
mod stops_in_time;
mod strangers_words;
mod suppress_all;
mod suppress_some;
mod terminal;
mod trace;
mod trace_find;
mod wrong_kinds;

use std::path::{Path, PathBuf};

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Reply, Sink, hostile_file};

/// For scenarios that are about something else than the message.
const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

/// The chain of the usual relay's listeners.
const CHAIN: &str = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;

/// The usual relay, but with this example of `tests/guests` as its only policy, called `guest`.
/// What is added to its configuration comes behind the policy's own table.
fn judged_by(example: &str, sink: &Sink) -> RelayBuilder {
    RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["guest"]"#)
        .with(&format!(
            "[[policy]]\nname = \"guest\"\nfile = {:?}",
            hostile_file(example)
        ))
}

/// The usual relay without anybody who would take its mail: what it has accepted waits for an
/// hour after the first attempt.
fn without_next_hop(sink: &Sink) -> RelayBuilder {
    let port = format!("port = {}", sink.address().port());
    RelayBuilder::usual(sink.address())
        .replace(&port, "port = 1")
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
}

/// A configuration for commands that have nothing to do with policies; its file.
fn without_policies(directory: &Path) -> PathBuf {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    RelayBuilder::usual(nowhere)
        .replace(CHAIN, "chain = []")
        .write(directory)
}

/// Sends a message from ann@sender.example; the last reply.
fn send(relay: &Relay, to: &[&str], message: &[u8]) -> Reply {
    let mut client = relay.client("mx");
    client.ehlo();
    client.deliver("ann@sender.example", to, message).unwrap()
}

/// The same of a message that is accepted; its transaction.
fn accepted(relay: &Relay, to: &[&str], message: &[u8]) -> String {
    let reply = send(relay, to, message);
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// The recipients of a message of the queue, once each has had so many attempts and waits. In place of
/// a first attempt a recipient may wait behind a destination that does not answer.
fn waiting_after(relay: &Relay, attempts: u64, id: &str) -> Vec<Value> {
    relay.eventually("every recipient waits", |relay| {
        let mut shown = relay.json(&["queue", "show", id]);
        let recipients = shown[0]["recipients"].take();
        let recipients = recipients.as_array().unwrap();
        let behind = |r: &Value| attempts == 1 && !r["route"].is_null();
        let waits = |r: &Value| (r["attempts"] == attempts || behind(r)) && r["status"] != "leased";
        recipients.iter().all(waits).then(|| recipients.clone())
    })
}

/// One member of each object.
fn all<'a>(objects: &'a [Value], member: &str) -> Vec<&'a Value> {
    objects.iter().map(|object| &object[member]).collect()
}
