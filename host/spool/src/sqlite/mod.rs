//! The embedded store: one SQLite database, one thread that writes, one that reads.
//!
//! - [`open`]: locking, migrations, recovery from the last relay's journal.
//! - [`writer`]: batches, and their handling when the disk is full or fails.
//! - [`operation`]: operations that wait for the writer.
//! - [`accept`], [`deliver`], [`operate`]: changes of operations to the rows.
//! - [`told`], [`late`]: events that the store itself tells.
//! - [`ledger`]: events, suppression lists, learnt Message-IDs.
//! - [`answers`]: the ledger of answers under keys.
//! - [`checkpoint`]: moves journal entries into rows.
//! - [`copy`]: copies of the store while it is used.
//! - [`erase`], [`erase_correspondent`]: removal of all that is kept of an account, or of an address.
//! - [`retention`]: removal of what accounts keep for a shorter time than the site.
//! - [`reader`], [`stored`], [`scheduled`], [`body`]: reading of rows.

mod accept;
mod answers;
pub(crate) mod bodies;
mod body;
pub(crate) mod checkpoint;
mod codec;
mod copy;
mod deliver;
mod erase;
mod erase_correspondent;
mod key_set;
mod late;
mod ledger;
mod open;
mod operate;
mod operation;
mod reader;
mod retention;
mod scheduled;
pub(crate) mod schema;
mod stored;
mod told;
mod writer;

pub use self::open::read_memory;

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use gatepost_counters::Memory;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{
    DestinationKey, Effect, Event, KeyedAnswer, LearntId, StoredEvent, Suppression,
    SuppressionChange,
};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Notify, oneshot, watch};

use crate::{
    BodyStore, Changed, Claim, CopyReport, Counters, DestinationSummary, Dropped, EraseCursor,
    ErasedCorrespondent, ErasedRows, Erasure, ErasureStep, EventFilter, EventLog, EventPage,
    Expired, Filter, Forgotten, Keep, KeptSince, KeyedAnswers, KnownMachine, LearntIds, Lease,
    Ledger, Machine, NewMessage, Owner, Pace, Queue, QueueAdmin, QueueDepth, Record, Recorded,
    RememberedTotals, Report, RestoredQueue, Scope, Selection, SpoolError, SpoolSettings, Stores,
    Summary, SuppressionFilter, Suppressions, Ticket,
    damage::{DamagedBody, JournalDamage, LogDamage, MarkDamage},
    direct::{DirectHandOff, LeaseTerms},
    disk::Disk,
    intervention::Intervention,
    ledger::key_name,
    memory::CounterMemory,
    message::bound_effects,
    schedule::{Chosen, Schedule},
};

