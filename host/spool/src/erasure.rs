//! Erasure of an account: all that the store holds of it, some at a time.
//!
//! Whoever erases walks over the store by a [cursor](EraseCursor), from its default until nothing is
//! [left](ErasureStep::next). Messages of which an attempt is under way are left where they are, and
//! counted: once the attempt has ended, another walk finds them.

use gatepost_message::TransactionId;
use serde::{Deserialize, Serialize};

use crate::Ticket;

/// Messages and events that one step of an erasure looks at, of any account.
pub const ERASE_AT_ONCE: usize = 2000;

/// Place in the store up to which an erasure has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EraseCursor {
    /// Place among the messages.
    pub(crate) message: u64,
    /// Number of an event.
    pub(crate) event: u64,
}

/// Numbers of what one step of an erasure has removed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct ErasedRows {
    /// Messages: queued, held, in quarantine and kept.
    pub messages: u64,
    /// Events.
    pub events: u64,
    /// Entries of the suppression list.
    pub suppressions: u64,
    /// Message-IDs that mail services gave.
    pub learnt_ids: u64,
    /// Answers to programs under their keys.
    pub keyed_answers: u64,
    /// Marks, counts and machines of policies.
    pub counters: u64,
    /// Messages that stay for now, because an attempt is under way.
    pub under_way: u64,
}

/// Step of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErasureStep {
    /// Rows that were removed.
    pub erased: ErasedRows,
    /// Place at which the next step goes on; `None` at the end of the store.
    pub next: Option<EraseCursor>,
}

/// Removal of all that the store holds of an account.
pub trait Erasure: Send + Sync + 'static {
    /// Returns the transactions of the messages and events of the account that the step from this
    /// place would remove.
    fn erasable(&self, account: &str, from: EraseCursor) -> Ticket<Vec<TransactionId>>;

    /// Removes what the step from this place finds of the account: messages without a notice or an
    /// event, events, and with the first step what is not kept by message. The last event stays
    /// numbered: a notice without an account takes its place.
    ///
    /// # Errors
    /// The store cannot be read or written; nothing of the step was done.
    fn erase(&self, account: &str, from: EraseCursor) -> Ticket<ErasureStep>;

    /// Overwrites on the disk what was removed: free pages, logs and the journal hold nothing of it
    /// any more. Mail waits for it a moment.
    ///
    /// # Errors
    /// The store cannot be written.
    fn overwrite_erased(&self) -> Ticket<()>;
}
