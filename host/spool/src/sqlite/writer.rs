//! The thread that owns journal and database for writing.
//!
//! It takes everything that waits. What the [`Journal`] can do is written there and answered once
//! it is synced; the rest is run as one transaction and answered after COMMIT. While it waits for
//! the disk the next batch gathers by itself: the slower the disk, the larger the batches, and
//! nobody has to wait on purpose.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fs::{self, File},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use gatepost_message::TransactionId;
use rusqlite::{Connection, ErrorCode, Row};
use tokio::sync::Notify;

use crate::{
    SpoolError,
    disk::{Disk, failed_to},
    fresh::Fresh,
    journal::{Journal, Load},
    memory::{Change, Memory},
};

use super::{
    accept,
    body::Shelf,
    carry,
    codec::to_u64,
    deliver,
    operation::{After, Kind, Operation, Step},
};

/// The most operations of one transaction, each thing to remember counted as one more.
const MAX_BATCH: usize = 1024;

/// So much of what memory has forgotten goes from the database in one transaction.
const FORGET_AT_ONCE: usize = 4096;

/// With nothing to do for so long, the log is carried over into the database.
const IDLE: Duration = Duration::from_millis(200);

/// Free pages beyond so many bytes are given back to the file system; where the disk is scarce,
/// all are.
const SPARE: u64 = 64 << 20;

/// With less than so many bytes above its watermark a disk is scarce: a message more may not fit.
const SCARCE: u64 = 1 << 20;

/// How much is given back at a time, in pages: no longer than that may a batch have to wait.
const GIVE_BACK: u64 = 1024;

/// What an operation without a message is taken to add to the log, in bytes: a few pages.
const PAGES: u64 = 16 << 10;

/// How long to wait for somebody else's lock on the database: a postmaster with the sqlite3 shell.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How a batch is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// Without savepoints: an operation hardly ever fails, and then nothing of the batch stays.
    Plain,
    /// Each operation in a savepoint, so that one that fails does so alone.
    Guarded,
    /// The same, but what takes mail is refused.
    WithoutIntake,
}

/// How the transaction of a batch ended.
enum Outcome {
    /// Committed; for each operation its failure, if it failed.
    Committed(After, Vec<Option<SpoolError>>),
    /// The disk is full; nothing was done.
    Full,
    /// An operation failed; nothing was done.
    OneFailed,
    /// Nothing was done.
    Failed(SpoolError),
    /// Nobody knows what was done.
    Fatal(SpoolError),
}

/// The writer's own things.
pub(super) struct Writer {
    pub(super) connection: Connection,
    /// None where the file system could not set aside its room.
    pub(super) journal: Option<Journal>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) disk: Arc<Disk>,
    pub(super) memory: Arc<Memory>,
    pub(super) changed: Arc<Notify>,
    pub(super) fresh: Arc<Fresh>,
    pub(super) due: Arc<AtomicU64>,
    /// The end of the last lease: no two end alike.
    pub(super) last_until: Cell<u64>,
    /// What memory has forgotten early, and the database has not yet.
    pub(super) forgotten: RefCell<VecDeque<Change>>,
    /// Held for as long as the database is open.
    pub(super) lock: File,
}

type Batch = Vec<Box<dyn Operation>>;

/// The store cannot be trusted any more, and everybody has been told.
struct Dead;

impl Writer {
    /// Works until all senders are gone, or until the store cannot be trusted any more.
    pub(super) fn run(mut self, waiting: &mpsc::Receiver<Box<dyn Operation>>) {
        let _guard = EndsProcess(Arc::clone(&self.disk));
        if let Ok(()) = self.work(waiting) {
            // Carries the log over; errors are for the next start to meet. Closing does it only where
            // no reader is open any more.
            let _ = self.checkpoint(PATIENCE);
            drop(self.connection);
            drop(self.lock);
        }
    }

