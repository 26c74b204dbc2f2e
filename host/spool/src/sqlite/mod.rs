//! The embedded store: one SQLite database, one thread that writes, one that reads.
//!
//! - [`open`]: locking, migrations, recovery from the last relay's journal.
//! - [`writer`]: batches, and their handling when the disk is full or fails.
//! - [`operation`]: operations that wait for the writer.
//! - [`accept`], [`deliver`], [`operate`]: changes of operations to the rows.
//! - [`checkpoint`]: moves journal entries into rows.
//! - [`reader`], [`stored`], [`scheduled`], [`body`]: reading of rows.

mod accept;
pub(crate) mod bodies;
mod body;
pub(crate) mod checkpoint;
mod codec;
mod deliver;
mod open;
mod operate;
mod operation;
mod reader;
mod scheduled;
pub(crate) mod schema;
mod stored;
mod writer;

use std::{
    fmt,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use gatepost_counters::Memory;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{DestinationKey, Effect};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::{
    BodyStore, Changed, Claim, Counters, DestinationSummary, Expired, Filter, Forgotten,
    KnownMachine, Lease, Machine, NewMessage, Owner, Pace, Queue, QueueAdmin, QueueDepth, Record,
    Recorded, RememberedTotals, Report, Scope, Selection, SpoolError, SpoolSettings, Stores,
    Summary, Ticket,
    damage::{DamagedBody, JournalDamage, LogDamage, MarkDamage},
    direct::{DirectHandOff, LeaseTerms},
    disk::Disk,
    intervention::Intervention,
    memory::CounterMemory,
    message::bound_effects,
    schedule::Schedule,
};

use self::{
    accept::{Accept, ApplyEffects},
    body::BodyReader,
    deliver::{RecordReport, StoreClaim},
    operation::{AfterCheckpoint, Operation, OperationContext, QueryAfterCheckpoint, Work},
    reader::{QueueSection, ReadQuery},
};

/// A store in one directory of the local file system. Dropped, it finishes waiting operations
/// and closes, which blocks for a moment.
pub struct SqliteSpool {
    disk: Arc<Disk>,
    memory: Arc<CounterMemory>,
    changed: Arc<Notify>,
    bodies: Arc<dyn BodyStore>,
    body_reader: Arc<BodyReader>,
    hand_off: Arc<DirectHandOff>,
    schedule: Arc<Mutex<Schedule>>,
    damage: Option<JournalDamage>,
    log_damage: Option<LogDamage>,
    mark_damage: Option<MarkDamage>,
    damaged_bodies: Vec<DamagedBody>,
    writer: Worker<Box<dyn Operation>>,
    reader: Worker<ReadQuery>,
}

impl SqliteSpool {
    /// Opens the store, creates it if it is missing, and migrates it to the present schema.
    ///
    /// Recipients that were leased when the last relay ended are due again at once, and bodies that
    /// belong to no message are removed.
    ///
    /// # Errors
    /// [`SpoolError::InUse`] if another relay has it open, [`SpoolError::Newer`] if a later version
    /// wrote it, [`SpoolError::Lost`] and [`SpoolError::Unusable`] if the database is missing,
    /// empty, damaged or of another program.
    pub fn open(settings: SpoolSettings) -> Result<Self, SpoolError> {
        open::open(settings)
    }

    /// Returns the damage to the journal, found when this store was opened; it has been logged.
    pub fn damage(&self) -> Option<&JournalDamage> {
        self.damage.as_ref()
    }

    /// Returns the commits lost with the database's write-ahead log, found when this store was
    /// opened; they have been logged.
    pub fn log_damage(&self) -> Option<&LogDamage> {
        self.log_damage.as_ref()
    }

    /// Returns the damage to the mark file, which tells whether journal and log are whole, found
    /// when this store was opened; it has been logged.
    pub fn mark_damage(&self) -> Option<MarkDamage> {
        self.mark_damage
    }

    /// Returns the messages whose body was missing or short when this store was opened; they have
    /// been logged.
    pub fn damaged_bodies(&self) -> &[DamagedBody] {
        &self.damaged_bodies
    }

    /// Returns the store of large bodies, which may outlive this one.
    pub fn bodies(&self) -> &Arc<dyn BodyStore> {
        &self.bodies
    }

    fn write<W: Work>(&self, work: W) -> Ticket<W::Value> {
        let (operation, ticket) = operation::operation(work);
        self.writer.send(operation);
        ticket
    }

    fn change<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut OperationContext<'_>) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        self.write(AfterCheckpoint(run))
    }

    /// Runs a query on the database after a checkpoint of the whole journal.
    fn read<T: Send + 'static>(
        &self,
        at: impl FnOnce(&Connection) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        let (query, ticket) = reader::query(Arc::clone(&self.disk), at);
        if let Some(reader) = self.reader.waiting.clone() {
            self.writer
                .send(Box::new(QueryAfterCheckpoint { query, reader }));
        }
        ticket
    }

    fn intervene(&self, selection: Selection, intervention: Intervention) -> Ticket<Changed> {
        self.change(move |context| operate::intervene(context, &selection, intervention))
    }

    fn find(&self, section: QueueSection, id: TransactionId) -> Ticket<Option<Record>> {
        let body_reader = Arc::clone(&self.body_reader);
        self.read(move |connection| reader::show(connection, &body_reader, section, id))
    }
}

