//! Marks, counts and machines that policies asked to remember.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod common;

use std::{path::Path, time::Duration};

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

#[test]
fn marks_are_seen_by_their_scope_until_they_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let mine = scope("loop-guard", Some("acme"));
    apply(&spool, &mine, START, mark("x", 60));
    // A shorter mark does not shorten a longer one.
    apply(&spool, &mine, START, mark("x", 10));
    let end = START + minutes(1);
    for _ in 0..2 {
        assert!(spool.seen(&mine, "x", START));
        assert!(spool.seen(&mine, "x", end - Duration::from_millis(1)));
        assert!(!spool.seen(&mine, "x", end));
        assert!(!spool.seen(&mine, "y", START));
        assert!(!spool.seen(&scope("loop-guard", None), "x", START));
        assert!(!spool.seen(&scope("other", Some("acme")), "x", START));
        drop(spool);
        spool = open(directory.path());
    }
    apply(&spool, &mine, end, mark("x", 60));
    assert!(spool.seen(&mine, "x", end));
}

#[test]
fn counts_are_of_a_window_by_the_minute() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let mine = scope("partner-guard", None);
    // On the minute, so that the edges of buckets are known.
    let start = Millis(START.0 / 60_000 * 60_000);
    apply(&spool, &mine, start, count("k", 2));
    apply(
        &spool,
        &mine,
        start + Duration::from_secs(59),
        count("k", 3),
    );
    apply(&spool, &mine, start + minutes(10), count("k", 5));
    for _ in 0..2 {
        let counted = |seconds, after| spool.counted(&mine, "k", seconds, start + minutes(after));
        assert_eq!(counted(0, 0), 5);
        assert_eq!(counted(60, 10), 5);
        assert_eq!(counted(600, 10), 10);
        assert_eq!(counted(600, 11), 5);
        assert_eq!(counted(600, 21), 0);
        // No window is longer than a day, and nothing is counted before it happened.
        assert_eq!(counted(u32::MAX, 24 * 60), 10);
        assert_eq!(counted(u32::MAX, 24 * 60 + 1), 5);
        assert_eq!(spool.counted(&mine, "k", 600, start - minutes(1)), 0);
        assert_eq!(
            spool.counted(&scope("partner-guard", Some("a")), "k", 600, start),
            0
        );
        drop(spool);
        spool = open(directory.path());
    }
}

#[test]
fn expired_entries_are_dropped_from_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let mine = scope("p", Some("acme"));
    apply(&spool, &mine, START, mark("short", 60));
    apply(&spool, &mine, START, mark("long", 7200));
    apply(&spool, &mine, START, count("old", 1));
    apply(&spool, &mine, START + minutes(120), count("new", 1));

    assert_eq!(wait(spool.expire(START)).unwrap().entries, 0);
    assert_eq!(wait(spool.expire(START + minutes(1))).unwrap().entries, 1);
    assert!(
        !spool.seen(&mine, "short", START),
        "gone, whatever time is asked for"
    );
    assert!(spool.seen(&mine, "long", START));
    let a_day_later = START + minutes(24 * 60 + 2);
    assert_eq!(wait(spool.expire(a_day_later)).unwrap().entries, 2);
    drop(spool);

    let spool = open(directory.path());
    assert!(!spool.seen(&mine, "long", START));
    assert_eq!(spool.counted(&mine, "old", 60, START), 0);
    assert_eq!(spool.counted(&mine, "new", 60, START + minutes(120)), 1);
}

#[test]
fn expire_says_when_there_is_more() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let mine = scope("p", None);
    let mut many = message(TransactionId::new(), &["bob@a.example"]);
    many.effects = (0..1500)
        .map(|n| (mine.clone(), mark(&n.to_string(), 60)))
        .collect();
    accept(&spool, many);

    let later = START + minutes(2);
    let mut dropped = 0;
    let mut calls = 0;
    loop {
        let expired = wait(spool.expire(later)).unwrap();
        dropped += expired.entries;
        calls += 1;
        if !expired.more {
            break;
        }
    }
    assert_eq!((dropped, calls), (1500, 2));
}