    fn work(&mut self, waiting: &mpsc::Receiver<Box<dyn Operation>>) -> Result<(), Dead> {
        let mut log_bytes = 0;
        while let Some(batch) = self.next_batch(waiting, &mut log_bytes)? {
            let batch = self.run_in_journal(batch)?;
            let load = self.load_for(&batch);
            if !batch.is_empty() || load.is_some() {
                log_bytes += self.run_in_database(batch, &load.unwrap_or_default())?;
            }
            let wants = self.journal.as_ref().is_some_and(Journal::wants_checkpoint);
            if wants || log_bytes > self.disk.max_log_bytes() {
                self.settle(&mut log_bytes)?;
            }
        }
        self.catch_up().map(|_| ())
    }

    /// Everything that waits; makes order while nothing does. `None` once nothing will.
    fn next_batch(
        &mut self,
        waiting: &mpsc::Receiver<Box<dyn Operation>>,
        log_bytes: &mut u64,
    ) -> Result<Option<Batch>, Dead> {
        let first = loop {
            let behind = (self.journal.as_ref()).is_some_and(Journal::is_behind);
            let behind = behind || !self.forgotten.borrow().is_empty();
            // A damaged database is not tried again and again.
            let idle = if (*log_bytes > 0 || behind) && !self.disk.is_corrupt() {
                IDLE
            } else {
                Duration::MAX
            };
            match waiting.recv_timeout(idle) {
                Ok(first) => break first,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    *log_bytes += self.catch_up()?;
                    self.settle(log_bytes)?;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            }
        };
        if self.disk.is_dead() {
            return Err(Dead);
        }
        let mut weight = first.weight();
        let mut batch = vec![first];
        while weight < MAX_BATCH
            && let Ok(next) = waiting.try_recv()
        {
            weight += next.weight();
            batch.push(next);
        }
        Ok(Some(batch))
    }

    /// Does and answers what needs the journal alone, and gives back the rest.
    fn run_in_journal(&mut self, batch: Batch) -> Result<Batch, Dead> {
        let Some(journal) = &mut self.journal else {
            return Ok(batch);
        };
        let started = Instant::now();
        let free = Cell::new(self.disk.free_now().unwrap_or(0));
        let room = Cell::new(self.fresh.room());
        let mut step = Step {
            connection: &self.connection,
            shelf: &self.shelf,
            after: After::default(),
            disk: &self.disk,
            free: &free,
            last_until: &self.last_until,
            room: &room,
        };
        let (mut rest, mut done, mut sync) = (Vec::new(), Vec::new(), false);
        for mut operation in batch {
            match operation.in_journal(&mut step, journal) {
                Ok(false) => rest.push(operation),
                Ok(true) => {
                    sync |= operation.kind() == Kind::Intake;
                    done.push((operation, None));
                }
                Err(error) => {
                    self.disk.judge(&error);
                    done.push((operation, Some(error)));
                }
            }
        }
        if done.is_empty() {
            return Ok(rest);
        }
        // That a message is gone need not be durable at once: should the power fail before the
        // next sync, it is delivered again, as it would be had the power failed a moment earlier.
        // But for one whose file goes: it could not be delivered again.
        sync |= !step.after.remove.is_empty();
        let written = journal.write().map_err(|error| ("writing to", error));
        let synced = written.and_then(|()| match sync {
            true => journal.sync().map_err(|error| ("fsync of", error)),
            false => Ok(()),
        });
        if let Err((what, error)) = synced {
            self.disk
                .fatal(&format!("{what} the spool's journal failed: {error}"));
            return Err(Dead);
        }
        metrics::histogram!("gatepost_spool_commit_seconds").record(started.elapsed());
        metrics::histogram!("gatepost_spool_batch_operations").record(done.len() as f64);
        let mut after = step.after;
        self.due.fetch_min(after.first_due, Ordering::AcqRel);
        let remove = std::mem::take(&mut after.remove);
        self.follow(after);
        for (operation, failure) in done {
            operation.answer(failure);
        }
        self.remove_bodies(remove);
        Ok(rest)
    }

