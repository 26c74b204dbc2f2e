//! The spool's errors, and what to do about each.

use std::{io, path::PathBuf, sync::Arc};

use gatepost_message::TransactionId;

/// A failed operation of the spool. Cheap to clone: one error of a batch goes to everyone who
/// waited.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SpoolError {
    /// The disk is too full to accept mail: answer 452 4.3.1. Ends by itself once there is room.
    #[error(
        "the disk of the spool is nearly full: {free} bytes free, {needed} needed; no mail is \
         taken until there is room"
    )]
    Full {
        /// Bytes free on the file system of the spool.
        free: u64,
        /// Bytes that must be free for the operation to go on.
        needed: u64,
    },
    /// A message with this transaction id is in the store already.
    #[error("transaction {0} is in the spool already")]
    Duplicate(TransactionId),
    /// A staged body was handed in under another transaction id than it was staged for.
    #[error("the body was staged for transaction {staged} but handed in for {given}")]
    OtherBody {
        /// Id of the transaction that the body was staged for.
        staged: TransactionId,
        /// Id of the message that the body was handed in with.
        given: TransactionId,
    },
    /// Another relay has the store open.
    #[error("the spool {} is in use by another relay: stop that one first, or give this one a directory of its own", .0.display())]
    InUse(PathBuf),
    /// The store was written by a later version of Gatepost.
    #[error(
        "the spool has schema {found}, this relay knows up to {known}: run the version of gatepost that wrote it, or a later one"
    )]
    Newer {
        /// Schema version in the store.
        found: u32,
        /// Latest version that this relay knows.
        known: u32,
    },
    /// The database is missing or empty, but files that belong to it are there.
    #[error("{} is {state}, but beside it there {left}: that mail would be lost; put spool.db back from a backup, with the spool.db-wal that belongs to it, or, to go on without what it held, move these out of the store first; nothing has been changed", path.display())]
    Lost {
        /// Path of the database.
        path: PathBuf,
        /// State of the database: `missing`, `empty` or `without a table`.
        state: &'static str,
        /// Files that were found, such as `are 2 bodies in incoming/`.
        left: String,
    },
    /// The database is damaged, or is not one of ours.
    #[error("{} cannot be used: {why}; put spool.db back from a backup, with the spool.db-wal that belongs to it, or recover a copy of it with `sqlite3 spool.db .recover`, or move it out of the store together with incoming/ and journal to begin an empty one; nothing has been changed, and `gatepost doctor` says more", path.display())]
    Unusable {
        /// Path of the database.
        path: PathBuf,
        /// Reason.
        why: String,
    },
    /// The database was found damaged while the relay was running: answer 451.
    #[error("{} is damaged, and no mail is taken: stop the relay, copy the store, see what `gatepost doctor` says, and put spool.db back from a backup or recover it with `sqlite3 spool.db .recover`", .0.display())]
    Corrupt(PathBuf),
    /// A damaged file cannot be kept under another name for examination.
    #[error("{} is damaged ({faults}) and cannot be kept under another name: {source}; make room or mend the permissions of its directory, and start again", path.display())]
    NotKept {
        /// Path of the file.
        path: PathBuf,
        /// Faults of the file, in words.
        faults: String,
        /// Error of the system.
        source: Arc<io::Error>,
    },
    /// A part of the store cannot be decoded.
    #[error("the spool holds a damaged {what}: {why}")]
    Damaged {
        /// Part of the store, such as `session of <id>`.
        what: String,
        /// Error of the decoder.
        why: String,
    },
    /// SQLite refused.
    #[error("the spool's database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// The file system refused.
    #[error("cannot {what}: {source}")]
    Io {
        /// Attempted operation, with its path.
        what: String,
        /// Error of the system.
        source: Arc<io::Error>,
    },
    /// Another copy of the store is being made.
    #[error("the spool is being copied already: wait until that copy is finished")]
    CopyUnderWay,
    /// The database cannot be copied.
    #[error("the spool's database cannot be copied: {0}")]
    NotCopied(String),
    /// Erased rows cannot be overwritten on the disk.
    #[error("what was erased from the spool's database is not overwritten: {0}")]
    NotOverwritten(String),
    /// The spool has been closed, or ended by a fatal error.
    #[error("the spool is closed")]
    Closed,
}

impl SpoolError {
    /// Returns a function that adds the attempted operation to an I/O error.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what: what.into(),
            source: Arc::new(source),
        }
    }

    /// Returns SQLite's primary result code, if the error is SQLite's.
    pub(crate) fn sqlite_code(&self) -> Option<rusqlite::ErrorCode> {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for SpoolError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}