impl fmt::Debug for SqliteSpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSpool")
            .field("directory", &self.disk.directory())
            .finish_non_exhaustive()
    }
}

impl Queue for SqliteSpool {
    fn room(&self) -> Result<(), SpoolError> {
        self.disk.room(0)
    }

    fn accept(&self, mut message: NewMessage) -> Ticket<()> {
        bound_effects(&mut message.effects, Some(message.transaction.id));
        self.write(Accept(Arc::new(message)))
    }

    fn attach(&self, owner: Owner, lease: Duration) {
        self.hand_off.attach(LeaseTerms { owner, lease });
    }

    fn claim(
        &self,
        owner: Owner,
        now: Millis,
        limit: usize,
        lease: Duration,
    ) -> Ticket<Vec<Claim>> {
        // A damaged database is not asked for messages until it is repaired.
        let readable = !self.disk.is_corrupt();
        let mut schedule = self.schedule.lock();
        let left = match readable && schedule.is_due(now) {
            true => self.hand_off.left_to_stored(limit),
            false => 0,
        };
        let mut pick = |limit| schedule.claim(owner, now, limit, lease);
        let mut picked = (left > 0).then(|| pick(left)).flatten();
        let first = picked.as_ref().map_or(0, |(_, picks)| picks.len());
        let taken = self.hand_off.take(owner, now, limit - first, lease);
        if left == 0 && readable {
            picked = pick(limit - taken.claims.len());
        }
        drop(schedule);
        if !taken.stale.is_empty() {
            drop(self.change(move |context| deliver::return_unattempted(context, &taken.stale)));
        }
        let mut claims = taken.claims;
        let Some((lease, picks)) = picked else {
            return Box::pin(async { Ok(claims) });
        };
        let stored = self.write(StoreClaim {
            schedule: Arc::clone(&self.schedule),
            now,
            lease,
            picks,
        });
        Box::pin(async move {
            match stored.await {
                Ok(stored) => claims.extend(stored),
                Err(error) if claims.is_empty() => return Err(error),
                // Leased messages must be attempted; the others will be claimed again.
                Err(error) => tracing::error!(%error, "cannot claim due messages"),
            }
            Ok(claims)
        })
    }

    fn set_pace(&self, destination: &DestinationKey, pace: Pace) {
        let mut schedule = self.schedule.lock();
        let before = schedule.next_due();
        schedule.set_pace(destination, pace);
        if schedule.is_earlier(before) {
            self.changed.notify_one();
        }
    }

    fn enter(
        &self,
        message: TransactionId,
        lease: Lease,
        numbers: &[u32],
        destination: &DestinationKey,
    ) -> bool {
        (self.schedule.lock()).enter(message, lease, numbers, destination)
    }

    fn record(&self, report: Report) -> Ticket<Recorded> {
        self.write(RecordReport(report))
    }

    fn next_due(&self) -> Ticket<Option<Millis>> {
        let due = match self.disk.is_corrupt() {
            true => None,
            false => self.schedule.lock().next_due(),
        };
        Box::pin(async move { Ok(due) })
    }

    fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }
}

