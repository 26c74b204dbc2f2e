//! The durable queue: what a client got its 250 for is in here until every recipient has met an
//! end.
//!
//! The way of a message through this crate:
//!
//! 1. The session opens a [`Staging`] and writes the octets of DATA into it as they arrive. Up to
//!    [`INLINE_LIMIT`] they stay in memory; beyond, they go to a file `incoming/<transaction id>`.
//!    [`Staging::finish`] makes that file durable and gives back the header section, which
//!    policies may edit, apart from the body, which nobody edits.
//! 2. [`Spool::accept`] hands over the [`NewMessage`]. One thread owns journal and database: it
//!    takes everything that waits. What is due at once is written to the journal, a file beside
//!    the database, and synced; the rest is run in one SQLite transaction, in which a bad
//!    operation fails alone, and which is synced by COMMIT (`synchronous=FULL`). Only then may the
//!    clients get their 250.
//! 3. [`Spool::claim`] leases what is due to delivery, message by message. What is due when it is
//!    accepted is leased in that very commit and need not be read back ([`Spool::attach`]).
//!    [`Spool::record`] takes the results. A bounce goes in with the failure that it tells of, in one commit.
//! 4. With its last unfinished recipient the message goes: row, body, and after the commit the
//!    file. One that is delivered at once is gone before it had a row.
//!
//! Besides messages the store holds what policies asked to remember ([`Effect`]): it is written
//! in the commit of the message that it came with, and looked up in memory ([`Spool::seen`],
//! [`Spool::counted`]). How much that can be is bounded for each account
//! ([`SpoolSettings::remembered_bytes`]).
//!
//! When the disk is nearly full, intake stops ([`SpoolError::Full`]) while deliveries are still
//! recorded: see [`SpoolSettings::min_free_bytes`]. When an fsync or a commit fails, nobody knows
//! what is on the disk, and the process ends: see [`Fatal`].
//!
//! A store that has been damaged says so: a journal is kept under another name with what is whole
//! of it saved ([`SqliteSpool::damage`]), a database that is missing, emptied or another's is not
//! replaced ([`SpoolError::Lost`]), what its log has lost is told and comes from the journal
//! ([`SqliteSpool::log_damage`]), and [`inspect`] looks at all of it without changing anything.
//!
//! [`Effect`]: gatepost_model::Effect

#![forbid(unsafe_code)]

mod disk;
mod error;
mod fresh;
mod journal;
mod memory;
mod message;
mod queue;
mod settings;
mod spool;
mod sqlite;
mod staging;
mod state;

pub use error::SpoolError;
pub use gatepost_model::{Machine, Scope};
pub use journal::Fault;
pub use memory::{Remembered, RememberedTotals};
pub use message::{
    Claim, ClaimedRecipient, Ending, InitialState, Lease, NewBody, NewMessage, NewRecipient, Owner,
    Quarantine, RecipientResult, Recorded, Report, SenderProof,
};
pub use queue::{
    Changed, Expired, Filter, KnownMachine, QueueDepth, Recipient, RecipientState, Record,
    Selection, Status, Summary,
};
pub use settings::{Fatal, SpoolSettings};
pub use spool::{Spool, Ticket};
pub use sqlite::SqliteSpool;
pub use staging::{INLINE_LIMIT, Staged, StagedBody, Staging};
pub use state::{DamagedBody, JournalDamage, LogDamage, MarkDamage, inspect};
