//! The embedded store: one SQLite database, one thread that writes, one that reads.
//!
//! - [`open`]: locking, migrations, what the last relay left behind.
//! - [`writer`]: batches, and what becomes of them when the disk is full or fails.
//! - [`operation`]: what waits for the writer.
//! - [`accept`], [`deliver`], [`operate`]: what operations do to the rows.
//! - [`carry`]: how what stands in the journal becomes rows.
//! - [`reader`], [`stored`], [`body`]: how rows are read back.

mod accept;
pub(crate) mod bodies;
mod body;
pub(crate) mod carry;
mod codec;
mod deliver;
mod open;
mod operate;
mod operation;
mod reader;
pub(crate) mod schema;
mod stored;
mod writer;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use gatepost_message::{Millis, TransactionId};
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::{
    Changed, Claim, Expired, Filter, KnownMachine, Machine, NewMessage, Owner, QueueDepth, Record,
    Recorded, RememberedTotals, Report, Scope, Selection, Spool, SpoolError, SpoolSettings,
    Staging, Summary, Ticket,
    disk::Disk,
    fresh::{Fresh, Order},
    memory::Memory,
    state::{DamagedBody, JournalDamage, LogDamage, MarkDamage},
};

use self::{
    accept::Accept,
    body::Shelf,
    deliver::{Claiming, Record as Recording},
    operate::Intervention,
    operation::{Looking, Operation, Step, Whole, Work},
    reader::{Look, Place},
};

/// So much is remembered of one message at most.
const MOST_EFFECTS: usize = 10_000;

/// No time at all.
const NEVER: u64 = u64::MAX;

/// A [`Spool`] in one directory of the local file system. Dropped, it finishes what waits and
/// closes, which blocks for a moment.
pub struct SqliteSpool {
    disk: Arc<Disk>,
    memory: Arc<Memory>,
    changed: Arc<Notify>,
    shelf: Arc<Shelf>,
    fresh: Arc<Fresh>,
    /// When the next recipient is due, as of the last commit; [`NEVER`] if none is.
    due: Arc<AtomicU64>,
    damage: Option<JournalDamage>,
    log_damage: Option<LogDamage>,
    mark_damage: Option<MarkDamage>,
    damaged_bodies: Vec<DamagedBody>,
    writer: Worker<Box<dyn Operation>>,
    reader: Worker<Look>,
}

impl SqliteSpool {
    /// Opens the store, makes it if it is not there, and brings it to the present schema.
    ///
    /// Whatever was leased when the last relay ended is due again at once, and bodies that belong
    /// to no message are removed.
    ///
    /// # Errors
    /// [`SpoolError::InUse`] if another relay has it open, [`SpoolError::Newer`] if a later
    /// version wrote it, [`SpoolError::Lost`] and [`SpoolError::Unusable`] if the database is
    /// missing, emptied, damaged or another's.
    pub fn open(settings: SpoolSettings) -> Result<Self, SpoolError> {
        open::open(settings)
    }

    /// What was damaged of the journal when this store was opened; it has been logged.
    pub fn damage(&self) -> Option<&JournalDamage> {
        self.damage.as_ref()
    }

    /// What was lost of the database's log when this store was opened; it has been logged.
    pub fn log_damage(&self) -> Option<&LogDamage> {
        self.log_damage.as_ref()
    }

    /// What has become of the file that tells whether journal and log are whole, if this store was
    /// opened without it; it has been logged.
    pub fn mark_damage(&self) -> Option<MarkDamage> {
        self.mark_damage
    }

    /// The messages whose body was missing or short when this store was opened; they have been
    /// logged.
    pub fn damaged_bodies(&self) -> &[DamagedBody] {
        &self.damaged_bodies
    }

    fn write<W: Work>(&self, work: W) -> Ticket<W::Value> {
        let (operation, ticket) = operation::operation(work);
        self.writer.hand(operation);
        ticket
    }

    fn change<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut Step<'_>) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        self.write(Whole(run))
    }

    /// Looks at the database once all of the store is there.
    fn read<T: Send + 'static>(
        &self,
        at: impl FnOnce(&Connection) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        let (look, ticket) = reader::look(Arc::clone(&self.disk), at);
        if let Some(reader) = self.reader.waiting.clone() {
            self.writer.hand(Box::new(Looking { look, reader }));
        }
        ticket
    }

    fn intervene(&self, selection: Selection, intervention: Intervention) -> Ticket<Changed> {
        self.change(move |step| operate::intervene(step, &selection, intervention))
    }

    fn look_for(&self, place: Place, id: TransactionId) -> Ticket<Option<Record>> {
        let shelf = Arc::clone(&self.shelf);
        self.read(move |connection| reader::show(connection, &shelf, place, id))
    }
}

