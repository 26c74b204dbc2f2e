//! The thread that owns the database for writing.
//!
//! It takes everything that waits, runs it as one transaction and answers after COMMIT. While it
//! waits for the disk the next batch gathers by itself: the slower the disk, the larger the
//! batches, and nobody has to wait on purpose.

use std::{
    cell::Cell,
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
use tokio::sync::{Notify, oneshot};

use crate::{
    Claim, SpoolError, Ticket,
    disk::{Disk, failed_to},
    fresh::{Fresh, Order, Room},
    memory::{Change, Memory},
    staging::StagedFile,
};

use super::{body::Shelf, codec::to_u64, deliver};

/// The most operations of one transaction.
const MAX_BATCH: usize = 1024;

/// With nothing to do for so long, the log is carried over into the database.
const IDLE: Duration = Duration::from_millis(200);

/// Free pages beyond so many bytes are given back to the file system; with the disk below its
/// watermark, all are.
const SPARE: u64 = 64 << 20;

/// How much is given back at a time, in pages: no longer than that may a batch have to wait.
const GIVE_BACK: u64 = 1024;

/// What an operation without a message is taken to add to the log, in bytes: a few pages.
const PAGES: u64 = 16 << 10;

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
    disk: &'a Disk,
    free: &'a Cell<u64>,
    last_until: &'a Cell<u64>,
    room: &'a Cell<Room>,
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
#[derive(Default)]
pub(super) struct After {
    /// Staged bodies that belong to the store now.
    pub(super) keep: Vec<Arc<StagedFile>>,
    /// Messages whose body file goes.
    pub(super) remove: Vec<TransactionId>,
    /// What look-ups must see from now on.
    pub(super) changes: Vec<Change>,
    /// Something may be due earlier than before.
    pub(super) due: bool,
    /// Messages leased to delivery as they came.
    pub(super) fresh: Vec<Claim>,
    /// Bytes of messages written to the log.
    pub(super) bytes: u64,
    /// When the next recipient is due, or `NEVER`: of the whole batch.
    pub(super) next_due: u64,
}

impl After {
    fn add(&mut self, other: Self) {
        self.keep.extend(other.keep);
        self.remove.extend(other.remove);
        self.changes.extend(other.changes);
        self.due |= other.due;
        self.fresh.extend(other.fresh);
        self.bytes += other.bytes;
    }
}

/// Something that waits for the writer. May be run more than once; only what the last run did
/// is in the store.
pub(super) trait Operation: Send {
    fn kind(&self) -> Kind;
    fn run(&mut self, step: &mut Step<'_>) -> Result<(), SpoolError>;
    fn answer(self: Box<Self>, failure: Option<SpoolError>);
}

struct Waiting<T, F> {
    kind: Kind,
    run: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, SpoolError>>,
}

impl<T, F> Operation for Waiting<T, F>
where
    T: Send,
    F: FnMut(&mut Step<'_>) -> Result<T, SpoolError> + Send,
{
    fn kind(&self) -> Kind {
        self.kind
    }

    fn run(&mut self, step: &mut Step<'_>) -> Result<(), SpoolError> {
        self.value = Some((self.run)(step)?);
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
pub(super) fn operation<T, F>(kind: Kind, run: F) -> (Box<dyn Operation>, Ticket<T>)
where
    T: Send + 'static,
    F: FnMut(&mut Step<'_>) -> Result<T, SpoolError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let operation = Box::new(Waiting {
        kind,
        run,
        value: None,
        reply,
    });
    (
        operation,
        Box::pin(async { answer.await.unwrap_or(Err(SpoolError::Closed)) }),
    )
}

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
    pub(super) shelf: Arc<Shelf>,
    pub(super) disk: Arc<Disk>,
    pub(super) memory: Arc<Memory>,
    pub(super) changed: Arc<Notify>,
    pub(super) fresh: Arc<Fresh>,
    pub(super) due: Arc<AtomicU64>,
    /// Held for as long as the database is open.
    pub(super) lock: File,
}

impl Writer {
    /// Works until all senders are gone, or until the store cannot be trusted any more.
    pub(super) fn run(self, waiting: &mpsc::Receiver<Box<dyn Operation>>) {
        let _guard = EndsProcess(Arc::clone(&self.disk));
        let last_until = Cell::new(0);
        let mut log_bytes = 0;
        while let Some(batch) = self.next_batch(waiting, &mut log_bytes) {
            let Some(bytes) = self.commit(batch, &last_until) else {
                return;
            };
            log_bytes += bytes;
            if log_bytes > self.disk.max_log_bytes() && self.settle(&mut log_bytes).is_none() {
                return;
            }
        }
        // The last connection that closes carries the log over; errors then are for the next
        // start to meet.
        drop(self.connection);
        drop(self.lock);
    }

    /// Everything that waits; carries the log over while nothing does.
    fn next_batch(
        &self,
        waiting: &mpsc::Receiver<Box<dyn Operation>>,
        log_bytes: &mut u64,
    ) -> Option<Vec<Box<dyn Operation>>> {
        let first = loop {
            let idle = if *log_bytes > 0 { IDLE } else { Duration::MAX };
            match waiting.recv_timeout(idle) {
                Ok(first) => break first,
                Err(mpsc::RecvTimeoutError::Timeout) => self.settle(log_bytes)?,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            }
        };
        if self.disk.is_dead() {
            return None;
        }
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(MAX_BATCH - 1));
        Some(batch)
    }

    /// Runs a batch, answers it and gives how many bytes went to the log; `None` after a fatal
    /// error.
    fn commit(&self, mut batch: Vec<Box<dyn Operation>>, last_until: &Cell<u64>) -> Option<u64> {
        let started = Instant::now();
        let mut run = |attempt| self.transact(&mut batch, attempt, last_until);
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
        let nothing = || After {
            next_due: self.due.load(Ordering::Acquire),
            ..After::default()
        };
        let (after, failures) = match outcome {
            Outcome::Committed(after, failures) => (after, failures),
            Outcome::Full | Outcome::OneFailed => {
                (nothing(), vec![Some(self.disk.full()); batch.len()])
            }
            Outcome::Failed(error) => (nothing(), vec![Some(error); batch.len()]),
            Outcome::Fatal(error) => {
                self.disk
                    .fatal(&format!("writing to the spool failed: {error}"));
                return None;
            }
        };
        for file in &after.keep {
            file.keep();
        }
        self.memory.apply(after.changes);
        self.due.store(after.next_due, Ordering::Release);
        let fresh = !after.fresh.is_empty();
        self.fresh.put(after.fresh);
        for (operation, failure) in batch.into_iter().zip(failures) {
            operation.answer(failure);
        }
        if after.due || fresh {
            self.changed.notify_one();
        }
        for id in after.remove {
            let path = self.disk.body(id);
            if let Err(error) = fs::remove_file(&path).map_err(failed_to("remove", &path)) {
                // The next start removes it.
                tracing::warn!(%error, "a finished message leaves its body behind");
            }
        }
        Some(after.bytes + pages)
    }

    fn transact(
        &self,
        batch: &mut [Box<dyn Operation>],
        attempt: Attempt,
        last_until: &Cell<u64>,
    ) -> Outcome {
        let mut all = After::default();
        let mut failures = Vec::with_capacity(batch.len());
        // Unknown is as good as none: intake waits until the system can tell.
        let free = Cell::new(self.disk.free_now().unwrap_or(0));
        let room = Cell::new(self.fresh.room());
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            return self.given_up(error);
        }
        for operation in batch {
            if operation.kind() == Kind::Intake && attempt == Attempt::WithoutIntake {
                failures.push(Some(self.disk.full()));
                continue;
            }
            let mut step = Step {
                connection: &self.connection,
                shelf: &self.shelf,
                after: After::default(),
                disk: &self.disk,
                free: &free,
                last_until,
                room: &room,
            };
            let ran = match attempt {
                Attempt::Plain => operation.run(&mut step),
                Attempt::Guarded | Attempt::WithoutIntake => self
                    .execute("SAVEPOINT operation")
                    .and_then(|()| operation.run(&mut step))
                    .and_then(|()| self.execute("RELEASE operation")),
            };
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

    /// Rolls back what was begun.
    fn given_up(&self, error: SpoolError) -> Outcome {
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

    /// Carries the log over into the database and gives back what the database does not need;
    /// `None` after a fatal error.
    fn settle(&self, log_bytes: &mut u64) -> Option<()> {
        match self.checkpoint().and_then(|()| self.give_back()) {
            Ok(bytes) => *log_bytes = bytes,
            Err(error) if error.sqlite_code() == Some(ErrorCode::SystemIoFailure) => {
                self.disk
                    .fatal(&format!("carrying over the spool's log failed: {error}"));
                return None;
            }
            // Nothing is lost: it stays in the log until there is room.
            Err(error) => {
                *log_bytes = 0;
                tracing::warn!(%error, "the spool's log is not carried over");
            }
        }
        Some(())
    }

    /// With room enough the log keeps its size, to be written over from its beginning; otherwise
    /// its room is given back too.
    fn checkpoint(&self) -> Result<(), SpoolError> {
        let pragma = match self.disk.room(0) {
            Ok(()) => "PRAGMA wal_checkpoint(PASSIVE)",
            Err(_) => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        self.connection.query_row(pragma, [], |_| Ok(()))?;
        Ok(())
    }

    /// Shrinks the database after a backlog: else the room that the backlog took would be missing
    /// for ever, and intake with it. Says how many bytes that added to the log.
    fn give_back(&self) -> Result<u64, SpoolError> {
        let pragma = |name| {
            let number = |row: &Row<'_>| row.get(0).map(to_u64);
            self.connection.pragma_query_value(None, name, number)
        };
        let (free, size) = (pragma("freelist_count")?, pragma("page_size")?);
        let spare = if self.disk.room(0).is_ok() { SPARE } else { 0 };
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
