//! A store of which files are gone when a relay starts again: each loss is told, by the start and
//! by the doctor, and a store that was closed in order is silent.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::*;
use gatepost_files::Level;
use gatepost_message::TransactionId;
use gatepost_spool::*;
use rusqlite::Connection;

/// What may be gone without the database.
const FILES: [&str; 3] = ["journal", "journal.synced", "spool.db-wal"];

/// A store as `kill -9` leaves it, with a message that was held, which only the log of the database
/// knows.
struct Killed {
    root: tempfile::TempDir,
    held: TransactionId,
}

impl Killed {
    fn with_a_hold_in_the_log() -> Self {
        // What is in the log comes into the database after a moment: made again where that was
        // faster.
        let mut copies = (0..50).map(|_| Self::copied());
        let in_log = copies.find(|killed| {
            let log = fs::metadata(killed.store().join("spool.db-wal"));
            log.is_ok_and(|log| log.len() > 0)
        });
        in_log.expect("the machine is too slow for this test")
    }

    fn copied() -> Self {
        let root = tempfile::tempdir().unwrap();
        let live = root.path().join("live");
        let spool = open(&live);
        let held = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
        wait(spool.hold(Selection::message(held))).unwrap();
        let killed = Self { root, held };
        fs::create_dir_all(killed.store().join("incoming")).unwrap();
        for name in FILES.into_iter().chain(["spool.db"]) {
            fs::copy(live.join(name), killed.store().join(name)).unwrap();
        }
        killed
    }

    fn store(&self) -> PathBuf {
        self.root.path().join("killed")
    }

    fn is_held(&self, spool: &SqliteSpool) -> bool {
        let record = wait(spool.show(self.held)).unwrap();
        record.is_some_and(|record| {
            let state = &record.summary.recipients[0].state;
            *state == RecipientState::Held
        })
    }
}

fn is_told(spool: &SqliteSpool) -> bool {
    spool.damage().is_some() || spool.log_damage().is_some() || spool.mark_damage().is_some()
}

fn is_told_by_doctor(store: &Path) -> bool {
    let findings = inspect(store, false);
    findings.iter().any(|it| it.level == Level::Error)
}

#[test]
fn whichever_files_are_gone_the_loss_is_told_once() {
    for gone in 0..1 << FILES.len() {
        let killed = Killed::with_a_hold_in_the_log();
        let names = FILES.iter().enumerate();
        let names = names.filter(|(at, _)| gone & (1 << at) != 0);
        let names: Vec<_> = names.map(|(_, name)| *name).collect();
        for name in &names {
            fs::remove_file(killed.store().join(name)).unwrap();
        }
        let damaged = !names.is_empty();
        assert_eq!(is_told_by_doctor(&killed.store()), damaged, "{names:?}");
        let spool = open(&killed.store());
        assert_eq!(is_told(&spool), damaged, "{names:?}");
        let must_be_held = !names.contains(&"spool.db-wal");
        assert!(killed.is_held(&spool) || !must_be_held, "{names:?}");
        let mark = names
            .contains(&"journal.synced")
            .then_some(MarkDamage::Missing);
        assert_eq!(spool.mark_damage(), mark, "{names:?}");
        drop(spool);
        assert!(!is_told_by_doctor(&killed.store()), "{names:?}");
        assert!(!is_told(&open(&killed.store())), "{names:?}");
    }
}

#[test]
fn a_store_that_was_closed_in_order_is_silent_without_a_log() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(root.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    wait(spool.hold(Selection::message(id))).unwrap();
    drop(spool);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(root.path().join(format!("spool.db{suffix}")));
    }
    assert!(!is_told_by_doctor(root.path()));
    assert!(!is_told(&open(root.path())));
}

/// The file is never synced after it was made: the loss of power may leave it as it was then.
#[test]
fn a_mark_as_it_was_made_is_no_damage() {
    let root = tempfile::tempdir().unwrap();
    let (live, killed) = (root.path().join("live"), root.path().join("killed"));
    let spool = open(&live);
    let made = fs::read(live.join("journal.synced")).unwrap();
    let held = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    wait(spool.hold(Selection::message(held))).unwrap();
    fs::create_dir_all(killed.join("incoming")).unwrap();
    for name in FILES.into_iter().chain(["spool.db"]) {
        fs::copy(live.join(name), killed.join(name)).unwrap();
    }
    fs::write(killed.join("journal.synced"), made).unwrap();
    assert!(!is_told_by_doctor(&killed));
    assert!(!is_told(&open(&killed)));
}

#[test]
fn an_upgrade_looks_for_the_mark_of_the_version_before() {
    let killed = Killed::with_a_hold_in_the_log();
    let database = Connection::open(killed.store().join("spool.db")).unwrap();
    let back = "ALTER TABLE contents DROP COLUMN head_checksum; PRAGMA user_version = 6";
    database.execute_batch(back).unwrap();
    drop(database);
    fs::remove_file(killed.store().join("journal.synced")).unwrap();
    let spool = open(&killed.store());
    assert_eq!(spool.mark_damage(), Some(MarkDamage::Missing));
    assert!(killed.is_held(&spool));
}

#[test]
fn a_mark_that_is_garbled_or_cut_is_told() {
    let killed = Killed::with_a_hold_in_the_log();
    let path = killed.store().join("journal.synced");
    let mark = fs::read(&path).unwrap();
    for length in 0..mark.len() {
        fs::write(&path, &mark[..length]).unwrap();
        assert!(is_told_by_doctor(&killed.store()), "{length} octets");
    }
    for at in (0..28).chain(32..mark.len()) {
        let mut garbled = mark.clone();
        garbled[at] ^= 0x10;
        fs::write(&path, garbled).unwrap();
        assert!(is_told_by_doctor(&killed.store()), "octet {at}");
    }
    let spool = open(&killed.store());
    assert_eq!(spool.mark_damage(), Some(MarkDamage::Damaged));
}
