//! What waits for the writer, and what it works with.

use std::{cell::Cell, sync::Arc, sync::mpsc};

use gatepost_message::TransactionId;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    Claim, SpoolError, Ticket,
    disk::Disk,
    fresh::{Order, Room},
    journal::{Journal, Load},
    memory::Change,
    staging::StagedFile,
};

use super::{NEVER, body::Shelf, reader::Look};

/// Whether an operation is stopped by a full disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It takes mail: refused first.
    Intake,
    /// It works off what was taken.
    Work,
}

/// One operation within a batch: the database, and what is to follow once it is committed.
pub(super) struct Step<'a> {
    pub(super) connection: &'a Connection,
    pub(super) shelf: &'a Arc<Shelf>,
    pub(super) after: After,
    pub(super) disk: &'a Disk,
    /// Bytes free on the disk, as far as this batch has not set them aside.
    pub(super) free: &'a Cell<u64>,
    /// The end of the last lease.
    pub(super) last_until: &'a Cell<u64>,
    pub(super) room: &'a Cell<Room>,
}

impl Step<'_> {
    /// Sets so many bytes of the disk aside, unless that would go below the watermark.
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), SpoolError> {
        self.disk.check(self.free.get(), bytes)?;
        self.free.set(self.free.get().saturating_sub(bytes));
        Ok(())
    }

    /// To whom a message of so many octets is leased as it comes, if it may be.
    pub(super) fn lease_fresh(&self, octets: u64) -> Option<Order> {
        let mut room = self.room.get();
        let order = room.lease(octets);
        self.room.set(room);
        order
    }

    /// The end of a new lease: `wanted`, or a little later, so that no two leases end alike.
    pub(super) fn lease_until(&self, wanted: u64) -> u64 {
        let until = wanted.max(self.last_until.get() + 1);
        self.last_until.set(until);
        until
    }
}

/// What follows a commit.
pub(super) struct After {
    /// Staged bodies that belong to the store now.
    pub(super) keep: Vec<Arc<StagedFile>>,
    /// Messages whose body file goes.
    pub(super) remove: Vec<TransactionId>,
    /// What look-ups must see from now on.
    pub(super) changes: Vec<Change>,
    /// Something may be due earlier than before.
    pub(super) due: bool,
    /// When the first of what came is due; [`NEVER`] where nothing is.
    pub(super) first_due: u64,
    /// Mail was taken that stands nowhere but in the log of the database.
    pub(super) only_in_log: bool,
    /// Messages leased to delivery as they came.
    pub(super) fresh: Vec<Claim>,
    /// Bytes of messages written to the log.
    pub(super) bytes: u64,
    /// When the next recipient is due, or `NEVER`: of the whole batch.
    pub(super) next_due: u64,
    /// How much of what is forgotten in memory has gone from the database: of the whole batch.
    pub(super) forgotten: usize,
}

impl Default for After {
    fn default() -> Self {
        Self {
            keep: Vec::new(),
            remove: Vec::new(),
            changes: Vec::new(),
            due: false,
            first_due: NEVER,
            only_in_log: false,
            fresh: Vec::new(),
            bytes: 0,
            next_due: 0,
            forgotten: 0,
        }
    }
}

impl After {
    pub(super) fn add(&mut self, other: Self) {
        self.keep.extend(other.keep);
        self.remove.extend(other.remove);
        self.changes.extend(other.changes);
        self.due |= other.due;
        self.first_due = self.first_due.min(other.first_due);
        self.only_in_log |= other.only_in_log;
        self.fresh.extend(other.fresh);
        self.bytes += other.bytes;
    }
}

/// Something to be done to the store. May be run more than once; only what the last run did is in
/// the store.
pub(super) trait Work: Send + 'static {
    type Value: Send + 'static;

    /// Whether a full disk stops it.
    const KIND: Kind;

    /// How much it adds to a batch: one, and one for each thing to remember.
    fn weight(&self) -> usize {
        1
    }

    /// What of the journal has to be in the database before it is run there.
    fn needs(&self, _journal: &Journal) -> Load {
        Load::default()
    }

    /// Does it in the journal alone, where that will do. It is not run in the database then.
    fn in_journal(
        &mut self,
        _step: &mut Step<'_>,
        _journal: &mut Journal,
    ) -> Result<Option<Self::Value>, SpoolError> {
        Ok(None)
    }

    /// Does it in the database.
    fn in_database(&mut self, step: &mut Step<'_>) -> Result<Self::Value, SpoolError>;
}

