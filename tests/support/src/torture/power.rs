//! Loss of power, as a process sees it: of the relay's files only what was fsynced survives.
//!
//! A small library (`power.c`) is put in front of the relay's `fsync` and `fdatasync`. At each call
//! it copies the file's contents to a shadow of the store; for a directory it records its names.
//! [`PowerLoss::strike`] replaces the store by the shadow: a file exists if its directory was
//! synced with it, with the octets of its own last sync. Nothing else of the kernel's caches is
//! left. That is the least that POSIX promises, and so the hardest case.
//!
//! Told to make fsync do nothing, the library returns success and copies nothing: a relay whose
//! syncs are void then loses its mail, and the test must see it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::RelayBuilder;

/// A relay's directory that can lose power.
#[derive(Debug)]
pub struct PowerLoss {
    temporary: TempDir,
    library: PathBuf,
    mode: Mode,
}

/// Behaviour of fsync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Syncs, as promised.
    Sync,
    /// Does nothing, and returns success.
    Nothing,
    /// Fails with EIO once the file named `fail` stands beside the store.
    Fail,
    /// Waits while the file named `hold` stands beside the store, and then syncs nothing.
    Hold,
}

impl PowerLoss {
    /// Builds the library with the C compiler, and makes a directory for the relay.
    pub fn new(mode: Mode) -> Self {
        let temporary = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
        let library = temporary.path().join("power.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/torture/power.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let mut command = Command::new(compiler);
        command
            .args(["-O1", "-shared", "-fPIC", "-Wall", "-Werror", "-o"])
            .arg(&library)
            .arg(source);
        let status = command.args(["-ldl", "-lpthread"]).status();
        assert!(
            status.as_ref().is_ok_and(|s| s.success()),
            "power.c does not compile: {status:?}"
        );
        for folder in ["relay/store", "shadow"] {
            create(&temporary.path().join(folder));
        }
        Self {
            temporary,
            library,
            mode,
        }
    }

    /// Returns the relay's directory; its store is `store` in it.
    pub fn directory(&self) -> PathBuf {
        self.temporary.path().join("relay")
    }

    /// Makes the relay run with the library in front of its fsync.
    pub fn under(&self, builder: RelayBuilder) -> RelayBuilder {
        let environment = self.environment().into_iter();
        environment.fold(builder, |builder, (name, value)| {
            builder.environment(name, value)
        })
    }

    /// Returns the environment variables that do that to a process.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        let mode = match self.mode {
            Mode::Sync => "sync",
            Mode::Nothing => "nothing",
            Mode::Fail => "fail",
            Mode::Hold => "hold",
        };
        let path = |path: PathBuf| path.display().to_string();
        [
            ("LD_PRELOAD", path(self.library.clone())),
            ("POWER_STORE", path(self.directory().join("store"))),
            ("POWER_SHADOW", path(self.temporary.path().join("shadow"))),
            ("POWER_MODE", mode.to_owned()),
        ]
    }

    /// Makes fsync wait from now on ([`Mode::Hold`]).
    pub fn hold(&self) {
        let file = self.directory().join("hold");
        fs::write(&file, "").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Lets fsync continue.
    pub fn release(&self) {
        let file = self.directory().join("hold");
        fs::remove_file(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Makes fsync fail from now on ([`Mode::Fail`]).
    pub fn fail(&self) {
        let file = self.directory().join("fail");
        fs::write(&file, "").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Cuts the power: replaces the store by what was synced of it. The relay must be dead.
    pub fn strike(&self) {
        let store = self.directory().join("store");
        let survived = self.temporary.path().join("survived");
        let _ = fs::remove_dir_all(&survived);
        create(&survived);
        survive(&self.temporary.path().join("shadow"), &survived);
        fs::remove_dir_all(&store).unwrap_or_else(|error| panic!("{}: {error}", store.display()));
        fs::rename(&survived, &store).unwrap_or_else(|e| panic!("{}: {e}", store.display()));
    }
}

/// Makes a folder that nobody else may enter, as those of a store are.
fn create(path: &Path) {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Copies what survives of one directory: the names of its last sync, each with the octets of its
/// own last sync. A file that was never synced itself is empty.
fn survive(shadow: &Path, to: &Path) {
    let names = fs::read_to_string(shadow.join(".names")).unwrap_or_default();
    for name in names.lines() {
        let (kind, name) = name.split_at(1);
        let (from, to) = (shadow.join(name), to.join(name));
        if kind == "d" {
            create(&to);
            survive(&from, &to);
        } else if fs::copy(&from, &to).is_err() {
            fs::write(&to, "").unwrap_or_else(|error| panic!("{}: {error}", to.display()));
        }
    }
}
