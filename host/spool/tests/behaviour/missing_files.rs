//! A store of which files are missing when a relay starts again: each loss is reported at start and
//! by `inspect`, and a store that was closed in order reports nothing.

use crate::common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::*;
use gatepost_files::Level;
use gatepost_message::TransactionId;
use gatepost_spool::*;
use rusqlite::Connection;

/// Files that may be missing beside the database.
const FILES: [&str; 3] = ["journal", "journal.synced", "spool.db-wal"];

/// A store as `kill -9` leaves it, with a held message that only the WAL of the database contains.
struct Killed {
    root: tempfile::TempDir,
    held: TransactionId,
}

impl Killed {
    fn with_a_hold_in_the_wal() -> Self {
        // The idle writer copies the WAL into the database after a moment; if it was faster, the
        // store is made again.
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

fn open_reports_it(spool: &SqliteSpool) -> bool {
    spool.damage().is_some() || spool.log_damage().is_some() || spool.mark_damage().is_some()
}

fn inspect_reports_it(store: &Path) -> bool {
    let findings = inspect(store, false);
    findings.iter().any(|it| it.level == Level::Error)
}

#[test]
fn the_loss_of_any_files_is_reported_once() {
    for gone in 0..1 << FILES.len() {
        let killed = Killed::with_a_hold_in_the_wal();
        let names = FILES.iter().enumerate();
        let names = names.filter(|(at, _)| gone & (1 << at) != 0);
        let names: Vec<_> = names.map(|(_, name)| *name).collect();
        for name in &names {
            fs::remove_file(killed.store().join(name)).unwrap();
        }
        let damaged = !names.is_empty();
        assert_eq!(inspect_reports_it(&killed.store()), damaged, "{names:?}");
        let spool = open(&killed.store());
        assert_eq!(open_reports_it(&spool), damaged, "{names:?}");
        let must_be_held = !names.contains(&"spool.db-wal");
        assert!(killed.is_held(&spool) || !must_be_held, "{names:?}");
        let mark = names
            .contains(&"journal.synced")
            .then_some(MarkDamage::Missing);
        assert_eq!(spool.mark_damage(), mark, "{names:?}");
        drop(spool);
        assert!(!inspect_reports_it(&killed.store()), "{names:?}");
        assert!(!open_reports_it(&open(&killed.store())), "{names:?}");
    }
}

#[test]
fn an_orderly_closed_store_without_a_wal_reports_nothing() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(root.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    wait(spool.hold(Selection::message(id))).unwrap();
    drop(spool);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(root.path().join(format!("spool.db{suffix}")));
    }
    assert!(!inspect_reports_it(root.path()));
    assert!(!open_reports_it(&open(root.path())));
}

/// The mark file is never synced after it was created: a loss of power may leave it as it was then.
#[test]
fn a_mark_as_it_was_created_is_no_damage() {
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
    assert!(!inspect_reports_it(&killed));
    assert!(!open_reports_it(&open(&killed)));
}

#[test]
fn an_upgrade_checks_the_mark_of_the_earlier_version() {
    let killed = Killed::with_a_hold_in_the_wal();
    let database = Connection::open(killed.store().join("spool.db")).unwrap();
    let back = format!(
        "{BACK_TO_SCHEMA_7} ALTER TABLE contents DROP COLUMN head_checksum; PRAGMA user_version = 6"
    );
    database.execute_batch(&back).unwrap();
    drop(database);
    fs::remove_file(killed.store().join("journal.synced")).unwrap();
    let spool = open(&killed.store());
    assert_eq!(spool.mark_damage(), Some(MarkDamage::Missing));
    assert!(killed.is_held(&spool));
}

#[test]
fn a_garbled_or_cut_mark_is_reported() {
    let killed = Killed::with_a_hold_in_the_wal();
    let path = killed.store().join("journal.synced");
    let mark = fs::read(&path).unwrap();
    for length in 0..mark.len() {
        fs::write(&path, &mark[..length]).unwrap();
        assert!(inspect_reports_it(&killed.store()), "{length} octets");
    }
    for at in (0..28).chain(32..mark.len()) {
        let mut garbled = mark.clone();
        garbled[at] ^= 0x10;
        fs::write(&path, garbled).unwrap();
        assert!(inspect_reports_it(&killed.store()), "octet {at}");
    }
    let spool = open(&killed.store());
    assert_eq!(spool.mark_damage(), Some(MarkDamage::Damaged));
}
