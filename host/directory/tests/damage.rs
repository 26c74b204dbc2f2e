//! A directory that is missing, emptied or damaged is refused, not replaced by an empty one, which
//! would refuse all mail for good.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod common;

use std::fs;
use std::path::Path;

use common::{open, production, settings};
use gatepost_directory::{Directory, DirectoryError, Grant, inspect};
use gatepost_files::Level;
use rusqlite::Connection;

fn with_an_account(folder: &Path) {
    production(&open(folder), "acme.desk.example");
}

/// Opening is refused, with these words, and leaves the file as it is; [`inspect`] sees it too.
fn refused(folder: &Path, words: &[&str]) {
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
    let findings = inspect(&settings(folder), false);
    findings.iter().any(|finding| finding.level == Level::Error)
}

#[test]
fn what_is_not_the_directory_is_refused_and_put_back_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    with_an_account(folder.path());
    let path = folder.path().join("directory.db");
    let saved = fs::read(&path).unwrap();
    assert!(!has_errors(folder.path()));

    fs::write(&path, "").unwrap();
    refused(folder.path(), &["is empty", "its key ring", "backup"]);
    fs::remove_file(&path).unwrap();
    refused(folder.path(), &["is missing", "its key ring"]);
    fs::write(&path, vec![b'x'; saved.len()]).unwrap();
    refused(folder.path(), &["cannot be used", "not a database"]);
    let mut damaged = saved.clone();
    damaged[16..1000].fill(b'x');
    fs::write(&path, damaged).unwrap();
    refused(folder.path(), &["cannot be used"]);
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE songs (name TEXT)")
        .unwrap();
    drop(other);
    refused(folder.path(), &["another program's"]);

    fs::remove_file(&path).unwrap();
    // As a directory was whose tables had only ever been in its log.
    let bare = Connection::open(&path).unwrap();
    bare.pragma_update(None, "journal_mode", "WAL").unwrap();
    bare.execute_batch("CREATE TABLE a (b); DROP TABLE a")
        .unwrap();
    drop(bare);
    refused(folder.path(), &["without a table", "its key ring"]);

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
fn a_key_ring_that_lacks_a_key_is_seen_without_opening() {
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