    /// What has to be carried over with a batch, or because it is time.
    fn load_for(&self, batch: &[Box<dyn Operation>]) -> Option<Load> {
        let journal = self.journal.as_ref()?;
        let needs = batch.iter().map(|operation| operation.needs(journal));
        needs.chain(journal.overdue()).reduce(Load::with)
    }

    /// Carries over all of the journal; gives how many bytes went to the log.
    fn catch_up(&mut self) -> Result<u64, Dead> {
        match &self.journal {
            Some(journal) if journal.is_behind() => {
                let everything = journal.everything();
                self.run_in_database(Vec::new(), &everything)
            }
            _ if !self.forgotten.borrow().is_empty() => {
                self.run_in_database(Vec::new(), &Load::default())
            }
            _ => Ok(0),
        }
    }

    /// What must be seen by others after something has been written.
    fn follow(&self, after: After) {
        for file in &after.keep {
            file.keep();
        }
        let forgotten = self.memory.apply(after.changes);
        self.forgotten.borrow_mut().extend(forgotten);
        let fresh = !after.fresh.is_empty();
        self.fresh.put(after.fresh);
        if after.due || fresh {
            self.changed.notify_one();
        }
    }

    /// Carries a load over, runs a batch, answers it and gives how many bytes went to the log.
    fn run_in_database(&mut self, mut batch: Batch, load: &Load) -> Result<u64, Dead> {
        let started = Instant::now();
        let mut run = |attempt| self.transact(&mut batch, load, attempt);
        let mut outcome = run(Attempt::Plain);
        if matches!(outcome, Outcome::OneFailed) {
            outcome = run(Attempt::Guarded);
        }
        if matches!(outcome, Outcome::Full) {
            // What works the queue off needs next to nothing: it gets the room that is left.
            outcome = run(Attempt::WithoutIntake);
        }
        metrics::histogram!("gatepost_spool_commit_seconds").record(started.elapsed());
        metrics::histogram!("gatepost_spool_batch_operations").record(batch.len() as f64);
        let pages = PAGES * batch.len() as u64;
        let (mut after, failures) = match outcome {
            Outcome::Committed(after, failures) => {
                let mut due = after.next_due;
                if let Some(journal) = &mut self.journal {
                    journal.carried(load);
                    due = journal.next_due().map_or(due, |first| due.min(first.0));
                }
                self.due.store(due, Ordering::Release);
                self.forgotten.borrow_mut().drain(..after.forgotten);
                (after, failures)
            }
            Outcome::Full | Outcome::OneFailed => {
                (After::default(), vec![Some(self.disk.full()); batch.len()])
            }
            Outcome::Failed(error) => {
                if batch.is_empty() && !self.disk.is_corrupt() {
                    tracing::error!(%error, "the spool's journal is not carried over");
                }
                (After::default(), vec![Some(error); batch.len()])
            }
            Outcome::Fatal(error) => {
                self.disk
                    .fatal(&format!("writing to the spool failed: {error}"));
                return Err(Dead);
            }
        };
        let (bytes, remove) = (after.bytes, std::mem::take(&mut after.remove));
        if after.only_in_log {
            self.leave_the_log()?;
        }
        self.follow(after);
        for (operation, failure) in batch.into_iter().zip(failures) {
            operation.answer(failure);
        }
        self.remove_bodies(remove);
        Ok(bytes + pages)
    }

    /// Writes the log to the database before clients get their 250 for mail that stands nowhere
    /// else: whoever loses the log would lose it without a trace. So it is for what the journal has
    /// no room for.
    fn leave_the_log(&mut self) -> Result<(), Dead> {
        match self.checkpoint(PATIENCE) {
            Ok(true) => Ok(()),
            Ok(false) => {
                tracing::warn!("a reader keeps mail in the log of the spool's database");
                Ok(())
            }
            Err(error) => self.not_settled(&error),
        }
    }

