//! What was answered with 250 is kept, whatever happens.

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

use test_support::Relay;

/// Has a small message accepted.
fn accepted(relay: &Relay) {
    let message = b"From: Ann <ann@sender.example>\r\nSubject: hello\r\n\r\nHello!\r\n";
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["x@desk.example"], message);
    assert_eq!(reply.unwrap().code, 250);
}

/// Returns the exit code of `gatepost doctor`, and its output.
fn doctor(relay: &Relay) -> (i32, String) {
    let output = relay.command(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), said)
}
