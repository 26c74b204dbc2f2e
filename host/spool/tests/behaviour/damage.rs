//! A damaged store: its whole records are recovered, and losses are reported.

use crate::common;

use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
};

use common::*;
use gatepost_files::Level;
use gatepost_message::TransactionId;
use gatepost_spool::*;
use rusqlite::Connection;

/// Octets of a page of the journal; its first page identifies it.
const PAGE: usize = 4096;

/// Octets of a record's header.
const HEADER: usize = 48;

/// A store as `kill -9` leaves it, with these messages in its journal, each in a write of its own.
struct Killed {
    root: tempfile::TempDir,
    ids: Vec<TransactionId>,
}

impl Killed {
    fn with(count: usize) -> Self {
        // The idle writer checkpoints after a moment; if it was faster, the copy is made again.
        let copies = (0..50).map(|_| Self::copied(count));
        let mut copies = copies.filter(|killed| killed.rows() == 0);
        copies
            .next()
            .expect("the machine is too slow for this test")
    }

    fn copied(count: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let live = root.path().join("live");
        let spool = open(&live);
        spool.attach(Owner::new(), LEASE);
        let ids: Vec<_> = (0..count).map(|_| TransactionId::new()).collect();
        for id in &ids {
            accept(&spool, message(*id, &["bob@a.example"]));
        }
        let killed = Self { root, ids };
        copy(&live, &killed.store());
        assert_eq!(records(&killed.journal()).len(), count);
        killed
    }

    /// Returns the number of messages that were in the database when it was copied.
    fn rows(&self) -> u32 {
        let database = Connection::open(self.store().join("spool.db")).unwrap();
        let count = "SELECT count(*) FROM messages";
        database.query_row(count, [], |row| row.get(0)).unwrap()
    }

    fn store(&self) -> PathBuf {
        self.root.path().join("killed")
    }

    fn journal(&self) -> PathBuf {
        self.store().join("journal")
    }

    /// Overwrites octets of the journal.
    fn garble(&self, at: usize, octets: &[u8]) {
        let file = fs::File::options().write(true).open(self.journal());
        file.unwrap().write_all_at(octets, at as u64).unwrap();
    }

