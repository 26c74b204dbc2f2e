//! Intake: small messages go to the database, large ones to a file, and bad ones fail alone.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod common;

use std::{io::Write, path::Path};

use bytes::Bytes;
use common::*;
use gatepost_message::TransactionId;
use gatepost_spool::*;

/// Makes a message of `length` octets after its header section.
fn raw(length: usize) -> Vec<u8> {
    let mut raw = b"Subject: large\r\nX-Long: y\r\n\r\n".to_vec();
    raw.extend((0..length).map(|position| b'a' + (position % 26) as u8));
    raw
}

fn stage_raw(spool: &SqliteSpool, id: TransactionId, raw: &[u8], chunk: usize) -> Staged {
    let mut staging = stage(spool, id);
    for piece in raw.chunks(chunk) {
        staging.write_all(piece).unwrap();
    }
    assert_eq!(staging.len(), raw.len() as u64);
    staging.finish().unwrap()
}

fn accept_staged(spool: &SqliteSpool, id: TransactionId, staged: Staged) {
    let mut new = message(id, &["bob@a.example"]);
    new.head = staged.head;
    new.body = staged.body;
    accept(spool, new);
}

#[test]
fn a_small_message_stays_out_of_the_file_system() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let raw = raw(1000);
    let staged = stage_raw(&spool, TransactionId::new(), &raw, 100);
    assert!(matches!(staged.body, NewBody::Inline(_)));
    assert_eq!(staged.head, &raw[..raw.len() - 1000]);
    assert_eq!(octets(&staged.message()), raw);
    assert!(bodies(directory.path()).is_empty());
}

#[test]
fn a_large_message_has_a_file_until_it_is_delivered() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    for chunk in [7001, 64 << 10, 3 << 20] {
        let id = TransactionId::new();
        let raw = raw(2 << 20);
        let staged = stage_raw(&spool, id, &raw, chunk);
        assert!(matches!(staged.body, NewBody::Staged(_)));
        assert_eq!(octets(&staged.message()), raw);
        accept_staged(&spool, id, staged);

        drop(spool);
        spool = open(directory.path());
        assert_eq!(bodies(directory.path()), [id.to_string()]);
        let claim = claim_one(&spool, START);
        assert_eq!(octets(&claim.message), raw);
        let mut tail = [0; 10];
        let last = claim.message.body().len() - 4;
        assert_eq!(claim.message.body().read_at(last, &mut tail).unwrap(), 4);
        assert_eq!(tail[..4], raw[raw.len() - 4..]);
        wait(spool.record(report(&claim, &delivered()))).unwrap();
        // A later operation: the file of the one before is removed by then.
        wait(spool.quarantine_expire(START)).unwrap();
        assert!(bodies(directory.path()).is_empty());
    }
}

#[test]
fn policies_edit_the_head_of_a_large_message_and_its_body_stays() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = TransactionId::new();
    let mut staged = stage_raw(&spool, id, &raw(400_000), 5000);
    staged.head = Bytes::from_static(b"Subject: a much longer header section than before\r\n\r\n");
    let expected = octets(&staged.message());
    accept_staged(&spool, id, staged);
    assert_eq!(octets(&claim_one(&spool, START).message), expected);
}

#[test]
fn an_abandoned_staging_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let mut staging = stage(&spool, TransactionId::new());
    staging.write_all(&raw(300_000)).unwrap();
    assert_eq!(bodies(directory.path()).len(), 1);
    drop(staging);
    assert!(bodies(directory.path()).is_empty());

    let staged = stage_raw(&spool, TransactionId::new(), &raw(300_000), 5000);
    let seen_by_policy = staged.message();
    drop(staged);
    assert_eq!(
        octets(&seen_by_policy),
        raw(300_000),
        "whoever still reads it can"
    );
    drop(seen_by_policy);
    assert!(bodies(directory.path()).is_empty());
}

#[test]
fn the_file_of_a_refused_message_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let staged = stage_raw(&spool, id, &raw(300_000), 5000);
    let mut twice = message(id, &["bob@a.example"]);
    twice.body = staged.body;
    let error = wait(spool.accept(twice)).unwrap_err();
    assert!(matches!(error, SpoolError::Duplicate(_)), "{error}");
    claim_one(&spool, START);
    assert!(bodies(directory.path()).is_empty());
}

#[test]
fn a_body_staged_for_another_transaction_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let staged = stage_raw(&spool, TransactionId::new(), &raw(300_000), 5000);
    let mut other = message(TransactionId::new(), &["bob@a.example"]);
    other.body = staged.body;
    let error = wait(spool.accept(other)).unwrap_err();
    assert!(matches!(error, SpoolError::OtherBody { .. }), "{error}");
    assert!(list(&spool).is_empty());
}

#[test]
fn orphans_are_removed_at_open_and_bodies_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = TransactionId::new();
    let staged = stage_raw(&spool, id, &raw(300_000), 5000);
    accept_staged(&spool, id, staged);
    let in_flight = stage_raw(&spool, TransactionId::new(), &raw(300_000), 5000);
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

#[test]
fn an_operation_runs_though_its_ticket_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    for _ in 0..10 {
        drop(spool.accept(message(TransactionId::new(), &["bob@a.example"])));
    }
    drop(spool);
    assert_eq!(list(&open(directory.path())).len(), 10);
}
