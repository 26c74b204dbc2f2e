//! Copies of a store, and what becomes of the queue in one that is used again.

use std::{fmt, sync::Arc};

use gatepost_smtp::Reply;

use crate::{Recipient, RecipientState};

/// Progress of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyProgress {
    /// Pages of the database.
    Database {
        /// Pages that are copied.
        done: u64,
        /// Pages in all, as far as it is known.
        total: u64,
    },
    /// Files with the bodies of large messages.
    Bodies {
        /// Files that are copied.
        done: u64,
        /// Files in all.
        total: u64,
    },
}

/// Function that is told of the progress of a copy. It must not wait: the writer calls it.
#[derive(Clone)]
pub struct CopyReport(Arc<dyn Fn(CopyProgress) + Send + Sync>);

impl CopyReport {
    /// Makes a report that calls this function.
    pub fn new(report: impl Fn(CopyProgress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }

    pub(crate) fn tell(&self, progress: CopyProgress) {
        (self.0)(progress);
    }
}

impl Default for CopyReport {
    /// Returns a report that tells nobody.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for CopyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopyReport")
    }
}

/// Treatment of queued recipients in a store that was opened from a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoredQueue {
    /// They are held: they may have been delivered since the copy was made.
    Held,
    /// They are due as they were: nothing was delivered since.
    Due,
}

/// Returns the reply with which recipients of a restored store are held.
pub(crate) fn held_by_restore() -> Reply {
    Reply::new(
        450,
        "4.3.2",
        "restored from a backup: it may have been delivered since",
    )
}

/// Returns true if a recipient is held since its store was opened from a copy, and not by an
/// operator or a policy.
pub fn is_held_by_restore(recipient: &Recipient) -> bool {
    recipient.state == RecipientState::Held
        && recipient.last_server.is_none()
        && recipient.last_reply == Some(held_by_restore())
}