/// Work for which the database has to hold all that the store does.
pub(super) struct Whole<F>(pub(super) F);

impl<T, F> Work for Whole<F>
where
    T: Send + 'static,
    F: FnMut(&mut Step<'_>) -> Result<T, SpoolError> + Send + 'static,
{
    type Value = T;
    const KIND: Kind = Kind::Work;

    fn needs(&self, journal: &Journal) -> Load {
        journal.everything()
    }

    fn in_database(&mut self, step: &mut Step<'_>) -> Result<T, SpoolError> {
        (self.0)(step)
    }
}

/// [`Work`] that somebody may wait for.
pub(super) trait Operation: Send {
    fn kind(&self) -> Kind;
    fn weight(&self) -> usize;
    fn needs(&self, journal: &Journal) -> Load;
    /// Whether it is done, or has failed for good.
    fn in_journal(
        &mut self,
        step: &mut Step<'_>,
        journal: &mut Journal,
    ) -> Result<bool, SpoolError>;
    fn in_database(&mut self, step: &mut Step<'_>) -> Result<(), SpoolError>;
    fn answer(self: Box<Self>, failure: Option<SpoolError>);
}

struct Waiting<W: Work> {
    work: W,
    value: Option<W::Value>,
    reply: oneshot::Sender<Result<W::Value, SpoolError>>,
}

impl<W: Work> Operation for Waiting<W> {
    fn kind(&self) -> Kind {
        W::KIND
    }

    fn weight(&self) -> usize {
        self.work.weight()
    }

    fn needs(&self, journal: &Journal) -> Load {
        self.work.needs(journal)
    }

    fn in_journal(
        &mut self,
        step: &mut Step<'_>,
        journal: &mut Journal,
    ) -> Result<bool, SpoolError> {
        self.value = self.work.in_journal(step, journal)?;
        Ok(self.value.is_some())
    }

    fn in_database(&mut self, step: &mut Step<'_>) -> Result<(), SpoolError> {
        self.value = Some(self.work.in_database(step)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<SpoolError>) {
        let value = match failure {
            Some(failure) => Err(failure),
            None => self.value.ok_or(SpoolError::Closed),
        };
        // Whoever asked may have stopped waiting.
        let _ = self.reply.send(value);
    }
}

/// Makes an operation, and the ticket that resolves when it is answered.
pub(super) fn operation<W: Work>(work: W) -> (Box<dyn Operation>, Ticket<W::Value>) {
    let (reply, answer) = oneshot::channel();
    let operation = Box::new(Waiting {
        work,
        value: None,
        reply,
    });
    (
        operation,
        Box::pin(async { answer.await.unwrap_or(Err(SpoolError::Closed)) }),
    )
}

/// A look at the database, once that holds all that the store does.
pub(super) struct Looking {
    pub(super) look: Look,
    pub(super) reader: mpsc::Sender<Look>,
}

impl Operation for Looking {
    fn kind(&self) -> Kind {
        Kind::Work
    }

    fn weight(&self) -> usize {
        1
    }

    fn needs(&self, journal: &Journal) -> Load {
        journal.everything()
    }

    fn in_journal(&mut self, _: &mut Step<'_>, _: &mut Journal) -> Result<bool, SpoolError> {
        Ok(false)
    }

    fn in_database(&mut self, _: &mut Step<'_>) -> Result<(), SpoolError> {
        Ok(())
    }

    fn answer(self: Box<Self>, failure: Option<SpoolError>) {
        match failure {
            Some(failure) => (self.look)(Err(failure)),
            None => {
                // A reader that is gone drops the look, and its ticket resolves to `Closed`.
                let _ = self.reader.send(self.look);
            }
        }
    }
}
