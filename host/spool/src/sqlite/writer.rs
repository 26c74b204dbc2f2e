//! The thread that writes journal and database.
//!
//! It takes all waiting operations as a batch. Operations that need the [`Journal`] alone are
//! written there and answered after its sync; the rest run as one transaction and are answered
//! after COMMIT. While the thread waits for the disk, the next batch gathers: the slower the disk,
//! the larger the batches, and no operation is delayed on purpose.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::{Arc, atomic::AtomicBool, mpsc},
    time::{Duration, Instant},
};

use gatepost_counters::CounterChange;
use gatepost_files::sqlite::{LOCK_TIMEOUT, REWRITTEN};
use gatepost_message::TransactionId;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, Row};
use tokio::sync::{Notify, watch};

use crate::{
    SpoolError,
    direct::DirectHandOff,
    disk::Disk,
    journal::{CheckpointBatch, Journal},
    memory::CounterMemory,
    schedule::{Schedule, ScheduleChange},
};

use super::{
    accept,
    body::BodyReader,
    checkpoint,
    codec::to_u64,
    copy::{CopySteps, DatabaseCopy, StepsLeft},
    key_set::KeySet,
    operation::{AfterCommit, Operation, OperationClass, OperationContext, Overwritten},
};

/// Most operations of one transaction; each effect counts as one more.
const MAX_BATCH: usize = 1024;

/// Most evictions that one transaction makes in the database.
const EVICTIONS_AT_ONCE: usize = 4096;

/// Time without work after which the journal is checkpointed and the WAL is copied into the
/// database.
const IDLE_TIME: Duration = Duration::from_millis(200);

/// Free bytes that the database file keeps; more are returned to the file system, and all of them
/// if the disk is scarce.
const SPARE_BYTES: u64 = 64 << 20;

/// Bytes above the watermark below which the disk is scarce: one more message may not fit.
const SCARCE_BYTES: u64 = 1 << 20;

/// Pages returned to the file system at a time, which is the longest that a batch waits for it.
const SHRINK_PAGES: u64 = 1024;

/// Bytes that an operation without a message is assumed to add to the WAL: a few pages.
const OPERATION_BYTES: u64 = 16 << 10;

/// Way of running a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BatchMode {
    /// Without savepoints: operations rarely fail, and if one does, the whole batch is rolled back.
    Plain,
    /// With a savepoint for each operation, so that a bad one fails alone.
    Guarded,
    /// As `Guarded`, but operations that accept mail are refused.
    WithoutIntake,
}

/// End of a batch's transaction.
enum BatchOutcome {
    /// Committed; with the failure of each operation that failed.
    Committed(Box<AfterCommit>, Vec<Option<SpoolError>>),
    /// Rolled back: the disk is full.
    Full,
    /// Rolled back: an operation failed.
    OneFailed,
    /// Rolled back: the transaction failed.
    Failed(SpoolError),
    /// The state of the store is unknown.
    Fatal(SpoolError),
}

/// State of the writer's thread.
pub(super) struct Writer<'c> {
    pub(super) connection: &'c Connection,
    /// Journal; `None` if the file system could not allocate its space.
    pub(super) journal: Option<Journal>,
    pub(super) body_reader: Arc<BodyReader>,
    pub(super) disk: Arc<Disk>,
    pub(super) memory: Arc<CounterMemory>,
    pub(super) changed: Arc<Notify>,
    pub(super) hand_off: Arc<DirectHandOff>,
    pub(super) schedule: Arc<Mutex<Schedule>>,
    /// Number of the last event that was numbered, stored or not.
    pub(super) last_event: Cell<u64>,
    /// Number of the last event that is stored.
    pub(super) stored_event: watch::Sender<u64>,
    pub(super) suppressed: Arc<KeySet>,
    pub(super) learnt: Arc<KeySet>,
    pub(super) answers: Arc<KeySet>,
    pub(super) records_events: Arc<AtomicBool>,
    /// Evictions that are made in memory and not yet in the database.
    pub(super) evicted: RefCell<VecDeque<CounterChange>>,
    /// Copies of the database to begin.
    pub(super) copies: RefCell<Vec<Arc<DatabaseCopy>>>,
    /// Those who wait until what was erased is overwritten.
    pub(super) overwrites: RefCell<Vec<Overwritten>>,
}