    /// Opens the store, which must have lost these messages and no others.
    fn loses(&self, lost: &[usize]) -> JournalDamage {
        let errors = |findings: Vec<gatepost_files::Finding>| {
            let errors = findings.into_iter().filter(|it| it.level == Level::Error);
            errors.collect::<Vec<_>>()
        };
        assert_ne!(
            errors(inspect(&self.store(), false)),
            [],
            "seen without opening it"
        );
        let before = fs::read(self.journal()).ok();
        let spool = open(&self.store());
        let damage = spool.damage().expect("the damage is told of").clone();
        let kept = damage.kept.as_ref().map(|kept| fs::read(kept).unwrap());
        assert_eq!(kept, before, "as it was found");
        if let Some(kept) = &damage.kept {
            assert_eq!(
                fs::metadata(kept).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let there: Vec<_> = list(&spool).iter().map(|summary| summary.id).collect();
        for (number, id) in self.ids.iter().enumerate() {
            let is_lost = lost.contains(&number);
            assert_eq!(
                there.contains(id),
                !is_lost,
                "message {number} of {damage:?}"
            );
        }
        drop(spool);
        let again = open(&self.store());
        assert_eq!(again.damage(), None, "once");
        assert_eq!(list(&again).len(), there.len());
        drop(again);
        assert_eq!(errors(inspect(&self.store(), false)), []);
        damage
    }
}

/// Returns offset and payload of each record in a journal's file, found by the generation's id.
fn records(journal: &Path) -> Vec<(usize, Vec<u8>)> {
    let file = fs::read(journal).unwrap();
    let salt = &file[PAGE..PAGE + 8];
    let mut found = Vec::new();
    let mut at = PAGE;
    while at + HEADER < file.len() {
        if &file[at..at + 8] == salt {
            let length = u32::from_le_bytes(file[at + 8..at + 12].try_into().unwrap()) as usize;
            found.push((at, file[at + HEADER..at + HEADER + length].to_vec()));
        }
        at += PAGE;
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn a_garbled_record_loses_only_its_own_message() {
    let killed = Killed::with(4);
    let (second, _) = records(&killed.journal())[1];
    killed.garble(second + HEADER + 100, b"garbled");
    let damage = killed.loses(&[1]);
    assert!(
        matches!(
            damage.faults[..],
            [Fault::Lost {
                records: Some(1),
                ..
            }]
        ),
        "{damage:?}"
    );
    assert_eq!(damage.saved, 3);
}

#[test]
fn losing_the_last_record_is_reported() {
    let killed = Killed::with(3);
    let (last, _) = records(&killed.journal())[2];
    killed.garble(last, &[0; HEADER]);
    killed.loses(&[2]);
}

#[test]
fn an_empty_journal_is_reported() {
    let killed = Killed::with(2);
    fs::write(killed.journal(), "").unwrap();
    let damage = killed.loses(&[0, 1]);
    assert!(
        matches!(damage.faults[0], Fault::Short { found: 0, .. }),
        "{damage:?}"
    );
}

#[test]
fn a_zeroed_journal_is_reported_even_without_a_synced_point() {
    let killed = Killed::with(2);
    let length = fs::metadata(killed.journal()).unwrap().len();
    fs::write(killed.journal(), vec![0; length as usize]).unwrap();
    fs::remove_file(killed.store().join("journal.synced")).unwrap();
    assert!(
        inspect(&killed.store(), false)
            .iter()
            .any(|it| it.about.ends_with("journal.synced"))
    );
    let damage = killed.loses(&[0, 1]);
    assert_eq!(damage.faults, [Fault::FirstPage]);
}

#[test]
fn a_missing_journal_is_reported() {
    let killed = Killed::with(2);
    fs::remove_file(killed.journal()).unwrap();
    let damage = killed.loses(&[0, 1]);
    assert_eq!(
        (damage.kept, &damage.faults[..]),
        (None, &[Fault::Missing][..])
    );
}

#[test]
fn a_truncated_journal_loses_what_was_cut_off() {
    let killed = Killed::with(3);
    let (last, _) = records(&killed.journal())[2];
    let file = fs::File::options()
        .write(true)
        .open(killed.journal())
        .unwrap();
    file.set_len(last as u64 + 10).unwrap();
    let damage = killed.loses(&[2]);
    assert!(
        matches!(damage.faults[..], [Fault::Short { .. }, Fault::Lost { .. }]),
        "{damage:?}"
    );
}

#[test]
fn a_torn_record_behind_the_synced_point_is_no_damage() {
    let killed = Killed::with(2);
    // A write that was cut leaves a header behind the synced point, and no record.
    let (last, _) = records(&killed.journal())[1];
    let file = fs::read(killed.journal()).unwrap();
    let mut header = file[last..last + HEADER].to_vec();
    let position = (last - PAGE + PAGE) as u64;
    header[16..24].copy_from_slice(&position.to_le_bytes());
    killed.garble(last + PAGE, &header);
    let spool = open(&killed.store());
    assert_eq!(spool.damage(), None);
    assert_eq!(list(&spool).len(), 2);
}

#[test]
fn orphaned_bodies_are_kept_if_the_journal_is_damaged() {
    let killed = Killed::with(2);
    fs::write(killed.journal(), "").unwrap();
    let body = TransactionId::new().to_string();
    fs::write(killed.store().join("incoming").join(&body), "a body").unwrap();
    killed.loses(&[0, 1]);
    let kept = killed.store().join("incoming.damaged-kept").join(body);
    assert_eq!(fs::read_to_string(kept).unwrap(), "a body");
}

/// Reads a journal as versions up to schema 4 wrote it, with their database's row about it.
#[test]
fn an_upgrade_reads_a_journal_of_the_first_format() {
    for garbled in [false, true] {
        let killed = Killed::with(3);
        let mut file = vec![0; 64 * PAGE];
        let (salt, mut at) = (4711_u64, 0);
        for (number, (_, payload)) in records(&killed.journal()).into_iter().enumerate() {
            let position = at as u64;
            let mut checksum = crc32fast::Hasher::new();
            checksum.update(&salt.to_le_bytes());
            checksum.update(&position.to_le_bytes());
            checksum.update(&payload);
            let mut record = (payload.len() as u32).to_le_bytes().to_vec();
            record.extend_from_slice(&checksum.finalize().to_le_bytes());
            record.extend_from_slice(&position.to_le_bytes());
            record.extend_from_slice(&payload);
            if garbled && number == 1 {
                record[100] ^= 1;
            }
            file[at..at + record.len()].copy_from_slice(&record);
            at = (at + record.len()).next_multiple_of(PAGE);
        }
        fs::write(killed.journal(), file).unwrap();
        fs::remove_file(killed.store().join("journal.synced")).unwrap();
        let database = Connection::open(killed.store().join("spool.db")).unwrap();
        let back = format!(
            "ALTER TABLE journal DROP COLUMN form;
             ALTER TABLE journal DROP COLUMN length;
             ALTER TABLE contents DROP COLUMN sender_json;
             ALTER TABLE journal DROP COLUMN commits;
             ALTER TABLE messages DROP COLUMN body_checksum;
             ALTER TABLE contents DROP COLUMN head_checksum;
             {BACK_TO_SCHEMA_7}
             UPDATE journal SET salt = {salt};
             PRAGMA user_version = 4;"
        );
        database.execute_batch(&back).unwrap();
        drop(database);
        let spool = open(&killed.store());
        let there: Vec<_> = list(&spool).iter().map(|summary| summary.id).collect();
        let due = if garbled {
            vec![killed.ids[0], killed.ids[2]]
        } else {
            killed.ids.clone()
        };
        assert_eq!(there, due);
        assert_eq!(spool.damage().is_some(), garbled);
    }
}

/// Makes and closes a store with a message whose body has a file, and one in its journal.
fn closed_store_with_a_body(directory: &Path) -> TransactionId {
    let spool = open(directory);
    let id = TransactionId::new();
    let mut staging = stage(&spool, id);
    std::io::Write::write_all(&mut staging, &vec![b'x'; INLINE_LIMIT + 1]).unwrap();
    let staged = staging.finish().unwrap();
    let new = NewMessage {
        head: staged.head,
        body: staged.body,
        ..message(id, &["bob@a.example"])
    };
    accept(&spool, new)
}

/// Checks that opening fails with these words and changes nothing, and that [`inspect`] says the
/// same.
fn check_refused(directory: &Path, words: &[&str]) {
    let before = bodies(directory);
    let error = SqliteSpool::open(settings(directory)).unwrap_err();
    assert!(
        matches!(error, SpoolError::Lost { .. } | SpoolError::Unusable { .. }),
        "{error:?}"
    );
    for word in words {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    assert_eq!(bodies(directory), before);
    let findings = inspect(directory, false);
    assert!(
        findings.iter().any(|it| it.level == Level::Error),
        "{findings:?}"
    );
}

#[test]
fn a_store_with_bodies_but_without_its_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let id = closed_store_with_a_body(directory.path());
    let database = directory.path().join("spool.db");
    let saved = fs::read(&database).unwrap();
    fs::write(&database, "").unwrap();
    check_refused(
        directory.path(),
        &["is empty", "1 body in incoming/", "backup"],
    );
    fs::remove_file(&database).unwrap();
    check_refused(directory.path(), &["is missing", "1 body in incoming/"]);
    fs::write(&database, vec![b'x'; saved.len()]).unwrap();
    check_refused(directory.path(), &["cannot be used", "not a database"]);
    let mut damaged = saved.clone();
    damaged[16..1000].fill(b'x');
    fs::write(&database, damaged).unwrap();
    check_refused(directory.path(), &["cannot be used"]);
    // Put back, the store works as before.
    fs::write(&database, saved).unwrap();
    let spool = open(directory.path());
    assert_eq!(list(&spool)[0].id, id);
}

#[test]
fn a_store_with_a_used_journal_but_without_its_database_is_refused() {
    let killed = Killed::with(1);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(killed.store().join(format!("spool.db{suffix}")));
    }
    check_refused(
        &killed.store(),
        &["is missing", "a journal in which mail was written"],
    );
    fs::remove_file(killed.journal()).unwrap();
    check_refused(
        &killed.store(),
        &["is missing", "a journal.synced that tells of mail"],
    );
    fs::remove_file(killed.store().join("journal.synced")).unwrap();
    drop(open(&killed.store()));
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    closed_store_with_a_body(directory.path());
    let path = directory.path().join("spool.db");
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE songs (name TEXT)")
        .unwrap();
    check_refused(directory.path(), &["another program's"]);
    other.pragma_update(None, "user_version", 4).unwrap();
    check_refused(directory.path(), &["lacks the tables messages"]);
    let tables: u32 = other
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1, "nothing was added to it");
}

#[test]
fn files_that_are_not_bodies_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let id = closed_store_with_a_body(directory.path());
    let incoming = directory.path().join("incoming");
    fs::create_dir(incoming.join("lost+found")).unwrap();
    fs::create_dir(incoming.join(TransactionId::new().to_string())).unwrap();
    fs::write(incoming.join("notes.txt"), "mine").unwrap();
    let orphan = TransactionId::new().to_string();
    fs::write(incoming.join(&orphan), "staged").unwrap();
    let spool = open(directory.path());
    assert_eq!(spool.damage(), None);
    let left = bodies(directory.path());
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.contains(&id.to_string()) && !left.contains(&orphan));
    let strays = inspect(directory.path(), true);
    let strays = strays.iter().filter(|it| it.level == Level::Warning);
    assert_eq!(strays.count(), 3);
}