use self::{
    accept::{Accept, ApplyEffects},
    body::BodyReader,
    deliver::{RecordReport, StoreClaim},
    key_set::KeySet,
    late::TellLate,
    ledger::AppendEvents,
    operation::{
        AfterCheckpoint, JournalPart, Operation, OperationContext, QueryAfterCheckpoint, Work,
    },
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
    last_event: watch::Receiver<u64>,
    suppressed: Arc<KeySet>,
    learnt: Arc<KeySet>,
    answers: Arc<KeySet>,
    records_events: Arc<AtomicBool>,
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

    /// Opens a store that was copied to this directory, which has no journal. It is as
    /// [opened](SqliteSpool::open) then; see [`SqliteSpool::restored`].
    ///
    /// # Errors
    /// Those of opening it.
    pub fn open_copy(settings: SpoolSettings) -> Result<Self, SpoolError> {
        copy::forget_journal(&settings.directory.join("spool.db"))?;
        Self::open(settings)
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

    /// Makes a store that was opened from a copy go on: sees to queued mail as told, whose time to
    /// live begins again where the copy was made, and leaves a gap in the numbers of events, so that
    /// no number that was told since is given again. Returns the number of recipients that are held.
    pub fn restored(&self, copied: Millis, now: Millis, queue: RestoredQueue) -> Ticket<u64> {
        self.change(move |context| operate::restored(context, copied, now, queue))
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
        self.write(AfterCheckpoint {
            needs: JournalPart::Everything,
            work: run,
        })
    }

    fn change_ledgers<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut OperationContext<'_>) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        self.write(AfterCheckpoint {
            needs: JournalPart::Ledgers,
            work: run,
        })
    }

    /// Runs a query on the database after a checkpoint of the whole journal.
    fn query<T: Send + 'static>(
        &self,
        at: impl FnOnce(&Connection) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        self.query_after(JournalPart::Everything, at)
    }

    /// Runs a query on the ledgers in the database after a checkpoint of all their entries.
    fn query_ledgers<T: Send + 'static>(
        &self,
        at: impl FnOnce(&Connection) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        self.query_after(JournalPart::Ledgers, at)
    }

    fn query_after<T: Send + 'static>(
        &self,
        needs: JournalPart,
        at: impl FnOnce(&Connection) -> Result<T, SpoolError> + Send + 'static,
    ) -> Ticket<T> {
        let (query, ticket) = reader::query(Arc::clone(&self.disk), at);
        if let Some(reader) = self.reader.waiting.clone() {
            self.writer.send(Box::new(QueryAfterCheckpoint {
                needs,
                query,
                reader,
            }));
        }
        ticket
    }

    /// Returns claims that wait in memory to their rows, before an operator looks at these.
    fn return_set_aside(&self) {
        let mut schedule = self.schedule.lock();
        schedule.return_set_aside();
        self.return_to_rows(&mut schedule);
    }

    /// Records the reports of claims that have waited in memory long enough.
    fn return_to_rows(&self, schedule: &mut Schedule) {
        for report in schedule.returned() {
            drop(self.write(RecordReport(report)));
        }
    }

    fn intervene(&self, selection: Selection, intervention: Intervention) -> Ticket<Changed> {
        self.return_set_aside();
        self.change(move |context| operate::intervene(context, &selection, intervention))
    }

    /// Bounds entries, and drops those that change nothing.
    fn bound(&self, ledger: &mut Ledger) {
        ledger.bound();
        ledger.suppressions.retain(|change| match change {
            SuppressionChange::Delivered { account, address } => {
                self.suppressed.may_hold(account, address)
            }
            SuppressionChange::Suppress(_) | SuppressionChange::Count { .. } => true,
        });
    }

    fn find_message(&self, section: QueueSection, id: TransactionId) -> Ticket<Option<Record>> {
        self.return_set_aside();
        let body_reader = Arc::clone(&self.body_reader);
        self.query(move |connection| reader::show(connection, &body_reader, section, id))
    }
}

/// Returns what waits in memory to its rows, with its routes. The writer's thread ends after that.
impl Drop for SqliteSpool {
    fn drop(&mut self) {
        self.return_set_aside();
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
        self.bound(&mut message.ledger);
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
        let mut chosen = match left {
            0 => Chosen::default(),
            left => schedule.claim(owner, now, left, lease),
        };
        let mut taken = (self.hand_off).take(owner, now, limit - chosen.len(), lease);
        if left == 0 && readable {
            chosen = schedule.claim(owner, now, limit - taken.claims.len(), lease);
        }
        self.return_to_rows(&mut schedule);
        drop(schedule);
        if !taken.stale.is_empty() {
            drop(self.change(move |context| deliver::return_unattempted(context, &taken.stale)));
        }
        let mut claims = std::mem::take(&mut taken.claims);
        claims.extend(chosen.set_aside);
        let Some(lease) = chosen.lease else {
            return Box::pin(async { Ok(claims) });
        };
        let stored = self.write(StoreClaim {
            schedule: Arc::clone(&self.schedule),
            now,
            lease,
            picks: chosen.picks,
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
        self.return_to_rows(&mut schedule);
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
        let mut schedule = self.schedule.lock();
        let before = schedule.next_due();
        let enters = schedule.enter(message, lease, numbers, destination);
        // There is room where it comes from.
        if schedule.is_earlier(before) {
            self.changed.notify_one();
        }
        enters
    }

    fn set_aside(&self, claim: &Claim, report: Report) -> Result<(), Box<Report>> {
        let mut schedule = self.schedule.lock();
        let before = schedule.next_due();
        schedule.set_aside(claim, report)?;
        if schedule.is_earlier(before) {
            self.changed.notify_one();
        }
        Ok(())
    }

    fn record(&self, mut report: Report) -> Ticket<Recorded> {
        for result in &mut report.results {
            self.bound(&mut result.ledger);
        }
        for notice in &mut report.notices {
            self.bound(&mut notice.ledger);
        }
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
        self.return_set_aside();
        self.query(move |connection| reader::list(connection, QueueSection::Queue, &filter))
    }

    fn show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.find_message(QueueSection::Queue, id)
    }

    fn destinations(&self, limit: usize) -> Ticket<Vec<DestinationSummary>> {
        self.return_set_aside();
        let schedule = Arc::clone(&self.schedule);
        self.query(move |connection| {
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

    fn cancel(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.intervene(selection, Intervention::Cancel(now))
    }

    fn hold(&self, selection: Selection) -> Ticket<Changed> {
        self.intervene(selection, Intervention::Hold)
    }

    fn release(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.intervene(selection, Intervention::Release(now))
    }

    fn quarantine_list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        self.query(move |connection| reader::list(connection, QueueSection::Quarantine, &filter))
    }

    fn quarantine_show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.find_message(QueueSection::Quarantine, id)
    }

    fn quarantine_release(&self, id: TransactionId, now: Millis) -> Ticket<bool> {
        self.change(move |context| operate::release_from_quarantine(context, id, now))
    }

    fn quarantine_delete(&self, id: TransactionId, now: Millis) -> Ticket<bool> {
        self.change(move |context| operate::delete_from_quarantine(context, id, now))
    }

    fn quarantine_expire(&self, now: Millis) -> Ticket<Expired> {
        self.change(move |context| operate::expire_quarantine(context, now))
    }

    fn kept_list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        self.query(move |connection| reader::list(connection, QueueSection::Kept, &filter))
    }

    fn kept_show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.find_message(QueueSection::Kept, id)
    }