type Batch = Vec<Box<dyn Operation>>;

/// The store cannot be trusted any more; the fatal handler was called.
pub(super) struct StoreDead;

impl Writer<'_> {
    /// Works until all senders are gone, or until the store cannot be trusted any more.
    pub(super) fn run(mut self, waiting: &mpsc::Receiver<Box<dyn Operation>>) {
        let _guard = PanicGuard(Arc::clone(&self.disk));
        if let Ok(()) = self.work(waiting) {
            // Copies the WAL into the database; the next start meets any error. SQLite itself does
            // this on closing only if no reader is open.
            let _ = self.checkpoint_wal(LOCK_TIMEOUT);
        }
    }

    fn work(&mut self, waiting: &mpsc::Receiver<Box<dyn Operation>>) -> Result<(), StoreDead> {
        let mut wal_bytes = 0;
        while let Some(batch) = self.next_batch(waiting, &mut wal_bytes)? {
            self.run_batch(batch, &mut wal_bytes)?;
            loop {
                let copy = self.copies.borrow_mut().pop();
                let Some(copy) = copy else { break };
                let copied = self.copy(&copy, waiting, &mut wal_bytes)?;
                copy.answer(copied);
            }
            let waiting: Vec<_> = self.overwrites.borrow_mut().drain(..).collect();
            if !waiting.is_empty() {
                let overwritten = self.overwrite(&mut wal_bytes)?;
                for one in waiting {
                    let answer = match &overwritten {
                        Ok(()) => Ok(()),
                        Err(why) => Err(SpoolError::NotOverwritten(why.clone())),
                    };
                    // Whoever asked may have gone.
                    let _ = one.send(answer);
                }
            }
        }
        self.checkpoint_all().map(|_| ())
    }

    /// Overwrites what was erased: in the database's unused parts, in its log and in the journal.
    /// Returns the reason if that could not be done.
    fn overwrite(&mut self, wal_bytes: &mut u64) -> Result<Result<(), String>, StoreDead> {
        *wal_bytes += self.checkpoint_all()?;
        if let Err(error) = self.rewrite() {
            self.report_wal_error(&error)?;
            return Ok(Err(error.to_string()));
        }
        match self.checkpoint_wal(LOCK_TIMEOUT) {
            Ok(true) => *wal_bytes = 0,
            Ok(false) => {
                let why = "a reader keeps the write-ahead log of the spool's database";
                return Ok(Err(why.to_owned()));
            }
            Err(error) => {
                self.report_wal_error(&error)?;
                return Ok(Err(error.to_string()));
            }
        }
        let overwritten = self
            .journal
            .as_mut()
            .map_or(Ok(()), Journal::overwrite_free);
        match overwritten {
            Ok(()) => Ok(Ok(())),
            Err(error) => {
                self.disk
                    .fatal(&format!("writing to the spool's journal failed: {error}"));
                Err(StoreDead)
            }
        }
    }

    /// Writes a small database anew, and frees all unused pages of a large one.
    fn rewrite(&self) -> Result<(), SpoolError> {
        let pragma = |name| {
            let number = |row: &Row<'_>| row.get::<_, i64>(0);
            self.connection.pragma_query_value(None, name, number)
        };
        if pragma("page_count")? * pragma("page_size")? <= REWRITTEN {
            self.connection.execute_batch("VACUUM")?;
            return Ok(());
        }
        let mut vacuum = (self.connection).prepare_cached("PRAGMA incremental_vacuum")?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    /// Runs and answers a batch, and sees to the journal and the WAL.
    fn run_batch(&mut self, batch: Batch, wal_bytes: &mut u64) -> Result<(), StoreDead> {
        let batch = self.run_in_journal(batch)?;
        let checkpoint = self.checkpoint_for(&batch);
        if !batch.is_empty() || checkpoint.is_some() {
            *wal_bytes += self.run_in_database(batch, &checkpoint.unwrap_or_default())?;
        }
        let journal = self.journal.as_ref();
        let wants = journal.is_some_and(Journal::wants_wal_checkpoint);
        if wants || *wal_bytes > self.disk.max_log_bytes() {
            self.checkpoint_wal_and_shrink(wal_bytes)?;
        }
        Ok(())
    }

    /// Copies the database, a few pages after each batch. SQLite writes what this connection commits
    /// meanwhile to the copy, too.
    fn copy(
        &mut self,
        copy: &DatabaseCopy,
        waiting: &mpsc::Receiver<Box<dyn Operation>>,
        wal_bytes: &mut u64,
    ) -> Result<Result<(), SpoolError>, StoreDead> {
        let mut to = match copy.create() {
            Ok(to) => to,
            Err(error) => return Ok(Err(error)),
        };
        let mut steps = match CopySteps::begin(self.connection, &mut to) {
            Ok(steps) => steps,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            if steps.next_is_last() {
                // So that the copy has all that was accepted so far.
                *wal_bytes += self.checkpoint_all()?;
            }
            match steps.take() {
                Ok(StepsLeft::None) => return Ok(Ok(())),
                Ok(StepsLeft::Some(progress)) => copy.report(progress),
                Err(error) => return Ok(Err(error)),
            }
            match waiting.try_recv() {
                Ok(first) => {
                    let batch = self.gather(first, waiting)?;
                    self.run_batch(batch, wal_bytes)?;
                }
                Err(mpsc::TryRecvError::Empty) => {}
                Err(mpsc::TryRecvError::Disconnected) => return Ok(Err(SpoolError::Closed)),
            }
        }
    }

    /// Returns all waiting operations; does maintenance while there are none. `None` once all
    /// senders are gone.
    fn next_batch(
        &mut self,
        waiting: &mpsc::Receiver<Box<dyn Operation>>,
        wal_bytes: &mut u64,
    ) -> Result<Option<Batch>, StoreDead> {
        let first = loop {
            let behind = (self.journal.as_ref()).is_some_and(Journal::is_behind);
            let behind = behind || !self.evicted.borrow().is_empty();
            // Maintenance of a damaged database is not repeated.
            let idle = if (*wal_bytes > 0 || behind) && !self.disk.is_corrupt() {
                IDLE_TIME
            } else {
                Duration::MAX
            };
            match waiting.recv_timeout(idle) {
                Ok(first) => break first,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    *wal_bytes += self.checkpoint_all()?;
                    self.checkpoint_wal_and_shrink(wal_bytes)?;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            }
        };
        self.gather(first, waiting).map(Some)
    }

    /// Returns a batch of this operation and those that wait behind it.
    fn gather(
        &self,
        first: Box<dyn Operation>,
        waiting: &mpsc::Receiver<Box<dyn Operation>>,
    ) -> Result<Batch, StoreDead> {
        if self.disk.is_dead() {
            return Err(StoreDead);
        }
        let mut weight = first.weight();
        let mut batch = vec![first];
        while weight < MAX_BATCH
            && let Ok(next) = waiting.try_recv()
        {
            weight += next.weight();
            batch.push(next);
        }
        Ok(batch)
    }

    /// Runs and answers the operations that need the journal alone, and returns the rest.
    fn run_in_journal(&mut self, batch: Batch) -> Result<Batch, StoreDead> {
        let Some(journal) = &mut self.journal else {
            return Ok(batch);
        };
        let started = Instant::now();
        let free = Cell::new(self.disk.free_now().unwrap_or(0));
        let capacity = Cell::new(self.hand_off.capacity());
        let mut context = OperationContext {
            connection: self.connection,
            body_reader: &self.body_reader,
            after: AfterCommit::default(),
            disk: &self.disk,
            free: &free,
            schedule: &self.schedule,
            capacity: &capacity,
            last_event: &self.last_event,
            suppressed: &self.suppressed,
            records_events: &self.records_events,
        };
        let (mut rest, mut done, mut sync) = (Vec::new(), Vec::new(), false);
        for mut operation in batch {
            match operation.in_journal(&mut context, journal) {
                Ok(false) => rest.push(operation),
                Ok(true) => {
                    sync |= operation.class() == OperationClass::Intake;
                    done.push((operation, None));
                }
                Err(error) => {
                    self.disk.note_damage(&error);
                    done.push((operation, Some(error)));
                }
            }
        }
        if done.is_empty() {
            return Ok(rest);
        }
        // A tombstone need not be durable at once: if the power fails before the next sync, the
        // message is delivered again, as it would be had the power failed a moment earlier. Not so
        // if its file is removed: it could not be delivered again.
        sync |= !context.after.remove.is_empty();
        let written = journal.write().map_err(|error| ("writing to", error));
        let synced = written.and_then(|()| match sync {
            true => journal.sync().map_err(|error| ("fsync of", error)),
            false => Ok(()),
        });
        if let Err((what, error)) = synced {
            self.disk
                .fatal(&format!("{what} the spool's journal failed: {error}"));
            return Err(StoreDead);
        }
        metrics::histogram!("gatepost_spool_commit_seconds").record(started.elapsed());
        metrics::histogram!("gatepost_spool_batch_operations").record(done.len() as f64);
        let mut after = context.after;
        let remove = std::mem::take(&mut after.remove);
        self.publish(after);
        for (operation, failure) in done {
            operation.answer(failure);
        }
        self.remove_bodies(remove);
        Ok(rest)
    }

    /// Returns the entries and effects that a batch needs checkpointed, or that are overdue.
    fn checkpoint_for(&self, batch: &[Box<dyn Operation>]) -> Option<CheckpointBatch> {
        let journal = self.journal.as_ref()?;
        let needs = batch.iter().map(|operation| operation.needs(journal));
        needs
            .chain(journal.overdue())
            .reduce(CheckpointBatch::merge)
    }

    /// Checkpoints the whole journal; returns the bytes added to the WAL.
    fn checkpoint_all(&mut self) -> Result<u64, StoreDead> {
        match &self.journal {
            Some(journal) if journal.is_behind() => {
                let everything = journal.everything();
                self.run_in_database(Vec::new(), &everything)
            }
            _ if !self.evicted.borrow().is_empty() => {
                self.run_in_database(Vec::new(), &CheckpointBatch::default())
            }
            _ => Ok(0),
        }
    }

    /// Publishes to other threads what was written.
    fn publish(&self, after: AfterCommit) {
        for bytes in &after.keep {
            bytes.keep();
        }
        let evicted = self.memory.apply(after.changes);
        self.evicted.borrow_mut().extend(evicted);
        let journal = self.journal.as_ref();
        self.suppressed.apply(after.suppressed, |account, address| {
            journal.is_some_and(|journal| journal.suppresses(account, address))
        });
        self.learnt.apply(after.learnt, |account, theirs| {
            journal.is_some_and(|journal| journal.learns(account, theirs))
        });
        self.answers.apply(after.answers, |account, name| {
            journal.is_some_and(|journal| journal.answers_under(account, name))
        });
        self.copies.borrow_mut().extend(after.copies);
        self.overwrites.borrow_mut().extend(after.overwrites);
        if after.last_event > 0 {
            self.stored_event.send_replace(after.last_event);
        }
        let is_earlier = self.follow(after.scheduled);
        let has_direct_claims = !after.direct_claims.is_empty();
        // The schedule knows them: delivery may enter them at a destination.
        self.hand_off.put(after.direct_claims);
        if is_earlier || has_direct_claims {
            self.changed.notify_one();
        }
    }

    /// Lets the schedule follow a commit; returns true if something can be claimed earlier.
    fn follow(&self, changes: Vec<ScheduleChange>) -> bool {
        let mut schedule = self.schedule.lock();
        let before = schedule.next_due();
        changes
            .into_iter()
            .for_each(|change| schedule.apply(change));
        schedule.is_earlier(before)
    }

    /// Checkpoints, runs a batch and answers it; returns the bytes added to the WAL.
    fn run_in_database(
        &mut self,
        mut batch: Batch,
        checkpoint: &CheckpointBatch,
    ) -> Result<u64, StoreDead> {
        let started = Instant::now();
        let mut run = |mode| self.transact(&mut batch, checkpoint, mode);
        let mut outcome = run(BatchMode::Plain);
        if matches!(outcome, BatchOutcome::OneFailed) {
            outcome = run(BatchMode::Guarded);
        }
        if matches!(outcome, BatchOutcome::Full) {
            // Operations that finish mail need very little space: they get what is left.
            outcome = run(BatchMode::WithoutIntake);
        }
        metrics::histogram!("gatepost_spool_commit_seconds").record(started.elapsed());
        metrics::histogram!("gatepost_spool_batch_operations").record(batch.len() as f64);
        let pages = OPERATION_BYTES * batch.len() as u64;
        let (mut after, failures) = match outcome {
            BatchOutcome::Committed(after, failures) => {
                if let Some(journal) = &mut self.journal {
                    journal.checkpointed(checkpoint);
                }
                self.evicted.borrow_mut().drain(..after.evicted);
                (*after, failures)
            }
            BatchOutcome::Full | BatchOutcome::OneFailed => (
                AfterCommit::default(),
                vec![Some(self.disk.full_error()); batch.len()],
            ),
            BatchOutcome::Failed(error) => {
                if batch.is_empty() && !self.disk.is_corrupt() {
                    tracing::error!(%error, "cannot checkpoint the spool's journal");
                }
                (AfterCommit::default(), vec![Some(error); batch.len()])
            }
            BatchOutcome::Fatal(error) => {
                self.disk
                    .fatal(&format!("writing to the spool failed: {error}"));
                return Err(StoreDead);
            }
        };
        let (bytes, remove) = (after.bytes, std::mem::take(&mut after.remove));
        if after.only_in_wal {
            self.empty_wal()?;
        }
        self.publish(after);
        for (operation, failure) in batch.into_iter().zip(failures) {
            operation.answer(failure);
        }
        self.remove_bodies(remove);
        Ok(bytes + pages)
    }

    /// Copies the WAL into the database before clients get their 250 for mail that is only there,
    /// since losing the WAL would lose that mail without a trace. This concerns messages that the
    /// journal has no room for.
    fn empty_wal(&mut self) -> Result<(), StoreDead> {
        match self.checkpoint_wal(LOCK_TIMEOUT) {
            Ok(true) => Ok(()),
            Ok(false) => {
                tracing::warn!(
                    "a reader keeps mail in the write-ahead log of the spool's database"
                );
                Ok(())
            }
            Err(error) => self.report_wal_error(&error),
        }
    }

    fn remove_bodies(&self, ids: Vec<TransactionId>) {
        for id in ids {
            if let Err(error) = self.body_reader.remove(id) {
                // The next start removes it.
                tracing::warn!(%error, "cannot remove the body of a finished message");
            }
        }
    }

    fn transact(
        &self,
        batch: &mut [Box<dyn Operation>],
        checkpoint: &CheckpointBatch,
        mode: BatchMode,
    ) -> BatchOutcome {
        let mut failures = Vec::with_capacity(batch.len());
        // An unknown number counts as none: intake waits until the system can tell.
        let free = Cell::new(self.disk.free_now().unwrap_or(0));
        let capacity = Cell::new(self.hand_off.capacity());
        let context = || OperationContext {
            connection: self.connection,
            body_reader: &self.body_reader,
            after: AfterCommit::default(),
            disk: &self.disk,
            free: &free,
            schedule: &self.schedule,
            capacity: &capacity,
            last_event: &self.last_event,
            suppressed: &self.suppressed,
            records_events: &self.records_events,
        };
        let mut checkpointing = context();
        let begun = self.execute("BEGIN IMMEDIATE").and_then(|()| {
            let journal = self.journal.as_ref();
            journal.map_or(Ok(()), |journal| {
                checkpoint::run(&mut checkpointing, journal, checkpoint)
            })
        });
        let evicted = match begun.and_then(|()| self.evict_from_database(checkpoint)) {
            Ok(evicted) => evicted,
            Err(error) => return self.roll_back(error),
        };
        let mut all = checkpointing.after;
        all.evicted = evicted;
        for operation in batch {
            if operation.class() == OperationClass::Intake && mode == BatchMode::WithoutIntake {
                failures.push(Some(self.disk.full_error()));
                continue;
            }
            let mut context = context();
            let ran = match mode {
                BatchMode::Plain => operation.in_database(&mut context),
                BatchMode::Guarded | BatchMode::WithoutIntake => self
                    .execute("SAVEPOINT operation")
                    .and_then(|()| operation.in_database(&mut context))
                    .and_then(|()| self.execute("RELEASE operation")),
            };
            if let Err(error) = &ran {
                self.disk.note_damage(error);
            }
            match ran {
                Ok(()) => all.add(context.after),
                Err(error) if spoils_batch(&error) || self.connection.is_autocommit() => {
                    return self.roll_back(error);
                }
                Err(_) if mode == BatchMode::Plain => {
                    return match self.execute("ROLLBACK") {
                        Ok(()) => BatchOutcome::OneFailed,
                        Err(error) => self.roll_back(error),
                    };
                }
                Err(error) => {
                    let undone = self
                        .execute("ROLLBACK TO operation")
                        .and_then(|()| self.execute("RELEASE operation"));
                    if let Err(error) = undone {
                        return self.roll_back(error);
                    }
                    failures.push(Some(error));
                    continue;
                }
            }
            failures.push(None);
        }
        match self.execute("COMMIT") {
            Ok(()) => BatchOutcome::Committed(Box::new(all), failures),
            // A damaged page is met before the commit is written; a body that it may name stays.
            Err(error) if self.disk.note_damage(&error) => {
                all.keep.iter().for_each(|bytes| bytes.keep());
                self.roll_back(error)
            }
            Err(error) => match error.sqlite_code() {
                // These errors come before the commit is written.
                Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => self.roll_back(error),
                // It is unknown whether the commit is in the WAL, so a body that it may name must
                // stay.
                _ => {
                    all.keep.iter().for_each(|bytes| bytes.keep());
                    BatchOutcome::Fatal(error)
                }
            },
        }
    }

    /// Makes evictions of the memory in the database, too, unless the entry is known again; returns
    /// how many are done. Waits until no effect is left in the journal that would restore them.
    fn evict_from_database(&self, checkpoint: &CheckpointBatch) -> Result<usize, SpoolError> {
        let journal = self.journal.as_ref();
        if journal.is_some_and(|journal| !journal.includes_all_changes(checkpoint)) {
            return Ok(0);
        }
        let evicted = self.evicted.borrow();
        let some = evicted.iter().take(EVICTIONS_AT_ONCE);
        for change in some
            .clone()
            .filter(|change| !self.memory.counters.holds(change))
        {
            accept::write_change(self.connection, change)?;
        }
        Ok(some.len())
    }

    /// Rolls back the transaction.
    fn roll_back(&self, error: SpoolError) -> BatchOutcome {
        self.disk.note_damage(&error);
        if error.sqlite_code() == Some(ErrorCode::SystemIoFailure) {
            return BatchOutcome::Fatal(error);
        }
        // SQLite may have rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
            && !self.connection.is_autocommit()
        {
            return BatchOutcome::Fatal(error);
        }
        match error.sqlite_code() {
            Some(ErrorCode::DiskFull) => BatchOutcome::Full,
            _ => BatchOutcome::Failed(error),
        }
    }

    /// Copies the WAL into the database and returns unused space to the file system.
    fn checkpoint_wal_and_shrink(&mut self, wal_bytes: &mut u64) -> Result<(), StoreDead> {
        // Nobody waits for a reader: what it keeps in the WAL is copied next time.
        match self
            .checkpoint_wal(Duration::ZERO)
            .and_then(|_| self.shrink())
        {
            Ok(bytes) => *wal_bytes = bytes,
            Err(error) => {
                *wal_bytes = 0;
                self.report_wal_error(&error)?;
            }
        }
        Ok(())
    }

    fn report_wal_error(&self, error: &SpoolError) -> Result<(), StoreDead> {
        if error.sqlite_code() == Some(ErrorCode::SystemIoFailure) {
            self.disk.fatal(&format!(
                "copying the write-ahead log into the spool's database failed: {error}"
            ));
            return Err(StoreDead);
        }
        // Nothing is lost: it stays in the WAL until there is room.
        if !self.disk.note_damage(error) {
            tracing::warn!(%error, "cannot copy the write-ahead log into the spool's database");
        }
        Ok(())
    }

    /// Copies the WAL into the database and syncs it; returns true if all of it was copied. Only
    /// then may the journal overwrite the records of those commits.
    fn checkpoint_wal(&mut self, patience: Duration) -> Result<bool, SpoolError> {
        if let Some(journal) = &mut self.journal {
            journal.wal_checkpoint_begins();
        }
        let whole = checkpoint_wal(self.connection, patience)?;
        if whole && let Some(journal) = &mut self.journal {
            journal.wal_checkpointed();
        }
        Ok(whole)
    }

    /// Shrinks the database after a backlog: otherwise the space that the backlog took would be
    /// missing for ever, and intake would stay closed. Returns the bytes added to the WAL.
    fn shrink(&self) -> Result<u64, SpoolError> {
        let pragma = |name| {
            let number = |row: &Row<'_>| row.get(0).map(to_u64);
            self.connection.pragma_query_value(None, name, number)
        };
        let (free, size) = (pragma("freelist_count")?, pragma("page_size")?);
        let spare = if self.disk.room(SCARCE_BYTES).is_ok() {
            SPARE_BYTES
        } else {
            0
        };
        if free * size <= spare {
            return Ok(0);
        }
        // Each returned row frees a page.
        let mut vacuum = self
            .connection
            .prepare_cached(&format!("PRAGMA incremental_vacuum({SHRINK_PAGES})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(free.min(SHRINK_PAGES) * size)
    }

    fn execute(&self, sql: &str) -> Result<(), SpoolError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// Copies the WAL into the database and empties it: old pages in the WAL would hide newer ones in
/// the database if the end of the WAL were lost. Waits up to `patience` for a reader that needs it.
/// Returns true if all of it was copied.
pub(super) fn checkpoint_wal(
    connection: &Connection,
    patience: Duration,
) -> Result<bool, SpoolError> {
    connection.busy_timeout(patience)?;
    let written = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        let (log, written): (i64, i64) = (row.get(1)?, row.get(2)?);
        // If a reader keeps it from being emptied, all of it may have been copied all the same.
        Ok(log >= 0 && log == written)
    });
    connection.busy_timeout(LOCK_TIMEOUT)?;
    Ok(written?)
}

/// Returns true if an operation's error is the disk's, and so concerns the whole batch.
fn spoils_batch(error: &SpoolError) -> bool {
    matches!(
        error.sqlite_code(),
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure)
    )
}

/// Guard that ends the process if the writer panics: a relay without its writer would refuse all
/// mail for ever and seem alive.
struct PanicGuard(Arc<Disk>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .fatal("the spool's writer panicked, which is a defect in gatepost");
        }
    }
}