impl fmt::Debug for SqliteSpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSpool")
            .field("directory", &self.disk.directory())
            .finish_non_exhaustive()
    }
}

impl Spool for SqliteSpool {
    fn room(&self) -> Result<(), SpoolError> {
        self.disk.room(0)
    }

    fn keep_free(&self, bytes: u64) {
        self.disk.keep_free(bytes);
    }

    fn stage(&self, id: TransactionId) -> Result<Staging, SpoolError> {
        self.room()?;
        Ok(Staging::new(id, Arc::clone(&self.disk)))
    }

    fn accept(&self, mut message: NewMessage) -> Ticket<()> {
        if message.effects.len() > MOST_EFFECTS {
            // A transaction and its connection have less than that between them; a commit must not
            // take long whatever is handed in.
            let (id, effects) = (message.transaction.id, message.effects.len());
            tracing::error!(%id, effects, kept = MOST_EFFECTS, "too much to remember of a message");
            message.effects.truncate(MOST_EFFECTS);
        }
        self.write(Accept(Arc::new(message)))
    }

    fn claim(
        &self,
        owner: Owner,
        now: Millis,
        limit: usize,
        lease: Duration,
    ) -> Ticket<Vec<Claim>> {
        let taken = self.fresh.take(owner, now, limit, lease);
        if !taken.stale.is_empty() {
            drop(self.change(move |step| deliver::give_back(step, &taken.stale)));
        }
        let mut claims = taken.claims;
        let limit = limit - claims.len();
        // What a damaged database holds waits until that is mended.
        let nothing = self.due.load(Ordering::Acquire) > now.0 || self.disk.is_corrupt();
        if limit == 0 || nothing {
            return Box::pin(async { Ok(claims) });
        }
        let stored = self.write(Claiming {
            owner,
            now,
            limit,
            lease,
        });
        Box::pin(async move {
            match stored.await {
                Ok(stored) => claims.extend(stored),
                Err(error) if claims.is_empty() => return Err(error),
                // What is leased must be attempted; the rest is asked for again.
                Err(error) => tracing::error!(%error, "cannot claim what is due"),
            }
            Ok(claims)
        })
    }

    fn attach(&self, owner: Owner, lease: Duration) {
        self.fresh.attach(Order { owner, lease });
    }

    fn record(&self, report: Report) -> Ticket<Recorded> {
        self.write(Recording(report))
    }

    fn next_due(&self) -> Ticket<Option<Millis>> {
        let due = match self.disk.is_corrupt() {
            true => NEVER,
            false => self.due.load(Ordering::Acquire),
        };
        Box::pin(async move { Ok(Some(Millis(due)).filter(|due| due.0 != NEVER)) })
    }

    fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    fn list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        self.read(move |connection| reader::list(connection, Place::Queue, &filter))
    }

    fn show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.look_for(Place::Queue, id)
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
        self.read(move |connection| reader::list(connection, Place::Quarantine, &filter))
    }

    fn quarantine_show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.look_for(Place::Quarantine, id)
    }

    fn quarantine_release(&self, id: TransactionId, now: Millis) -> Ticket<bool> {
        self.change(move |step| operate::release_from_quarantine(step, id, now))
    }

    fn quarantine_delete(&self, id: TransactionId) -> Ticket<bool> {
        self.change(move |step| operate::delete_from_quarantine(step, id))
    }

    fn expire(&self, now: Millis) -> Ticket<Expired> {
        self.change(move |step| operate::expire(step, now))
    }

    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        self.memory.counted(scope, key, seconds, now)
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        self.memory.seen(scope, key, now)
    }

    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        self.memory.machine(account, address, now)
    }

    fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine> {
        self.memory.machines(account, now)
    }

    fn forget_machine(&self, account: &str, address: &str, now: Millis) -> Ticket<bool> {
        let (account, address) = (account.to_owned(), address.to_owned());
        self.change(move |step| operate::forget_machine(step, &account, &address, now))
    }

    fn remembered(&self) -> RememberedTotals {
        self.memory.totals()
    }

    fn depth(&self) -> Ticket<QueueDepth> {
        self.read(reader::depth)
    }
}

/// A thread and the way to hand it work. Dropped, it lets the thread finish what waits.
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

    fn hand(&self, work: W) {
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
            // A panic has been told of by the thread itself.
            let _ = thread.join();
        }
    }
}