    fn resend(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.change(move |context| operate::resend(context, &selection, now))
    }

    fn tell_late(&self, now: Millis, after: Duration) -> Ticket<Option<Millis>> {
        self.write(TellLate { now, after })
    }

    fn expire_kept(&self, keep: Keep) -> Ticket<Dropped> {
        self.change(move |context| operate::expire_kept(context, keep))
    }

    fn depth(&self) -> Ticket<QueueDepth> {
        self.query(reader::depth)
    }

    fn copy_to(&self, folder: PathBuf, report: CopyReport) -> Ticket<()> {
        copy::copy_to(self, folder, report)
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

impl EventLog for SqliteSpool {
    fn append(&self, events: Vec<Event>) -> Ticket<u64> {
        let mut ledger = Ledger::of(events);
        self.bound(&mut ledger);
        self.write(AppendEvents(ledger))
    }

    fn read(&self, after: u64, filter: EventFilter, limit: usize) -> Ticket<EventPage> {
        // All these are in the database when the query runs; of later ones, some may be.
        let last = *self.last_event.borrow();
        self.query_ledgers(move |connection| {
            ledger::events(connection, after, last, &filter, limit)
        })
    }

    fn first(&self) -> Ticket<u64> {
        let (query, ticket) = reader::query(Arc::clone(&self.disk), ledger::first_event);
        self.reader.send(query);
        ticket
    }

    fn first_of(&self, message: TransactionId) -> Ticket<Option<StoredEvent>> {
        let (query, ticket) = reader::query(Arc::clone(&self.disk), move |connection| {
            ledger::first_of(connection, message)
        });
        self.reader.send(query);
        ticket
    }

    fn set_recording(&self, records: bool) {
        self.records_events.store(records, Ordering::Relaxed);
    }

    fn last(&self) -> watch::Receiver<u64> {
        self.last_event.clone()
    }

    fn cursor(&self, name: &str) -> Ticket<Option<u64>> {
        let name = name.to_owned();
        self.query_ledgers(move |connection| ledger::cursor(connection, &name))
    }

    fn set_cursor(&self, name: &str, after: Option<u64>) -> Ticket<()> {
        let name = name.to_owned();
        self.change_ledgers(move |context| ledger::set_cursor(context, &name, after))
    }

    fn expire_events(&self, keep: Keep) -> Ticket<Dropped> {
        self.change_ledgers(move |context| ledger::expire_events(context, keep))
    }
}

impl Suppressions for SqliteSpool {
    fn find(&self, account: &str, address: &str) -> Ticket<Option<Suppression>> {
        if !self.suppressed.may_hold(account, address) {
            return Box::pin(async { Ok(None) });
        }
        let (account, address) = (account.to_owned(), address.to_owned());
        self.query_ledgers(move |connection| {
            ledger::find_suppression(connection, &account, &address)
        })
    }

    fn add(&self, entries: Vec<Suppression>) -> Ticket<u64> {
        let entries: Vec<_> = entries
            .into_iter()
            .filter_map(Suppression::bounded)
            .collect();
        self.change_ledgers(move |context| ledger::add_suppressions(context, &entries))
    }

    fn remove(&self, account: &str, address: &str) -> Ticket<bool> {
        let (account, address) = (account.to_owned(), address.to_owned());
        self.change_ledgers(move |context| ledger::remove_suppression(context, &account, &address))
    }

    fn page(&self, filter: SuppressionFilter) -> Ticket<Vec<Suppression>> {
        self.query_ledgers(move |connection| ledger::suppressions(connection, &filter))
    }

    fn count(&self, account: Option<&str>) -> u64 {
        self.suppressed.count(account)
    }

    fn expire_counting(&self, before: Millis) -> Ticket<Dropped> {
        self.change_ledgers(move |context| ledger::expire_counting(context, before))
    }
}

impl LearntIds for SqliteSpool {
    fn learn(&self, learnt: LearntId) -> Ticket<()> {
        let mut ledger = Ledger {
            learnt: vec![learnt],
            ..Ledger::default()
        };
        self.bound(&mut ledger);
        self.change_ledgers(move |context| ledger::write_all(context, &ledger))
    }

    fn ours_of(&self, account: &str, theirs: &str) -> Ticket<Option<String>> {
        if !self.learnt.may_hold(account, theirs) {
            return Box::pin(async { Ok(None) });
        }
        let (account, theirs) = (account.to_owned(), theirs.to_owned());
        self.query_ledgers(move |connection| ledger::ours_of(connection, &account, &theirs))
    }

    fn expire_learnt(&self, keep: Keep) -> Ticket<Dropped> {
        let learnt = Arc::clone(&self.learnt);
        self.change_ledgers(move |context| ledger::expire_learnt(context, keep, learnt.count(None)))
    }
}

impl KeyedAnswers for SqliteSpool {
    fn answer_under(&self, account: &str, program: &str, key: &str) -> Ticket<Option<KeyedAnswer>> {
        if !self.answers.may_hold(account, &key_name(program, key)) {
            return Box::pin(async { Ok(None) });
        }
        let (account, program, key) = (account.to_owned(), program.to_owned(), key.to_owned());
        self.query_ledgers(move |connection| answers::find(connection, &account, &program, &key))
    }

    fn expire_answers(&self, keep: Keep) -> Ticket<Dropped> {
        let answers = Arc::clone(&self.answers);
        self.change_ledgers(move |context| answers::expire(context, keep, answers.count(None)))
    }
}

impl Erasure for SqliteSpool {
    fn erasable(&self, account: &str, from: EraseCursor) -> Ticket<Vec<TransactionId>> {
        self.return_set_aside();
        let account = account.to_owned();
        self.query(move |connection| erase::erasable(connection, &account, from))
    }

    fn erase(&self, account: &str, from: EraseCursor) -> Ticket<ErasureStep> {
        self.return_set_aside();
        let account = account.to_owned();
        self.change(move |context| erase::erase(context, &account, from, Millis::now()))
    }

    fn erase_correspondent(
        &self,
        erased: &Arc<ErasedCorrespondent>,
        from: EraseCursor,
    ) -> Ticket<ErasureStep> {
        self.return_set_aside();
        let erased = Arc::clone(erased);
        self.change(move |context| {
            erase::overwritten(context, |context| {
                erase_correspondent::erase(context, &erased, from, Millis::now())
            })
        })
    }

    fn drop_older(&self, since: &Arc<KeptSince>, from: EraseCursor) -> Ticket<ErasureStep> {
        self.return_set_aside();
        let since = Arc::clone(since);
        self.change(move |context| retention::drop_older(context, &since, from))
    }

    fn erase_messages(&self, ids: Vec<TransactionId>) -> Ticket<ErasedRows> {
        self.return_set_aside();
        self.change(move |context| {
            erase::overwritten(context, |context| {
                erase_correspondent::erase_messages(context, &ids)
            })
        })
    }

    fn overwrite_erased(&self) -> Ticket<()> {
        let (done, is_done) = oneshot::channel();
        let mut done = Some(done);
        let asked = self.change(move |context| {
            context.after.overwrites.extend(done.take());
            Ok(())
        });
        Box::pin(async move {
            asked.await?;
            is_done.await.unwrap_or(Err(SpoolError::Closed))
        })
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
