//! A directory that is missing, emptied or damaged is refused. An empty one in its place would
//! refuse all mail for good.

use crate::common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{open, production, settings};
use gatepost_directory::{Directory, DirectoryError, Grant, inspect};
use gatepost_files::Level;
use rusqlite::Connection;

fn with_an_account(folder: &Path) {
    production(&open(folder), "acme.desk.example");
}

/// Asserts that opening is refused with these words and leaves the file unchanged, and that
/// [`inspect`] reports it too.
fn assert_refused(folder: &Path, words: &[&str]) {
    let path = folder.join("directory.db");
    let before = fs::read(&path).ok();
    let error = Directory::open(&settings(folder)).unwrap_err();
    let said = error.to_string();
    assert!(
        matches!(
            error,
            DirectoryError::Lost { .. } | DirectoryError::Unusable { .. }
        ),
        "{said}"
    );
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(fs::read(&path).ok(), before);
    assert!(has_errors(folder));
}

fn has_errors(folder: &Path) -> bool {
    let findings = inspect(&settings(folder), Duration::MAX, false);
    findings.iter().any(|finding| finding.level == Level::Error)
}

#[test]
fn a_file_that_is_not_the_directory_is_refused_and_a_restored_one_opens() {
    let folder = tempfile::tempdir().unwrap();
    with_an_account(folder.path());
    let path = folder.path().join("directory.db");
    let saved = fs::read(&path).unwrap();
    assert!(!has_errors(folder.path()));

    fs::write(&path, "").unwrap();
    assert_refused(folder.path(), &["is empty", "its key ring", "backup"]);
    fs::remove_file(&path).unwrap();
    assert_refused(folder.path(), &["is missing", "its key ring"]);
    fs::write(&path, vec![b'x'; saved.len()]).unwrap();
    assert_refused(folder.path(), &["cannot be used", "not a database"]);
    let mut damaged = saved.clone();
    damaged[16..1000].fill(b'x');
    fs::write(&path, damaged).unwrap();
    assert_refused(folder.path(), &["cannot be used"]);
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE songs (name TEXT)")
        .unwrap();
    drop(other);
    assert_refused(folder.path(), &["another program's"]);

    fs::remove_file(&path).unwrap();
    // Like a directory whose tables were only ever in its log.
    let bare = Connection::open(&path).unwrap();
    bare.pragma_update(None, "journal_mode", "WAL").unwrap();
    bare.execute_batch("CREATE TABLE a (b); DROP TABLE a")
        .unwrap();
    drop(bare);
    assert_refused(folder.path(), &["without a table", "its key ring"]);

    fs::write(&path, saved).unwrap();
    assert_eq!(open(folder.path()).view().accounts().count(), 1);
}

#[test]
fn without_its_key_ring_an_empty_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    with_an_account(folder.path());
    fs::remove_file(folder.path().join("directory.db")).unwrap();
    fs::remove_file(folder.path().join("key-ring")).unwrap();
    assert_eq!(open(folder.path()).view().accounts().count(), 0);
}

#[test]
fn inspect_finds_a_key_missing_from_the_key_ring() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let account = production(&directory, "acme.desk.example");
    let grant = Grant::Submission {
        account: account.id,
    };
    directory.issue(grant, false).unwrap();
    drop(directory);
    assert!(!has_errors(folder.path()));
    fs::remove_file(folder.path().join("key-ring")).unwrap();
    assert!(has_errors(folder.path()));
}
