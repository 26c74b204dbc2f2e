//! Errors of backups and of their restoring, and what to do about each.

use std::io;
use std::path::{Path, PathBuf};

use gatepost_connections::StandingError;
use gatepost_directory::DirectoryError;
use gatepost_spool::SpoolError;

/// Error of making a backup. Nothing is left of it then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is at the place of the backup.
    #[error("{} exists: a backup is a new folder, so name another", .0.display())]
    Exists(PathBuf),
    /// Something is at the place where the backup is made until it is complete.
    #[error("{} exists: another backup is being made there, or was broken off; wait for it, or remove it", .0.display())]
    Unfinished(PathBuf),
    /// The place of the backup is in the store.
    #[error("{} lies in the store: name a folder outside of it, on another disk if possible", .0.display())]
    InStore(PathBuf),
    /// The queue cannot be copied.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A database cannot be copied.
    #[error("cannot copy {}: {source}", path.display())]
    Database {
        /// Path of the database.
        path: PathBuf,
        /// Error of SQLite.
        source: rusqlite::Error,
    },
    /// The file system refuses.
    #[error("cannot {what}: {source}")]
    Io {
        /// Attempted operation, with its path.
        what: String,
        /// Error of the system.
        source: io::Error,
    },
}

impl BackupError {
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}

/// Error of restoring a backup. The place of the store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The folder is no backup, or not a complete one.
    #[error("{} is no complete backup: {why}", path.display())]
    NoBackup {
        /// Path of the folder.
        path: PathBuf,
        /// Reason.
        why: String,
    },
    /// A later version made the backup.
    #[error("{} was made by gatepost {version}, in a form that this version does not know: restore it with that version, or a later one", path.display())]
    OtherForm {
        /// Path of the folder.
        path: PathBuf,
        /// Version that made it.
        version: String,
    },
    /// A file of the backup is not as it was written.
    #[error("{} is not as the backup was made: {why}; take another backup", path.display())]
    Altered {
        /// Path of the file.
        path: PathBuf,
        /// Reason.
        why: String,
    },
    /// A relay, or a command, uses the store.
    #[error("the store {} is in use: stop the relay first, and move its store away", .0.display())]
    InUse(PathBuf),
    /// There is a store, or something else.
    #[error("{} is not empty: a backup is restored to a new folder, so move away what is there", .0.display())]
    NotEmpty(PathBuf),
    /// Something is at the place where the store is made until it is complete.
    #[error("{} exists: a backup is being restored there, or that was broken off; wait for it, or remove it", .0.display())]
    Unfinished(PathBuf),
    /// The backup has no keys, and none are at hand.
    #[error("the backup was made without keys, and there is no key ring at {}: put it there, or name it with --key-ring", .0.display())]
    NoKeys(PathBuf),
    /// The queue cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The directory cannot be opened: its key ring lacks a key, or a later version wrote it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The states of connections cannot be opened.
    #[error(transparent)]
    Standings(#[from] StandingError),
    /// The file system refuses.
    #[error("cannot {what}: {source}")]
    Io {
        /// Attempted operation, with its path.
        what: String,
        /// Error of the system.
        source: io::Error,
    },
}

impl RestoreError {
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}