#[test]
fn a_database_without_a_table_beside_bodies_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    closed_store_with_a_body(directory.path());
    let database = directory.path().join("spool.db");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(directory.path().join(format!("spool.db{suffix}")));
    }
    // In such a store the tables were only ever in the WAL.
    let bare = Connection::open(&database).unwrap();
    bare.pragma_update(None, "journal_mode", "WAL").unwrap();
    bare.execute_batch("CREATE TABLE a (b); DROP TABLE a")
        .unwrap();
    drop(bare);
    check_refused(
        directory.path(),
        &["without a table", "1 body in incoming/"],
    );
}

#[test]
fn mail_in_the_journal_survives_the_loss_of_a_new_databases_wal() {
    let killed = Killed::with(3);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(killed.store().join(format!("spool.db{suffix}")));
    }
    let spool = open(&killed.store());
    let there: Vec<_> = list(&spool).iter().map(|summary| summary.id).collect();
    assert_eq!(there, killed.ids);
}

#[test]
fn a_database_found_damaged_at_work_refuses_mail_and_is_not_retried() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    for _ in 0..20 {
        accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    }
    assert_eq!(list(&spool).len(), 20);
    drop(spool);
    let spool = open(directory.path());
    let database = directory.path().join("spool.db");
    let whole = fs::read(&database).unwrap();
    let file = fs::File::options().write(true).open(&database).unwrap();
    file.write_all_at(&vec![0xa5; whole.len() - PAGE], PAGE as u64)
        .unwrap();
    assert!(wait(spool.list(Filter::default())).is_err());
    assert!(matches!(spool.room(), Err(SpoolError::Corrupt(_))));
    let id = TransactionId::new();
    assert!(Staging::begin(spool.bodies(), id).is_err());
    let refused = wait(spool.accept(message(id, &["bob@a.example"])));
    assert!(
        matches!(refused, Err(SpoolError::Corrupt(_))),
        "{refused:?}"
    );
    // Delivery neither fails repeatedly nor asks again at once.
    let claims = wait(spool.claim(Owner::new(), START, 10, LEASE)).unwrap();
    assert!(claims.is_empty());
    assert_eq!(wait(spool.next_due()).unwrap(), None);
    drop(spool);
    check_refused_with_advice(directory.path());
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(directory.path().join(format!("spool.db{suffix}")));
    }
    fs::write(&database, whole).unwrap();
    assert_eq!(list(&open(directory.path())).len(), 20);
}

/// Checks that opening fails, and that the error gives advice.
fn check_refused_with_advice(directory: &Path) {
    let error = SqliteSpool::open(settings(directory)).unwrap_err();
    assert!(matches!(error, SpoolError::Unusable { .. }), "{error:?}");
    for words in [
        "spool.db cannot be used",
        "backup",
        ".recover",
        "gatepost doctor",
    ] {
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}
