//! Operations that wait for the writer, and their context.

use std::{
    cell::Cell,
    sync::{Arc, atomic::AtomicBool, mpsc},
};

use gatepost_counters::CounterChange;
use gatepost_message::TransactionId;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    Claim, SpoolError, StagedBytes, Ticket,
    direct::{Capacity, LeaseTerms},
    disk::Disk,
    journal::{CheckpointBatch, Journal},
    schedule::{Schedule, ScheduleChange},
};

use super::{
    body::BodyReader,
    copy::DatabaseCopy,
    key_set::{KeyChange, KeySet},
    reader::ReadQuery,
};

/// Class of an operation when the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OperationClass {
    /// Accepts mail: refused first.
    Intake,
    /// Finishes or changes stored mail.
    Work,
}

/// OperationContext of one operation in a batch: the database, and the actions that follow its commit.
pub(super) struct OperationContext<'a> {
    pub(super) connection: &'a Connection,
    pub(super) body_reader: &'a Arc<BodyReader>,
    pub(super) after: AfterCommit,
    pub(super) disk: &'a Disk,
    /// Bytes free on the disk that this batch has not reserved.
    pub(super) free: &'a Cell<u64>,
    pub(super) schedule: &'a Mutex<Schedule>,
    pub(super) capacity: &'a Cell<Capacity>,
    /// Number of the last event that was numbered.
    pub(super) last_event: &'a Cell<u64>,
    pub(super) suppressed: &'a KeySet,
    /// True if the store tells what it does itself.
    pub(super) records_events: &'a AtomicBool,
}

impl OperationContext<'_> {
    /// Numbers so many events; returns the first number. If they are not stored after all, their
    /// numbers are left out.
    pub(super) fn number_events(&mut self, count: usize) -> u64 {
        let first = self.last_event.get() + 1;
        self.last_event.set(first + count as u64 - 1);
        first
    }

    /// Reserves bytes on the disk, unless that would go below the watermark.
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), SpoolError> {
        self.disk.check(self.free.get(), bytes)?;
        self.free.set(self.free.get().saturating_sub(bytes));
        Ok(())
    }

    /// Returns the terms of a direct hand-off for a message of so many octets, if it may be handed
    /// off.
    pub(super) fn hand_off_terms(&self, octets: u64) -> Option<LeaseTerms> {
        let mut capacity = self.capacity.get();
        let terms = capacity.reserve(octets);
        self.capacity.set(capacity);
        terms
    }
}

/// Actions that follow a commit.
#[derive(Default)]
pub(super) struct AfterCommit {
    /// Staged bodies that belong to the store now.
    pub(super) keep: Vec<Arc<dyn StagedBytes>>,
    /// Messages whose body is to be removed from the body store.
    pub(super) remove: Vec<TransactionId>,
    /// Changes for the in-memory copy of marks, counts and machines.
    pub(super) changes: Vec<CounterChange>,
    /// Changes for the schedule.
    pub(super) scheduled: Vec<ScheduleChange>,
    /// True if mail was accepted that is only in the database's WAL.
    pub(super) only_in_wal: bool,
    /// Claims for the direct hand-off.
    pub(super) direct_claims: Vec<Claim>,
    /// Bytes of messages written to the WAL.
    pub(super) bytes: u64,
    /// Number of evictions that the whole batch has made in the database.
    pub(super) evicted: usize,
    /// Number of the last event that was written; 0 if none was.
    pub(super) last_event: u64,
    /// Addresses of which something is recorded now, or nothing any more.
    pub(super) suppressed: Vec<KeyChange>,
    /// Message-IDs that are learnt now, or forgotten.
    pub(super) learnt: Vec<KeyChange>,
    /// Keys under which there is an answer now, or none any more.
    pub(super) answers: Vec<KeyChange>,
    /// Copies of the database to begin.
    pub(super) copies: Vec<Arc<DatabaseCopy>>,
    /// Those who wait until what was erased is overwritten.
    pub(super) overwrites: Vec<Overwritten>,
}

/// Channel to whoever waits until what was erased is overwritten.
pub(super) type Overwritten = oneshot::Sender<Result<(), SpoolError>>;

impl AfterCommit {
    pub(super) fn add(&mut self, other: Self) {
        self.keep.extend(other.keep);
        self.remove.extend(other.remove);
        self.changes.extend(other.changes);
        self.scheduled.extend(other.scheduled);
        self.only_in_wal |= other.only_in_wal;
        self.direct_claims.extend(other.direct_claims);
        self.bytes += other.bytes;
        self.last_event = self.last_event.max(other.last_event);
        self.suppressed.extend(other.suppressed);
        self.learnt.extend(other.learnt);
        self.answers.extend(other.answers);
        self.copies.extend(other.copies);
        self.overwrites.extend(other.overwrites);
    }
}

