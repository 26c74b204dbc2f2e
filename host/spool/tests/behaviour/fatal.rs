//! A failed fsync ends the process: nothing is retried, nothing is acknowledged.
//!
//! Each case runs in a process of its own, this test started again, in which a preloaded library
//! makes fsync fail once a file exists.

use crate::common;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use common::*;
use gatepost_message::TransactionId;
use gatepost_spool::*;

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int call(const char *name, int fd) {
    const char *trigger = getenv("FAIL_FSYNC_WHEN");
    if (trigger && access(trigger, F_OK) == 0) { errno = EIO; return -1; }
    return ((int (*)(int)) dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return call("fsync", fd); }
int fdatasync(int fd) { return call("fdatasync", fd); }
"#;

/// Starts this test binary again to run `test` as the child; `None` without a C compiler.
fn child(test: &str, directory: &Path) -> Option<Output> {
    let (source, library) = (directory.join("shim.c"), directory.join("shim.so"));
    fs::write(&source, SHIM).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .args(["-ldl"])
        .status();
    if !built.is_ok_and(|status| status.success()) {
        // Written past the test harness, which would capture it.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: failing fsync: there is no C compiler"
        );
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("fatal::{test}"), "--nocapture"])
        .env("LD_PRELOAD", library)
        .env("FAIL_FSYNC_WHEN", directory.join("trigger"))
        .env("SPOOL", directory.join("spool"))
        .output()
        .unwrap();
    Some(output)
}

/// Returns the directory of the store, if this process is the child.
fn in_child() -> Option<std::path::PathBuf> {
    std::env::var_os("SPOOL").map(Into::into)
}

/// Makes fsync fail from now on.
fn fail(directory: &Path) {
    fs::write(directory.with_file_name("trigger"), "").unwrap();
}

#[test]
fn a_commit_that_is_not_synced_ends_the_process() {
    if let Some(directory) = in_child() {
        let spool = open(&directory);
        accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
        fail(&directory);
        // A listing of the queue checkpoints accepted mail into the database.
        let _ = wait(spool.list(Filter::default()));
        println!("survived");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let test = "a_commit_that_is_not_synced_ends_the_process";
    let Some(output) = child(test, directory.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(
        said.contains("gatepost: writing to the spool failed"),
        "{said}"
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("survived"));
    // Acknowledged mail is there.
    assert!(!list(&open(&directory.path().join("spool"))).is_empty());
}

#[test]
fn a_message_that_is_not_synced_ends_the_process() {
    if let Some(directory) = in_child() {
        let spool = open(&directory);
        fail(&directory);
        let _ = wait(spool.accept(message(TransactionId::new(), &["bob@a.example"])));
        println!("survived");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let test = "a_message_that_is_not_synced_ends_the_process";
    let Some(output) = child(test, directory.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("fsync of the spool's journal"), "{said}");
    assert!(said.contains("gatepost doctor"), "{said}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("survived"));
}

#[test]
fn a_body_that_is_not_synced_ends_the_process() {
    if let Some(directory) = in_child() {
        let spool = open(&directory);
        let mut staging = stage(&spool, TransactionId::new());
        staging.write_all(&vec![b'x'; INLINE_LIMIT + 1]).unwrap();
        fail(&directory);
        let _ = staging.finish();
        println!("survived");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let test = "a_body_that_is_not_synced_ends_the_process";
    let Some(output) = child(test, directory.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(said.contains("fsync of"), "{said}");
    assert!(
        bodies(&{
            let store = directory.path().join("spool");
            drop(open(&store));
            store
        })
        .is_empty()
    );
}

#[test]
fn after_a_hook_that_returns_the_store_is_closed() {
    if let Some(directory) = in_child() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let hook = {
            let said = Arc::clone(&said);
            Fatal::new(move |what| said.lock().unwrap().push(what.to_owned()))
        };
        let settings = SpoolSettings {
            fatal: hook,
            ..settings(&directory)
        };
        let spool = SqliteSpool::open(settings).unwrap();
        let mut staging = stage(&spool, TransactionId::new());
        staging.write_all(&vec![b'x'; INLINE_LIMIT + 1]).unwrap();
        fail(&directory);
        let pair: Vec<_> = (0..2)
            .map(|_| spool.accept(message(TransactionId::new(), &["bob@a.example"])))
            .collect();
        for ticket in pair {
            assert!(matches!(wait(ticket), Err(SpoolError::Closed)));
        }
        assert_eq!(said.lock().unwrap().len(), 1, "nothing is retried");
        fs::remove_file(directory.with_file_name("trigger")).unwrap();
        let later = wait(spool.accept(message(TransactionId::new(), &["bob@a.example"])));
        assert!(matches!(later, Err(SpoolError::Closed)));
        assert!(matches!(spool.room(), Err(SpoolError::Closed)));
        println!("as expected");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let test = "after_a_hook_that_returns_the_store_is_closed";
    let Some(output) = child(test, directory.path()) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("as expected"),
        "{said}{errors}"
    );
}
