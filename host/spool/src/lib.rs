//! The durable queue: it holds each message that a client got its 250 for, until every recipient is
//! delivered to, failed or cancelled.
//!
//! The way of a message through this crate:
//!
//! 1. The session begins a [`Staging`] and writes the octets of DATA into it as they arrive. Up to
//!    [`INLINE_LIMIT`] octets stay in memory; a larger message goes to a [`BodyStore`], which here
//!    is a file `incoming/<transaction id>`. [`Staging::finish`] makes that file durable and splits
//!    the header section, which policies may edit, from the body, which nobody edits.
//! 2. [`Queue::accept`] hands over the [`NewMessage`]. One thread writes journal and database, and
//!    takes all waiting operations as a batch. Messages are appended to the journal, a file beside
//!    the database, and synced. The other operations run in one SQLite transaction, in which a bad
//!    operation fails alone; COMMIT syncs it (`synchronous=FULL`). Only then may the clients get
//!    their 250.
//! 3. [`Queue::claim`] leases due recipients to delivery, by destination and account in turns, as
//!    the schedule in memory chooses them. A message that is due when it is accepted is leased in
//!    the same commit and need not be read back ([`Queue::attach`]); delivery then enters it at its
//!    destination ([`Queue::enter`]). [`Queue::record`] takes the results. A bounce is committed together with
//!    the failure that it reports.
//! 4. When its last recipient is finished, the message is deleted: its rows, its body, and after
//!    the commit its file. A message that is delivered at once never has a row.
//!
//! Callers know a store by its seams only, each takes the one that it uses: [`Queue`],
//! [`QueueAdmin`], [`Counters`], [`BodyStore`], and those of the ledgers. Together they are [`Stores`].
//! [`SqliteSpool`] is the store of a relay, [`MemorySpool`] one for tests: what stands here of disk
//! and journal is of the first.
//!
//! Besides messages the store holds counts, marks and machines of policies ([`Effect`]). They are
//! written in the commit of the message that they came with, and looked up in memory
//! ([`Memory::seen`], [`Memory::counted`]). Their size is bounded for each account
//! ([`SpoolSettings::remembered_bytes`]).
//!
//! It also keeps four ledgers, whose entries are committed with the message or the result that they
//! come from ([`Ledger`]): [`EventLog`], [`Suppressions`], [`LearntIds`] and [`KeyedAnswers`].
//!
//! When the disk is nearly full, intake stops ([`SpoolError::Full`]) while deliveries are still
//! recorded: see [`SpoolSettings::min_free_bytes`]. When an fsync or a commit fails, the state of
//! the disk is unknown, and the process ends: see [`Fatal`].
//!
//! Damage to the store is reported. A damaged journal is kept under another name, and its whole
//! records are recovered ([`SqliteSpool::damage`]). A database that is missing, empty or of another
//! program is not replaced ([`SpoolError::Lost`]). Commits lost with the write-ahead log are
//! reported, and their mail is recovered from the journal ([`SqliteSpool::log_damage`]).
//! [`inspect`] checks all of this without changing anything.
//!
//! A store is copied while it is used ([`QueueAdmin::copy_to`]); a copy that is opened in its place
//! holds what may have been delivered since ([`SqliteSpool::restored`]).
//!
//! [`Effect`]: gatepost_model::Effect

#![forbid(unsafe_code)]

mod bodies;
mod copy;
mod counted_failures;
mod damage;
mod direct;
mod disk;
mod erasure;
mod error;
mod event_entry;
mod in_memory;
mod intervention;
mod journal;
mod ledger;
mod memory;
mod message;
mod own_mail;
mod pace;
mod queue;
mod schedule;
mod seams;
mod settings;
mod sqlite;
mod staging;

pub use bodies::{BodyStore, BodyWriter, StagedBody, StagedBytes, StoredBody};
pub use copy::{CopyProgress, CopyReport, RestoredQueue, is_held_by_restore};
pub use damage::{DamagedBody, JournalDamage, LogDamage, MarkDamage, inspect};
pub use erasure::{
    ERASE_AT_ONCE, EraseCursor, ErasedCorrespondent, ErasedRows, Erasure, ErasureStep, KeptSince,
};
pub use error::SpoolError;
pub use gatepost_counters::{KnownMachine, Memory, RememberedSize, RememberedTotals};
pub use gatepost_model::{Machine, Scope};
pub use in_memory::{MemorySettings, MemorySpool};
pub use journal::Fault;
pub use ledger::{
    Dropped, EventFilter, EventLog, EventPage, Keep, KeyedAnswers, LearntIds, Ledger,
    MAX_SUPPRESSIONS, READ_AT_ONCE, SuppressionFilter, Suppressions,
};
pub use message::{
    AttemptOutcome, Claim, ClaimCause, ClaimedRecipient, InitialState, Lease, NewBody, NewMessage,
    NewRecipient, Owner, Quarantine, RecipientResult, Recorded, Report, SenderProof,
};
pub use own_mail::OwnMail;
pub use pace::{DestinationSummary, Pace};
pub use queue::{
    Changed, Expired, Filter, Forgotten, QueueDepth, Recipient, RecipientState, Record, Selection,
    Status, Summary,
};
pub use seams::{Counters, EXPIRE_AT_ONCE, Queue, QueueAdmin, Store, Stores, Ticket};
pub use settings::{Fatal, SpoolSettings};

pub use sqlite::{SqliteSpool, read_memory};
pub use staging::{INLINE_LIMIT, Staged, Staging};