/// A change to the store. May be run more than once; only what the last run did is in the store.
pub(super) trait Work: Send + 'static {
    type Value: Send + 'static;

    /// Class of the operation when the disk is full.
    const CLASS: OperationClass;

    /// Returns its share of a batch: one, and one for each effect.
    fn weight(&self) -> usize {
        1
    }

    /// Returns the entries that must be checkpointed before it is run in the database.
    fn needs(&self, _journal: &Journal) -> CheckpointBatch {
        CheckpointBatch::default()
    }

    /// Runs it in the journal alone, if possible; it is not run in the database then.
    fn in_journal(
        &mut self,
        _context: &mut OperationContext<'_>,
        _journal: &mut Journal,
    ) -> Result<Option<Self::Value>, SpoolError> {
        Ok(None)
    }

    /// Runs it in the database.
    fn in_database(
        &mut self,
        context: &mut OperationContext<'_>,
    ) -> Result<Self::Value, SpoolError>;

    /// Undoes what was done for it in memory before it was run: nothing of it is in the store.
    fn failed(&self) {}
}

/// Part of the journal that an operation needs to find in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JournalPart {
    Everything,
    /// Entries of the ledgers, and no message.
    Ledgers,
}

impl JournalPart {
    fn batch(self, journal: &Journal) -> CheckpointBatch {
        match self {
            Self::Everything => journal.everything(),
            Self::Ledgers => journal.all_changes(),
        }
    }
}

/// Work that needs a part of the journal checkpointed.
pub(super) struct AfterCheckpoint<F> {
    pub(super) needs: JournalPart,
    pub(super) work: F,
}

impl<T, F> Work for AfterCheckpoint<F>
where
    T: Send + 'static,
    F: FnMut(&mut OperationContext<'_>) -> Result<T, SpoolError> + Send + 'static,
{
    type Value = T;
    const CLASS: OperationClass = OperationClass::Work;

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        self.needs.batch(journal)
    }

    fn in_database(&mut self, context: &mut OperationContext<'_>) -> Result<T, SpoolError> {
        (self.work)(context)
    }
}

/// [`Work`] with a ticket that may be awaited.
pub(super) trait Operation: Send {
    fn class(&self) -> OperationClass;
    fn weight(&self) -> usize;
    fn needs(&self, journal: &Journal) -> CheckpointBatch;
    /// Runs it in the journal; returns true if it is finished.
    fn in_journal(
        &mut self,
        context: &mut OperationContext<'_>,
        journal: &mut Journal,
    ) -> Result<bool, SpoolError>;
    fn in_database(&mut self, context: &mut OperationContext<'_>) -> Result<(), SpoolError>;
    fn answer(self: Box<Self>, failure: Option<SpoolError>);
}

struct PendingOperation<W: Work> {
    work: W,
    value: Option<W::Value>,
    reply: oneshot::Sender<Result<W::Value, SpoolError>>,
}

impl<W: Work> Operation for PendingOperation<W> {
    fn class(&self) -> OperationClass {
        W::CLASS
    }

    fn weight(&self) -> usize {
        self.work.weight()
    }

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        self.work.needs(journal)
    }

    fn in_journal(
        &mut self,
        context: &mut OperationContext<'_>,
        journal: &mut Journal,
    ) -> Result<bool, SpoolError> {
        self.value = self.work.in_journal(context, journal)?;
        Ok(self.value.is_some())
    }

    fn in_database(&mut self, context: &mut OperationContext<'_>) -> Result<(), SpoolError> {
        self.value = Some(self.work.in_database(context)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<SpoolError>) {
        let value = match failure {
            Some(failure) => {
                self.work.failed();
                Err(failure)
            }
            None => self.value.ok_or(SpoolError::Closed),
        };
        // The receiver is gone if nobody awaits the ticket.
        let _ = self.reply.send(value);
    }
}

/// Makes an operation, and the ticket that resolves when it is answered.
pub(super) fn operation<W: Work>(work: W) -> (Box<dyn Operation>, Ticket<W::Value>) {
    let (reply, answer) = oneshot::channel();
    let operation = Box::new(PendingOperation {
        work,
        value: None,
        reply,
    });
    (
        operation,
        Box::pin(async { answer.await.unwrap_or(Err(SpoolError::Closed)) }),
    )
}

/// Forwards a query to the reader after a checkpoint.
pub(super) struct QueryAfterCheckpoint {
    pub(super) needs: JournalPart,
    pub(super) query: ReadQuery,
    pub(super) reader: mpsc::Sender<ReadQuery>,
}

impl Operation for QueryAfterCheckpoint {
    fn class(&self) -> OperationClass {
        OperationClass::Work
    }

    fn weight(&self) -> usize {
        1
    }

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        self.needs.batch(journal)
    }

    fn in_journal(
        &mut self,
        _: &mut OperationContext<'_>,
        _: &mut Journal,
    ) -> Result<bool, SpoolError> {
        Ok(false)
    }

    fn in_database(&mut self, _: &mut OperationContext<'_>) -> Result<(), SpoolError> {
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<SpoolError>) {
        match failure {
            Some(failure) => (self.query)(Err(failure)),
            None => {
                // A reader that has ended drops the query, and its ticket resolves to `Closed`.
                let _ = self.reader.send(self.query);
            }
        }
    }
}
