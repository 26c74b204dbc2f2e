//! Bounds of what policies have remembered, in the database and with another setting.

use crate::common;

use std::path::Path;

use common::*;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::Effect;
use gatepost_spool::*;

fn scope(policy: &str, account: Option<&str>) -> Scope {
    Scope {
        policy: policy.into(),
        account: account.map(Into::into),
    }
}

/// Accepts a message of that time with that effect.
fn apply(spool: &SqliteSpool, scope: &Scope, at: Millis, effect: Effect) {
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.transaction.time = at;
    new.effects.push((scope.clone(), effect));
    accept(spool, new);
}

fn mark(key: &str, seconds: u32) -> Effect {
    Effect::MarkSeen {
        key: key.into(),
        seconds,
    }
}

fn count(key: &str, amount: u32) -> Effect {
    Effect::Count {
        key: key.into(),
        amount,
    }
}

/// Returns the number of an account's rows in a table of a closed store.
fn rows(directory: &Path, table: &str, account: &str) -> usize {
    let database = rusqlite::Connection::open(directory.join("spool.db")).unwrap();
    let count = format!("SELECT count(DISTINCT key) FROM {table} WHERE account = ?1");
    let count = database.query_row(&count, [account], |row| row.get::<_, i64>(0));
    usize::try_from(count.unwrap()).unwrap()
}

fn open_with(directory: &Path, remembered_bytes: usize) -> SqliteSpool {
    SqliteSpool::open(SpoolSettings {
        remembered_bytes,
        ..settings(directory)
    })
    .unwrap()
}

#[test]
fn entries_of_each_account_are_bounded_in_memory_and_on_disk() {
    const BOUND: usize = 64 << 10;
    let directory = tempfile::tempdir().unwrap();
    let (flooded, quiet) = (scope("p", Some("flooded")), scope("p", Some("quiet")));
    let spool = open_with(directory.path(), BOUND);
    apply(&spool, &quiet, START, mark("theirs", 1));
    apply(&spool, &quiet, START, count("theirs", 1));
    apply(&spool, &flooded, START, count("a loop", 9));
    for hundred in 0..20 {
        let mut new = message(TransactionId::new(), &["bob@a.example"]);
        new.effects = (0..100)
            .flat_map(|n| {
                let number = hundred * 100 + n;
                let key = format!("stranger {number}");
                [mark(&key, 60 + number), count(&key, 1)]
            })
            .map(|effect| (flooded.clone(), effect))
            .collect();
        accept(&spool, new);
    }
    let within = |spool: &SqliteSpool, bound: usize| {
        let remembered = spool.remembered();
        for of in [remembered.marks, remembered.counts] {
            assert!(of.octets <= bound + 1000, "{remembered:?}");
            assert!(of.entries > 50, "{remembered:?}");
        }
        assert!(spool.seen(&flooded, "stranger 1999", START));
        assert!(!spool.seen(&flooded, "stranger 0", START));
        assert_eq!(spool.counted(&flooded, "a loop", 60, START), 9);
        assert_eq!(spool.counted(&flooded, "stranger 0", 60, START), 0);
        assert!(spool.seen(&quiet, "theirs", START));
        assert_eq!(spool.counted(&quiet, "theirs", 60, START), 1);
    };
    within(&spool, BOUND);
    drop(spool);
    for table in ["marks", "counts"] {
        let kept = rows(directory.path(), table, "flooded");
        assert!(kept < BOUND / 160, "{kept} {table} in the database");
    }
    // An earlier version, or another setting, may have left more than that.
    let lower = BOUND / 4;
    within(&open_with(directory.path(), lower), lower);
    for table in ["marks", "counts"] {
        let kept = rows(directory.path(), table, "flooded");
        assert!(kept < lower / 160, "{kept} {table} in the database");
        assert_eq!(rows(directory.path(), table, "quiet"), 1);
    }
}

#[test]
fn a_reader_that_changes_nothing_finds_what_a_closed_store_remembers() {
    let directory = tempfile::tempdir().unwrap();
    assert!(
        !read_memory(directory.path())
            .unwrap()
            .seen(&scope("p", None), "seen", START)
    );
    let of = scope("p", Some("acme"));
    let spool = open_with(directory.path(), 64 << 10);
    apply(&spool, &of, START, mark("seen", 60));
    apply(&spool, &of, START, count("counted", 3));
    apply(&spool, &of, START, count("counted", 4));
    drop(spool);
    let memory = read_memory(directory.path()).unwrap();
    assert!(memory.seen(&of, "seen", START));
    assert_eq!(memory.counted(&of, "counted", 60, START), 7);
    assert_eq!(
        memory.counted(&scope("p", Some("other")), "counted", 60, START),
        0
    );
}
