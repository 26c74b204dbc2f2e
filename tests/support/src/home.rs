//! The files of a mail server beside the relay.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::Certificate;

/// A directory that is removed with the server, with a certificate for it.
#[derive(Debug)]
pub(crate) struct Home {
    directory: TempDir,
    pub(crate) certificate: Certificate,
}

impl Home {
    /// Makes one that all users may read: servers run parts of themselves as users of their own.
    pub(crate) fn make() -> Self {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("no directory: {e}"));
        let path = directory.path();
        let allowed = fs::set_permissions(path, Permissions::from_mode(0o755));
        allowed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self {
            certificate: Certificate::make(path),
            directory,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let written = fs::write(self.path().join(name), text);
        written.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Returns the number of files below a folder that another process may be changing.
    pub(crate) fn files(&self, folder: &str) -> usize {
        files(&self.path().join(folder))
    }
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let count = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files(&entry.path()),
        _ => 1,
    };
    entries.map(count).sum()
}