impl QueueAdmin for SqliteSpool {
    fn list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        self.read(move |connection| reader::list(connection, QueueSection::Queue, &filter))
    }

    fn show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.find(QueueSection::Queue, id)
    }

    fn destinations(&self, limit: usize) -> Ticket<Vec<DestinationSummary>> {
        let schedule = Arc::clone(&self.schedule);
        self.read(move |connection| {
            let found = reader::destinations(connection)?;
            Ok(schedule.lock().summaries(found, limit))
        })
    }

    fn pace(&self, destination: &DestinationKey) -> Pace {
        self.schedule.lock().pace(destination)
    }

    fn retry(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.intervene(selection, Intervention::Retry(now))
    }

    fn cancel(&self, selection: Selection) -> Ticket<Changed> {
        self.intervene(selection, Intervention::Cancel)
    }

    fn hold(&self, selection: Selection) -> Ticket<Changed> {
        self.intervene(selection, Intervention::Hold)
    }

    fn release(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.intervene(selection, Intervention::Release(now))
    }

    fn quarantine_list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        self.read(move |connection| reader::list(connection, QueueSection::Quarantine, &filter))
    }

    fn quarantine_show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.find(QueueSection::Quarantine, id)
    }

    fn quarantine_release(&self, id: TransactionId, now: Millis) -> Ticket<bool> {
        self.change(move |context| operate::release_from_quarantine(context, id, now))
    }

    fn quarantine_delete(&self, id: TransactionId) -> Ticket<bool> {
        self.change(move |context| operate::delete_from_quarantine(context, id))
    }

    fn quarantine_expire(&self, now: Millis) -> Ticket<Expired> {
        self.change(move |context| operate::expire_quarantine(context, now))
    }

    fn depth(&self) -> Ticket<QueueDepth> {
        self.read(reader::depth)
    }

    fn set_min_free(&self, bytes: u64) {
        self.disk.set_min_free(bytes);
    }
}

impl Memory for SqliteSpool {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        self.memory.counters.counted(scope, key, seconds, now)
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        self.memory.counters.seen(scope, key, now)
    }

    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        self.memory.counters.machine(account, address, now)
    }
}

impl Counters for SqliteSpool {
    fn apply(&self, mut effects: Vec<(Scope, Effect)>, time: Millis) -> Ticket<()> {
        bound_effects(&mut effects, None);
        self.write(ApplyEffects { effects, time })
    }

    fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine> {
        self.memory.counters.machines(account, now)
    }

    fn forget_machine(&self, account: &str, address: &str, now: Millis) -> Ticket<bool> {
        let (account, address) = (account.to_owned(), address.to_owned());
        self.change(move |context| operate::forget_machine(context, &account, &address, now))
    }

    fn expire(&self, now: Millis) -> Ticket<Forgotten> {
        self.change(move |context| operate::forget_expired(context, now))
    }

    fn remembered(&self) -> RememberedTotals {
        self.memory.counters.totals()
    }
}

impl From<SqliteSpool> for Stores {
    fn from(store: SqliteSpool) -> Self {
        let bodies = Arc::clone(&store.bodies);
        Self::new(store, bodies)
    }
}

/// A thread with a channel for its work. Dropped, it lets the thread finish the waiting work.
struct Worker<W> {
    waiting: Option<mpsc::Sender<W>>,
    thread: Option<JoinHandle<()>>,
}

impl<W: Send + 'static> Worker<W> {
    fn start(
        name: &str,
        run: impl FnOnce(mpsc::Receiver<W>) + Send + 'static,
    ) -> Result<Self, SpoolError> {
        let (waiting, work) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(work))
            .map_err(SpoolError::io("start a thread for the spool"))?;
        Ok(Self {
            waiting: Some(waiting),
            thread: Some(thread),
        })
    }

    fn send(&self, work: W) {
        if let Some(waiting) = &self.waiting {
            // Once the thread has ended, the work is dropped and its ticket resolves to `Closed`.
            let _ = waiting.send(work);
        }
    }
}

impl<W> Drop for Worker<W> {
    fn drop(&mut self) {
        self.waiting = None;
        if let Some(thread) = self.thread.take() {
            // The thread itself has reported a panic.
            let _ = thread.join();
        }
    }
}
