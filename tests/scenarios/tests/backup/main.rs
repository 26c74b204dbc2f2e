//! Backups of a relay that runs, and stores that are restored from them.

// In a test, an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod delivered_since;
mod keys;
mod refused;
mod stopped;
mod under_load;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use test_support::{Relay, RelayBuilder, run};

/// For scenarios that are about something else than the message.
const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\nSubject: hello\r\n\r\nHello!\r\n";

/// The usual relay without policies, whose mail goes there.
fn usual(next_hop: SocketAddr) -> RelayBuilder {
    let chain = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;
    RelayBuilder::usual(next_hop).replace(chain, "chain = []")
}

/// The usual relay with nobody at its next hop: what it has accepted waits for an hour.
fn without_next_hop() -> RelayBuilder {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    usual(nobody).replace("retry = [\"1s\"]", "retry = [\"1h\"]")
}

/// Has a message accepted; returns its transaction.
fn accepted(relay: &Relay, to: &str, message: &[u8]) -> String {
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client
        .deliver("ann@sender.example", &[to], message)
        .unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// Backs a relay up, running or not; returns the last line of the answer.
fn backed_up(relay: &Relay, to: &Path, arguments: &[&str]) -> Value {
    let to = to.to_string_lossy();
    let lines = relay.json(&[&["backup", &to], arguments].concat());
    lines.last().unwrap().clone()
}

/// Restores a backup to a store.
fn restore(from: &Path, store: &Path, arguments: &[&str]) -> Output {
    let (from, store) = (from.to_string_lossy(), store.to_string_lossy());
    run(&[&["restore", &from, "--store", &store, "--json"], arguments].concat())
}

/// Restores a backup, which must succeed; returns the store, then the messages that are held.
fn restored(from: &Path, store: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = restore(from, store, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Restores a backup, which must be refused; returns the reason on one line.
fn refused(from: &Path, store: &Path, arguments: &[&str]) -> String {
    let output = restore(from, store, arguments);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let words = errors.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}

/// Returns all files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}
