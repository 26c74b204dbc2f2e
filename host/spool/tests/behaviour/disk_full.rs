//! A full disk stops intake, loses nothing, and intake resumes when there is room again.
//!
//! Needs a small file system of its own, which only root may mount.

use crate::common;

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use bytes::Bytes;
use common::*;
use gatepost_message::TransactionId;
use gatepost_spool::*;

/// A file system of 24 MiB in memory, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(directory.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(directory)),
            _ => {
                // Written past the test harness, which would capture it.
                let _ = writeln!(
                    std::io::stderr(),
                    "SKIPPED: the spool on a full disk: a tmpfs cannot be mounted here"
                );
                None
            }
        }
    }

    fn spool(&self) -> PathBuf {
        self.0.path().join("spool")
    }

    /// Fills the disk up to `rest` bytes.
    fn fill_up_to(&self, rest: usize) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[b'x'; 4096]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(rest as u64)).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .status();
    }
}

fn with_watermark(directory: &Path, min_free_bytes: u64) -> SqliteSpool {
    let no_fatal = Fatal::new(|what| panic!("a full disk is not fatal: {what}"));
    let settings = SpoolSettings {
        min_free_bytes,
        max_log_bytes: 1 << 20,
        fatal: no_fatal,
        ..settings(directory)
    };
    SqliteSpool::open(settings).unwrap()
}

fn sizeable() -> NewMessage {
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.body = NewBody::Inline(Bytes::from(vec![b'x'; 100_000]));
    new
}

/// Makes a message that takes more space than is reserved for it, so that only SQLite notices that
/// it does not fit.
fn message_larger_than_reserved() -> NewMessage {
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.tags = vec!["x".repeat(8 << 20)];
    new
}

/// Accepts messages until the disk is full; returns their ids.
fn accept_until_full(spool: &SqliteSpool) -> Vec<TransactionId> {
    let mut accepted = Vec::new();
    loop {
        let new = sizeable();
        let id = new.transaction.id;
        match wait(spool.accept(new)) {
            Ok(()) => accepted.push(id),
            Err(SpoolError::Full { free, needed }) => {
                assert!(free < needed);
                return accepted;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(accepted.len() < 1000, "24 MiB hold no more");
    }
}

fn ids(spool: &SqliteSpool) -> Vec<TransactionId> {
    let all = Filter {
        limit: 10_000,
        ..Filter::default()
    };
    wait(spool.list(all))
        .unwrap()
        .iter()
        .map(|summary| summary.id)
        .collect()
}

/// Tries for up to ten seconds.
fn eventually(what: &str, mut happens: impl FnMut() -> bool) {
    for _ in 0..200 {
        if happens() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} within ten seconds");
}

#[test]
fn intake_stops_below_the_watermark_while_deliveries_are_recorded() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let spool = with_watermark(&disk.spool(), 4 << 20);
    spool.room().unwrap();
    let mut accepted = accept_until_full(&spool);
    assert!(!accepted.is_empty());

    // Another program takes most of the space that is left.
    let filler = disk.fill_up_to(2 << 20);
    eventually("intake stops", || spool.room().is_err());
    let stage = Staging::begin(spool.bodies(), TransactionId::new());
    assert!(matches!(stage, Err(SpoolError::Full { .. })));

    let claims = wait(spool.claim(Owner::new(), START, 20, LEASE)).unwrap();
    assert_eq!(claims.len(), 20);
    for claim in &claims {
        assert_eq!(octets(&claim.message).len(), 100_018);
        let recorded = wait(spool.record(report(claim, &delivered()))).unwrap();
        assert!(recorded.finished);
    }
    accepted.drain(..20);
    assert_eq!(ids(&spool), accepted);

    fs::remove_file(filler).unwrap();
    eventually("intake goes on", || {
        let new = sizeable();
        let id = new.transaction.id;
        let taken = wait(spool.accept(new)).is_ok();
        accepted.extend(taken.then_some(id));
        taken
    });
    drop(spool);
    assert_eq!(ids(&with_watermark(&disk.spool(), 4 << 20)), accepted);
}

#[test]
fn delivering_a_queue_that_filled_the_disk_makes_room() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let spool = with_watermark(&disk.spool(), 8 << 20);
    for _ in 0..3 {
        let accepted = accept_until_full(&spool);
        assert!(accepted.len() > 40, "{}", accepted.len());
        for claim in claim(&spool, START).iter().chain(&claim(&spool, START)) {
            wait(spool.record(report(claim, &delivered()))).unwrap();
        }
        assert!(list(&spool).is_empty());
        eventually("intake goes on", || spool.room().is_ok());
    }
}

#[test]
fn a_disk_full_to_the_last_byte_loses_no_accepted_message() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    // Without a watermark, SQLite itself runs out of space in the middle of a batch.
    let spool = with_watermark(&disk.spool(), 0);
    let [ballast, others] = ["ballast", "others"].map(|name| disk.0.path().join(name));
    fs::write(&ballast, vec![b'x'; 3 << 20]).unwrap();
    fs::write(&others, vec![b'x'; 8 << 20]).unwrap();
    let mut accepted = accept_until_full(&spool);
    disk.fill_up_to(0);
    // The idle spool has tried in vain to copy its WAL into the database.
    std::thread::sleep(Duration::from_millis(500));

    // With a little space again, operations that finish mail succeed though intake of the same
    // batch does not.
    fs::remove_file(ballast).unwrap();
    let database = rusqlite::Connection::open(disk.spool().join("spool.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    // However these gather into batches, one of them must finish mail without its intake.
    let first = spool.hold(Selection::message(TransactionId::new()));
    let tickets: Vec<_> = (0..5)
        .map(|_| spool.accept(message_larger_than_reserved()))
        .collect();
    let claim = spool.claim(Owner::new(), START, 1, LEASE);
    drop(database);
    wait(first).unwrap();
    for ticket in tickets {
        let refused = wait(ticket);
        assert!(
            matches!(refused, Err(SpoolError::Full { .. })),
            "{refused:?}"
        );
    }
    let claims = wait(claim).unwrap();
    assert_eq!(claims[0].transaction.id, accepted[0]);

    fs::remove_file(others).unwrap();
    let recorded = wait(spool.record(report(&claims[0], &delivered()))).unwrap();
    assert!(recorded.finished);
    accepted.remove(0);
    drop(spool);
    let spool = with_watermark(&disk.spool(), 0);
    assert_eq!(ids(&spool), accepted);
    for claim in wait(spool.claim(Owner::new(), START, 10_000, LEASE)).unwrap() {
        assert_eq!(octets(&claim.message).len(), 100_018);
        let recorded = wait(spool.record(report(&claim, &delivered()))).unwrap();
        assert!(recorded.finished);
    }
    accept(&spool, sizeable());
}

#[test]
fn a_large_message_that_does_not_fit_is_refused_and_removed() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let spool = with_watermark(&disk.spool(), 4 << 20);
    let mut staging = stage(&spool, TransactionId::new());
    let error = (0..24 << 4)
        .find_map(|_| staging.write_all(&[b'x'; 64 << 10]).err())
        .expect("24 MiB do not fit");
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    drop(staging);
    assert!(bodies(&disk.spool()).is_empty());
    accept(&spool, sizeable());
}
