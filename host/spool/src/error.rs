//! What can go wrong with the store, and what to do about it.

use std::{io, path::PathBuf, sync::Arc};

use gatepost_message::TransactionId;

/// An operation of the spool failed. Cheap to clone: one error of a batch reaches all who waited.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SpoolError {
    /// The disk is too full to take mail: answer 452 4.3.1. Ends by itself once there is room.
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
        /// The id that it was staged for.
        staged: TransactionId,
        /// The id of the message that it came with.
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
    /// The database is gone, and what belongs to it is not.
    #[error("{} is {state}, but beside it there {left}: that mail would be lost; put spool.db back from a backup, with the spool.db-wal that belongs to it, or, to go on without what it held, move these out of the store first; nothing has been changed", path.display())]
    Lost {
        /// The database.
        path: PathBuf,
        /// `missing`, `empty` or `without a table`.
        state: &'static str,
        /// What is there, such as `are 2 bodies in incoming/`.
        left: String,
    },
    /// The database is damaged, or is not one of ours.
    #[error("{} cannot be used: {why}; put spool.db back from a backup, with the spool.db-wal that belongs to it, or recover a copy of it with `sqlite3 spool.db .recover`, or move it out of the store together with incoming/ and journal to begin an empty one; nothing has been changed, and `gatepost doctor` says more", path.display())]
    Unusable {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The database was found damaged while the relay was running: answer 451.
    #[error("{} is damaged, and no mail is taken: stop the relay, copy the store, see what `gatepost doctor` says, and put spool.db back from a backup or recover it with `sqlite3 spool.db .recover`", .0.display())]
    Corrupt(PathBuf),
    /// A damaged file cannot be kept for somebody to look at.
    #[error("{} is damaged ({faults}) and cannot be kept under another name: {source}; make room or mend the permissions of its directory, and start again", path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// What is damaged.
        faults: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Something in the store cannot be read back.
    #[error("the spool holds a damaged {what}: {why}")]
    Damaged {
        /// Which part, such as `session of <id>`.
        what: String,
        /// What the decoder said.
        why: String,
    },
    /// SQLite refused.
    #[error("the spool's database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// The file system refused.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The spool has been closed, or ended by a fatal error.
    #[error("the spool is closed")]
    Closed,
}

impl SpoolError {
    /// Names what was tried when the file system refused.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what: what.into(),
            source: Arc::new(source),
        }
    }

    /// SQLite's primary result code, if it was SQLite that refused.
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
