//! Intake: files that belong to no message are removed, and a bad operation fails alone.

use crate::common;

use std::path::Path;

use common::*;
use gatepost_message::TransactionId;
use gatepost_spool::*;

/// Makes a message of `length` octets after its header section.
fn raw(length: usize) -> Vec<u8> {
    let mut raw = b"Subject: large\r\nX-Long: y\r\n\r\n".to_vec();
    raw.extend((0..length).map(|position| b'a' + (position % 26) as u8));
    raw
}

fn accept_staged(spool: &SqliteSpool, id: TransactionId, staged: Staged) {
    let mut new = message(id, &["bob@a.example"]);
    new.head = staged.head;
    new.body = staged.body;
    accept(spool, new);
}

#[test]
fn orphans_are_removed_at_open_and_bodies_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = TransactionId::new();
    let staged = store_conformance::support::stage(spool.bodies(), id, &raw(300_000), 5000);
    accept_staged(&spool, id, staged);
    let in_flight = store_conformance::support::stage(
        spool.bodies(),
        TransactionId::new(),
        &raw(300_000),
        5000,
    );
    drop(spool);
    // The process died: nothing was dropped.
    std::mem::forget(in_flight);
    std::fs::write(directory.path().join("incoming/junk"), "x").unwrap();
    assert_eq!(bodies(directory.path()).len(), 3);

    let spool = open(directory.path());
    let mut left = bodies(directory.path());
    left.sort();
    // Files that are not bodies are not removed.
    assert_eq!(left, [id.to_string(), "junk".to_owned()]);
    assert_eq!(
        octets(&claim_one(&spool, START).message).len(),
        29 + 300_000
    );
}

#[test]
fn one_bad_operation_of_a_batch_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let known = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));

    // While another process locks the database, everything handed in here gathers.
    let blocker = block(directory.path());
    let first = spool.accept(message(TransactionId::new(), &["bob@a.example"]));
    let tickets: Vec<_> = (0..50)
        .map(|number| {
            let id = if number % 10 == 3 {
                known
            } else {
                TransactionId::new()
            };
            (id, spool.accept(message(id, &["bob@a.example"])))
        })
        .collect();
    drop(blocker);

    wait(first).unwrap();
    for (id, ticket) in tickets {
        match wait(ticket) {
            Ok(()) => assert_ne!(id, known),
            Err(SpoolError::Duplicate(duplicate)) => assert_eq!((id, duplicate), (known, known)),
            Err(error) => panic!("{error}"),
        }
    }
    drop(spool);
    assert_eq!(list(&open(directory.path())).len(), 1 + 1 + 45);
}

/// Locks the database as another process that writes, until dropped.
fn block(directory: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(directory.join("spool.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}