    fn remove_bodies(&self, ids: Vec<TransactionId>) {
        for id in ids {
            let path = self.disk.body(id);
            if let Err(error) = fs::remove_file(&path).map_err(failed_to("remove", &path)) {
                // The next start removes it.
                tracing::warn!(%error, "a finished message leaves its body behind");
            }
        }
    }

    fn transact(&self, batch: &mut [Box<dyn Operation>], load: &Load, attempt: Attempt) -> Outcome {
        let mut failures = Vec::with_capacity(batch.len());
        // Unknown is as good as none: intake waits until the system can tell.
        let free = Cell::new(self.disk.free_now().unwrap_or(0));
        let room = Cell::new(self.fresh.room());
        let step = || Step {
            connection: &self.connection,
            shelf: &self.shelf,
            after: After::default(),
            disk: &self.disk,
            free: &free,
            last_until: &self.last_until,
            room: &room,
        };
        let mut carrying = step();
        let begun = self.execute("BEGIN IMMEDIATE").and_then(|()| {
            let journal = self.journal.as_ref();
            journal.map_or(Ok(()), |journal| carry::over(&mut carrying, journal, load))
        });
        let forgotten = match begun.and_then(|()| self.forget(load)) {
            Ok(forgotten) => forgotten,
            Err(error) => return self.given_up(error),
        };
        let mut all = carrying.after;
        all.forgotten = forgotten;
        for operation in batch {
            if operation.kind() == Kind::Intake && attempt == Attempt::WithoutIntake {
                failures.push(Some(self.disk.full()));
                continue;
            }
            let mut step = step();
            let ran = match attempt {
                Attempt::Plain => operation.in_database(&mut step),
                Attempt::Guarded | Attempt::WithoutIntake => self
                    .execute("SAVEPOINT operation")
                    .and_then(|()| operation.in_database(&mut step))
                    .and_then(|()| self.execute("RELEASE operation")),
            };
            if let Err(error) = &ran {
                self.disk.judge(error);
            }
            match ran {
                Ok(()) => all.add(step.after),
                Err(error) if spoils_batch(&error) || self.connection.is_autocommit() => {
                    return self.given_up(error);
                }
                Err(_) if attempt == Attempt::Plain => {
                    return match self.execute("ROLLBACK") {
                        Ok(()) => Outcome::OneFailed,
                        Err(error) => self.given_up(error),
                    };
                }
                Err(error) => {
                    let undone = self
                        .execute("ROLLBACK TO operation")
                        .and_then(|()| self.execute("RELEASE operation"));
                    if let Err(error) = undone {
                        return self.given_up(error);
                    }
                    failures.push(Some(error));
                    continue;
                }
            }
            failures.push(None);
        }
        match deliver::next_due(&self.connection) {
            Ok(due) => all.next_due = due,
            Err(error) => return self.given_up(error),
        }
        match self.execute("COMMIT") {
            Ok(()) => Outcome::Committed(all, failures),
            Err(error) if self.disk.judge(&error) && !self.connection.is_autocommit() => {
                self.given_up(error)
            }
            Err(error) => match error.sqlite_code() {
                // These end before the commit is written.
                Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => self.given_up(error),
                // Whether it is in the log is unknown: a body that it may name must stay.
                _ => {
                    all.keep.iter().for_each(|file| file.keep());
                    Outcome::Fatal(error)
                }
            },
        }
    }

    /// Takes from the database what memory has forgotten early, as far as it has not come to be
    /// known again; gives how much of that is dealt with. It waits until nothing is to be carried
    /// over that would bring it back.
    fn forget(&self, load: &Load) -> Result<usize, SpoolError> {
        let journal = self.journal.as_ref();
        if journal.is_some_and(|journal| !journal.has_no_effects_after(load)) {
            return Ok(0);
        }
        let forgotten = self.forgotten.borrow();
        let some = forgotten.iter().take(FORGET_AT_ONCE);
        for change in some.clone().filter(|change| !self.memory.holds(change)) {
            accept::remember(&self.connection, change)?;
        }
        Ok(some.len())
    }

