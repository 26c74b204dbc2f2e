//! The store's lock, its modes, and upgrades of earlier schemas.

use crate::common;

use std::{fs, os::unix::fs::PermissionsExt};

use common::*;
use gatepost_message::TransactionId;
use gatepost_model::{Event, NoticeSubject, SuppressionCause};
use gatepost_spool::*;
use rusqlite::Connection;

#[test]
fn a_store_in_use_is_refused_to_another_relay() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let error = SqliteSpool::open(settings(directory.path())).unwrap_err();
    assert!(
        matches!(&error, SpoolError::InUse(path) if path == directory.path()),
        "{error}"
    );
    accept(&first, message(TransactionId::new(), &["bob@a.example"]));
    drop(first);
    assert_eq!(list(&open(directory.path())).len(), 1);
}

#[test]
fn a_store_is_readable_by_its_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let store = parent.path().join("store");
    let _open = open(&store);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.clone()), 0o700);
    for database in ["spool.db", "spool.db-wal", "spool.db-shm"] {
        assert_eq!(mode(store.join(database)), 0o600, "{database}");
    }
}

#[test]
fn a_store_of_a_later_version_is_refused_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let path = directory.path().join("spool.db");
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 4711)
        .unwrap();
    let error = SqliteSpool::open(settings(directory.path())).unwrap_err();
    assert!(
        matches!(error, SpoolError::Newer { found: 4711, .. }),
        "{error}"
    );
}

/// Fixtures of each schema that a released version wrote, with rows as that version wrote them; the
/// test below fails when one is missing. A new migration adds its fixture here.
const EARLIER: &[&str] = &[
    include_str!("../stores/schema-1.sql"),
    include_str!("../stores/schema-2.sql"),
    include_str!("../stores/schema-3.sql"),
    include_str!("../stores/schema-4.sql"),
    include_str!("../stores/schema-5.sql"),
    include_str!("../stores/schema-6.sql"),
    include_str!("../stores/schema-7.sql"),
    include_str!("../stores/schema-8.sql"),
    include_str!("../stores/schema-9.sql"),
    include_str!("../stores/schema-10.sql"),
    include_str!("../stores/schema-11.sql"),
];

/// Checks that the ledgers are empty, or hold what the fixture holds.
fn ledgers_are_those_of_the_store(spool: &SqliteSpool, filled: bool, counts: bool) {
    let page = wait(spool.read(0, EventFilter::default(), 10)).unwrap();
    let seqs: Vec<_> = page.events.iter().map(|stored| stored.seq).collect();
    assert_eq!(seqs, if filled { vec![7] } else { vec![] });
    let notice = Event::notice(None, NoticeSubject::Dkim, "a key is lost".into(), START);
    let next = wait(spool.append(vec![notice])).unwrap();
    assert_eq!(next, if filled { 8 } else { 1 });
    let cursor = wait(spool.cursor("webhook")).unwrap();
    assert_eq!(cursor, filled.then_some(6));
    let found = wait(spool.find("acme", "gone@a.example")).unwrap();
    let cause = found.map(|entry| entry.cause);
    assert_eq!(cause, filled.then_some(SuppressionCause::HardBounce));
    let counting = SuppressionFilter {
        cause: Some(SuppressionCause::Counting),
        ..SuppressionFilter::default()
    };
    let counting = wait(spool.page(counting)).unwrap();
    let counted: Vec<_> = counting.iter().map(|entry| entry.count).collect();
    assert_eq!(counted, if counts { vec![2] } else { vec![] });
    let ours = wait(spool.ours_of("acme", "theirs@service.example")).unwrap();
    assert_eq!(ours.as_deref(), filled.then_some("ours@sender.example"));
}

/// Checks that the store holds an answer under a key, if the fixture does.
fn answers_are_those_of_the_store(spool: &SqliteSpool, filled: bool) {
    let found = wait(spool.answer_under("acme", "token", "order 4711")).unwrap();
    let answer = found.as_ref().map(|found| &*found.answer);
    let expected = r#"{"recipients":[["bob@a.example","delivered"]]}"#;
    assert_eq!(answer, filled.then_some(expected), "since schema 11");
    let first = found.map(|found| (found.request[1], found.at));
    assert_eq!(first, filled.then_some((0x11, START)));
}

#[test]
fn every_earlier_store_is_upgraded_with_its_mail() {
    for (number, fixture) in EARLIER.iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spool.db");
        let store = Connection::open(&path).unwrap();
        store.execute_batch(fixture).unwrap();
        store
            .pragma_update(None, "user_version", number as u32 + 1)
            .unwrap();
        drop(store);

        let spool = open(directory.path());
        let claim = claim_one(&spool, START);
        assert_eq!(octets(&claim.message), &b"Subject: old\r\n\r\nOld.\r\n"[..]);
        assert_eq!(claim.transaction.session.listener, "mx");
        let sender = match number >= 4 {
            true => SenderProof::Proved,
            false => SenderProof::Unproved,
        };
        assert_eq!(claim.sender, sender, "since schema 5");
        assert_eq!(claim.recipients[0].address.as_str(), "bob@a.example");
        assert_eq!(claim.recipients[0].last_reply.as_ref().unwrap().code(), 451);
        assert_eq!(claim.recipients[0].cause, ClaimCause::Due);
        let route = claim.recipients[0].route.as_ref();
        let destination = route.map(|route| route.destination.to_string());
        let expected = (number >= 7).then_some("connection:acme/office");
        assert_eq!(destination.as_deref(), expected, "since schema 8");
        let metadata = (number >= 8).then_some("ticket 4711");
        assert_eq!(claim.metadata.as_deref(), metadata, "since schema 9");
        ledgers_are_those_of_the_store(&spool, number >= 8, number >= 9);
        answers_are_those_of_the_store(&spool, number >= 10);
        let recorded = wait(spool.record(report(&claim, &delivered()))).unwrap();
        assert!(recorded.finished);
        let scope = Scope {
            policy: "loop-guard".into(),
            account: None,
        };
        assert!(spool.seen(&scope, "x", START));
        assert_eq!(spool.counted(&scope, "k", 60, START), 3);
        let machine = spool.machine("acme", "robot@a.example", START);
        assert_eq!(machine.is_some(), number >= 3, "since schema 4");
    }
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let present: u32 = Connection::open(directory.path().join("spool.db"))
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(present as usize, EARLIER.len(), "a schema has no fixture");
}