#[test]
fn a_refused_message_has_no_effects() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let mine = scope("p", None);
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let mut twice = message(id, &["bob@a.example"]);
    twice.effects = vec![(mine.clone(), mark("x", 60)), (mine.clone(), count("k", 1))];
    wait(spool.accept(twice)).unwrap_err();
    let nothing = |spool: &SqliteSpool| {
        !spool.seen(&mine, "x", START) && spool.counted(&mine, "k", 60, START) == 0
    };
    assert!(nothing(&spool));
    drop(spool);
    assert!(nothing(&open(directory.path())));
}

#[test]
fn a_forgotten_count_begins_at_zero() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let mine = scope("loop-guard", Some("acme"));
    let forget = Effect::ForgetCount { key: "k".into() };
    apply(&spool, &mine, START, count("k", 5));
    apply(&spool, &mine, START, count("other", 7));
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.transaction.time = START + minutes(1);
    new.effects = vec![
        (mine.clone(), count("k", 9)),
        (mine.clone(), forget),
        (mine.clone(), count("k", 1)),
    ];
    accept(&spool, new);
    for _ in 0..2 {
        assert_eq!(spool.counted(&mine, "k", 600, START + minutes(1)), 1);
        assert_eq!(spool.counted(&mine, "other", 600, START + minutes(1)), 7);
        drop(spool);
        spool = open(directory.path());
    }
}

#[test]
fn machines_are_known_until_forgotten_or_expired() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let mine = scope("loop-guard", Some("acme"));
    let machine = |address: &str, evidence: &str, seconds| Effect::RememberMachine {
        address: address.into(),
        evidence: evidence.into(),
        seconds,
    };
    let robot = "robot@a.example";
    apply(&spool, &mine, START, machine(robot, "cron", 600));
    apply(&spool, &mine, START, machine("other@a.example", "cron", 60));
    let later = START + minutes(5);
    apply(&spool, &mine, later, machine(robot, "a newer sign", 600));
    for _ in 0..2 {
        let known = spool.machine("acme", robot, later).unwrap();
        assert_eq!(known.evidence, "a newer sign");
        assert_eq!((known.since, known.until), (START, later + minutes(10)));
        assert_eq!(spool.machine("acme", robot, known.until), None);
        assert_eq!(spool.machine("beta", robot, later), None);
        let all = spool.machines(None, START);
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(spool.machines(Some("acme"), later).len(), 1);
        assert_eq!(spool.machines(Some("beta"), START).len(), 0);
        drop(spool);
        spool = open(directory.path());
    }
    // Expired machines are dropped, and the others are not.
    wait(spool.expire(later)).unwrap();
    assert_eq!(spool.machines(None, START).len(), 1);
    assert!(wait(spool.forget_machine("acme", robot, later)).unwrap());
    assert!(!wait(spool.forget_machine("acme", robot, later)).unwrap());
    // Known again, it is known since now.
    apply(&spool, &mine, later, machine(robot, "cron", 60));
    assert_eq!(spool.machine("acme", robot, later).unwrap().since, later);
    let forget = Effect::ForgetMachine {
        address: robot.into(),
    };
    apply(&spool, &mine, later, forget);
    for _ in 0..2 {
        assert_eq!(spool.machine("acme", robot, later), None);
        drop(spool);
        spool = open(directory.path());
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
fn an_evicted_entry_that_is_known_again_stays() {
    // Room for about ten marks.
    let directory = tempfile::tempdir().unwrap();
    let mine = scope("p", Some("acme"));
    let mut spool = open_with(directory.path(), 10 * 170);
    apply(&spool, &mine, START, mark("comes back", 1));
    for n in 0..20 {
        apply(&spool, &mine, START, mark(&format!("other {n:02}"), 60 + n));
    }
    assert!(!spool.seen(&mine, "comes back", START));
    apply(&spool, &mine, START, mark("comes back", 3600));
    for _ in 0..2 {
        assert!(spool.seen(&mine, "comes back", START));
        assert!(!spool.seen(&mine, "other 00", START));
        assert!(spool.seen(&mine, "other 19", START));
        drop(spool);
        spool = open_with(directory.path(), 10 * 170);
    }
}