    /// Rolls back what was begun.
    fn given_up(&self, error: SpoolError) -> Outcome {
        self.disk.judge(&error);
        if error.sqlite_code() == Some(ErrorCode::SystemIoFailure) {
            return Outcome::Fatal(error);
        }
        // SQLite may have rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            return Outcome::Fatal(error);
        }
        match error.sqlite_code() {
            Some(ErrorCode::DiskFull) => Outcome::Full,
            _ => Outcome::Failed(error),
        }
    }

    /// Carries the log over into the database and gives back what the database does not need.
    fn settle(&mut self, log_bytes: &mut u64) -> Result<(), Dead> {
        // Nobody waits for a reader: what it keeps in the log goes next time.
        match self
            .checkpoint(Duration::ZERO)
            .and_then(|_| self.give_back())
        {
            Ok(bytes) => *log_bytes = bytes,
            Err(error) => {
                *log_bytes = 0;
                self.not_settled(&error)?;
            }
        }
        Ok(())
    }

    fn not_settled(&self, error: &SpoolError) -> Result<(), Dead> {
        if error.sqlite_code() == Some(ErrorCode::SystemIoFailure) {
            self.disk
                .fatal(&format!("carrying over the spool's log failed: {error}"));
            return Err(Dead);
        }
        // Nothing is lost: it stays in the log until there is room.
        if !self.disk.judge(error) {
            tracing::warn!(%error, "the spool's log is not carried over");
        }
        Ok(())
    }

    /// Writes what is in the log to the database and syncs that; whether it was all of it. Only then
    /// may the journal's records of it be written over.
    fn checkpoint(&mut self, patience: Duration) -> Result<bool, SpoolError> {
        if let Some(journal) = &mut self.journal {
            journal.checkpoint_begins();
        }
        let whole = checkpoint(&self.connection, patience)?;
        if whole && let Some(journal) = &mut self.journal {
            journal.checkpointed();
        }
        Ok(whole)
    }

    /// Shrinks the database after a backlog: else the room that the backlog took would be missing
    /// for ever, and intake with it. Says how many bytes that added to the log.
    fn give_back(&self) -> Result<u64, SpoolError> {
        let pragma = |name| {
            let number = |row: &Row<'_>| row.get(0).map(to_u64);
            self.connection.pragma_query_value(None, name, number)
        };
        let (free, size) = (pragma("freelist_count")?, pragma("page_size")?);
        let spare = if self.disk.room(SCARCE).is_ok() {
            SPARE
        } else {
            0
        };
        if free * size <= spare {
            return Ok(0);
        }
        // Works a page for each row that is asked for.
        let mut vacuum = self
            .connection
            .prepare_cached(&format!("PRAGMA incremental_vacuum({GIVE_BACK})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(free.min(GIVE_BACK) * size)
    }

    fn execute(&self, sql: &str) -> Result<(), SpoolError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// Writes the log to the database, and empties it: pages that are in the database as well would
/// stand in front of newer ones should the end of the log be lost. For a reader who needs it, it
/// waits so long. Gives whether all of it came there.
pub(super) fn checkpoint(connection: &Connection, patience: Duration) -> Result<bool, SpoolError> {
    connection.busy_timeout(patience)?;
    let written = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        let (log, written): (i64, i64) = (row.get(1)?, row.get(2)?);
        // Where a reader keeps it from being emptied, all of it may have been written.
        Ok(log >= 0 && log == written)
    });
    connection.busy_timeout(PATIENCE)?;
    Ok(written?)
}

/// Whether an error of one operation is one of the disk, and so of all.
fn spoils_batch(error: &SpoolError) -> bool {
    matches!(
        error.sqlite_code(),
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure)
    )
}

/// A relay without its writer would refuse all mail for ever and look alive.
struct EndsProcess(Arc<Disk>);

impl Drop for EndsProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .fatal("the spool's writer panicked, which is a defect in gatepost");
        }
    }
}
