//! The store of events.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use gatepost_message::TransactionId;

use crate::Event;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events older than this are dropped.
    pub age: Duration,
    /// With more events than this, the oldest are dropped.
    pub events: u64,
}

impl Default for Retention {
    /// Thirty days, ten million events.
    fn default() -> Self {
        Self {
            age: Duration::from_secs(30 * 24 * 3600),
            events: 10_000_000,
        }
    }
}

/// The trace cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// SQLite refused.
    #[error("the trace {} failed: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The trace was written by a later version of Gatepost.
    #[error("the trace {} has schema {found}, this relay knows up to {known}: run the version of gatepost that wrote it, or move the file away to begin a new one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Schema version in the file.
        found: u32,
        /// Latest version that this relay knows.
        known: u32,
    },
    /// An event in the store cannot be read back.
    #[error("the trace holds a damaged event of transaction {id}: {source}")]
    Damaged {
        /// Whose.
        id: TransactionId,
        /// What the decoder said.
        source: serde_json::Error,
    },
    /// The writer has ended.
    #[error("the trace is closed")]
    Closed,
}

/// A trace, open for writing and reading. Shared behind an `Arc`.
#[derive(Debug)]
pub struct Trace {}

#[allow(unused_variables)]
impl Trace {
    /// Opens the trace, makes it if it is not there, and brings it to the present schema.
    ///
    /// # Errors
    /// [`TraceError::Sqlite`] if the file cannot be opened, [`TraceError::Newer`] if a later
    /// version wrote it.
    pub fn open(path: impl AsRef<Path>, retention: Retention) -> Result<Self, TraceError> {
        todo!()
    }

    /// Records an event. Never waits: if the writer is too far behind, the event is dropped and
    /// counted.
    pub fn record(&self, event: Event) {
        todo!()
    }

    /// How many events were dropped since open.
    pub fn dropped(&self) -> u64 {
        todo!()
    }

    /// Waits until everything recorded before is committed. Blocks.
    ///
    /// # Errors
    /// [`TraceError::Closed`] if the writer has ended.
    pub fn flush(&self) -> Result<(), TraceError> {
        todo!()
    }

    /// All events of a transaction in the order they were recorded, those just recorded included.
    /// Blocks for as long as a flush and a read take.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(&self, id: TransactionId) -> Result<Vec<Event>, TraceError> {
        todo!()
    }
}
