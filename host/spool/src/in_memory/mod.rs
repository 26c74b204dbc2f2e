//! The store in memory: all seams, without a disk.
//!
//! For tests of intake and delivery, and for whatever needs a queue that ends with its process. It
//! does what the store on disk does, but for durability; a command or a listing looks at every
//! message, so it is not for queues of many thousands.
//!
//! - [`queue`]: messages and their recipients, as pure changes of a state.
//! - [`ledger`]: events, suppression lists, learnt Message-IDs, answers under keys.
//! - [`bodies`]: bytes of large messages.
//! - [`room`]: memory in use, with a watermark.

mod bodies;
mod ledger;
mod queue;
mod room;

use std::{fmt, future::ready, sync::Arc, time::Duration};

use gatepost_counters::{CounterChange, KnownMachine, Memory, RememberedTotals, SharedCounters};
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{
    DestinationKey, Effect, Event, KeyedAnswer, LearntId, Machine, NoticeSubject, Scope,
    StoredEvent, Suppression,
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, watch};

use crate::{
    BodyStore, Changed, Claim, Counters, DestinationSummary, Dropped, EXPIRE_AT_ONCE, EraseCursor,
    ErasedCorrespondent, ErasedRows, Erasure, ErasureStep, EventFilter, EventLog, EventPage,
    Expired, Filter, Forgotten, Keep, KeptSince, KeyedAnswers, LearntIds, Lease, Ledger,
    NewMessage, Owner, Pace, Queue, QueueAdmin, QueueDepth, Record, Recorded, Report, Selection,
    SpoolError, Stores, Summary, SuppressionFilter, Suppressions, Ticket,
    direct::{DirectHandOff, LeaseTerms},
    intervention::Intervention,
    message::bound_effects,
};

use self::{
    bodies::MemoryBodies,
    ledger::Ledgers,
    queue::{QueueState, Section, Stored},
    room::Room,
};

/// Bounds of a store in memory.
#[derive(Debug, Clone, Copy)]
pub struct MemorySettings {
    /// Bytes that messages may take; the default is 1 GiB.
    pub capacity: u64,
    /// Intake stops while fewer bytes than this are free; the default is 0.
    pub min_free_bytes: u64,
    /// Most octets for what policies have remembered, as
    /// [`SpoolSettings::remembered_bytes`](crate::SpoolSettings::remembered_bytes).
    pub remembered_bytes: usize,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self {
            capacity: 1 << 30,
            min_free_bytes: 0,
            remembered_bytes: 8 << 20,
        }
    }
}

/// A store in memory. Every operation is done when its ticket is returned.
pub struct MemorySpool {
    state: Mutex<QueueState>,
    /// Locked after the state, never before it.
    ledgers: Mutex<Ledgers>,
    last_event: watch::Sender<u64>,
    hand_off: DirectHandOff,
    counters: SharedCounters,
    changed: Arc<Notify>,
    room: Arc<Room>,
    memory_bodies: Arc<MemoryBodies>,
    /// The same, as callers have it.
    bodies: Arc<dyn BodyStore>,
}

impl MemorySpool {
    /// Makes an empty store.
    pub fn new(settings: MemorySettings) -> Self {
        let room = Arc::new(Room::new(settings.capacity, settings.min_free_bytes));
        let memory_bodies = Arc::new(MemoryBodies::new(Arc::clone(&room)));
        let changed = Arc::new(Notify::new());
        changed.notify_one();
        Self {
            state: Mutex::default(),
            ledgers: Mutex::default(),
            last_event: watch::Sender::new(0),
            hand_off: DirectHandOff::default(),
            counters: SharedCounters::new(settings.remembered_bytes),
            changed,
            bodies: memory_bodies.clone(),
            memory_bodies,
            room,
        }
    }

    /// Does to the store what the end of a relay and the start of another do: recipients that were
    /// leased are due again, and delivery is not attached any more. Everything else stays.
    pub fn restart(&self) {
        self.hand_off.detach();
        self.lock().end_leases();
        self.changed.notify_one();
    }

    /// Returns the store of large bodies.
    pub fn bodies(&self) -> &Arc<dyn BodyStore> {
        &self.bodies
    }

    /// Returns the transactions of all bodies in the body store, staged ones too.
    pub fn body_ids(&self) -> Vec<TransactionId> {
        self.memory_bodies.ids()
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // No change leaves the state half done: what can fail is checked first.
        self.state.lock()
    }

    /// Stores a message with its effects; returns true if something may be due earlier.
    fn store(&self, state: &mut QueueState, mut message: NewMessage) -> bool {
        let effects = std::mem::take(&mut message.effects);
        self.apply_effects(&effects, message.transaction.time);
        self.write(std::mem::take(&mut message.ledger));
        if !message.is_open() {
            return false;
        }
        let mut capacity = self.hand_off.capacity();
        let terms = (message.is_due_at_once())
            .then(|| capacity.reserve(message.size()))
            .flatten();
        let lease = terms.map(|terms| state.direct_lease(&message, terms));
        let stored = Stored::new(message, lease, &self.bodies);
        self.room.add(stored.inline_octets());
        let due = stored.is_due_ever();
        if let Some(lease) = lease {
            self.hand_off.put(vec![stored.direct_claim(lease)]);
        }
        state.insert(stored);
        due
    }

    /// Writes entries to the ledgers; returns the number of the last event.
    fn write(&self, mut ledger: Ledger) -> u64 {
        ledger.bound();
        let mut ledgers = self.ledgers.lock();
        if !ledger.is_empty() {
            ledgers.write(ledger);
            self.last_event.send_if_modified(|last| {
                let is_new = *last < ledgers.last_event();
                *last = ledgers.last_event();
                is_new
            });
        }
        ledgers.last_event()
    }

    /// Writes the events of what the state itself has done.
    fn tell(&self, state: &mut QueueState) {
        let events = std::mem::take(&mut state.told);
        self.write(Ledger::of(events));
    }

    fn apply_effects(&self, effects: &[(Scope, Effect)], time: Millis) {
        // Evictions concern nothing beside the state that made them.
        drop(self.counters.apply_effects(effects, time));
    }

    /// Frees what messages had that are not in the state any more.
    fn release(&self, dropped: Vec<Stored>) {
        for stored in dropped {
            self.room.free(stored.inline_octets());
            if let Some(id) = stored.in_body_store()
                && let Err(error) = self.bodies.remove(id)
            {
                tracing::warn!(%error, "cannot remove the body of a finished message");
            }
        }
    }

    /// Returns claims that wait for room, before an operator looks at the messages.
    fn return_set_aside(&self) {
        let mut state = self.lock();
        state.schedule.return_set_aside();
        self.record_all(state);
    }

    /// Records the reports of claims that have waited for room long enough.
    fn record_all(&self, mut state: MutexGuard<'_, QueueState>) {
        let reports = state.schedule.returned();
        drop(state);
        for report in reports {
            drop(self.record(report));
        }
    }

    fn intervene(&self, selection: &Selection, intervention: Intervention) -> Ticket<Changed> {
        self.return_set_aside();
        let mut state = self.lock();
        let (changed, dropped) = state.intervene(selection, intervention);
        self.tell(&mut state);
        drop(state);
        self.release(dropped);
        if changed.changed > 0 && intervention.due().is_some() {
            self.changed.notify_one();
        }
        done(changed)
    }
}

impl Default for MemorySpool {
    fn default() -> Self {
        Self::new(MemorySettings::default())
    }
}

impl fmt::Debug for MemorySpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySpool").finish_non_exhaustive()
    }
}

fn done<T: Send + 'static>(value: T) -> Ticket<T> {
    Box::pin(ready(Ok(value)))
}

fn refused<T: Send + 'static>(error: SpoolError) -> Ticket<T> {
    Box::pin(ready(Err(error)))
}

impl Queue for MemorySpool {
    fn room(&self) -> Result<(), SpoolError> {
        self.room.check(0)
    }

    fn accept(&self, mut message: NewMessage) -> Ticket<()> {
        bound_effects(&mut message.effects, Some(message.transaction.id));
        let mut state = self.lock();
        let acceptable = state
            .check(&message)
            .and_then(|()| self.room.check(message.inline_octets()));
        if let Err(error) = acceptable {
            return refused(error);
        }
        let due = self.store(&mut state, message);
        drop(state);
        if due {
            self.changed.notify_one();
        }
        done(())
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
        let mut state = self.lock();
        let left = match state.schedule.is_due(now) {
            true => self.hand_off.left_to_stored(limit),
            false => 0,
        };
        let taken = self.hand_off.take(owner, now, limit - left, lease);
        if state.return_unattempted(&taken.stale) {
            self.changed.notify_one();
        }
        let mut claims = taken.claims;
        let limit = limit - claims.len();
        claims.extend(state.claim(owner, now, limit, lease));
        self.record_all(state);
        done(claims)
    }

    fn set_pace(&self, destination: &DestinationKey, pace: Pace) {
        let mut state = self.lock();
        let before = state.schedule.next_due();
        state.schedule.set_pace(destination, pace);
        if state.schedule.is_earlier(before) {
            self.changed.notify_one();
        }
        self.record_all(state);
    }

    fn set_aside(&self, claim: &Claim, report: Report) -> Result<(), Box<Report>> {
        let schedule = &mut self.lock().schedule;
        let before = schedule.next_due();
        schedule.set_aside(claim, report)?;
        if schedule.is_earlier(before) {
            self.changed.notify_one();
        }
        Ok(())
    }

    fn enter(
        &self,
        message: TransactionId,
        lease: Lease,
        numbers: &[u32],
        destination: &DestinationKey,
    ) -> bool {
        let schedule = &mut self.lock().schedule;
        let before = schedule.next_due();
        let enters = schedule.enter(message, lease, numbers, destination);
        // There is room where it comes from.
        if schedule.is_earlier(before) {
            self.changed.notify_one();
        }
        enters
    }

    fn record(&self, report: Report) -> Ticket<Recorded> {
        let mut state = self.lock();
        let recording = match state.prepare(&report) {
            Ok(recording) => recording,
            Err(error) => return refused(error),
        };
        let recorded = recording.recorded;
        let results = report.results.into_iter();
        for result in results.filter(|result| recording.applied(result.number)) {
            self.write(result.ledger);
        }
        let mut due = false;
        let before = state.schedule.next_due();
        if recorded.applied > 0 {
            for mut notice in report.notices {
                bound_effects(&mut notice.effects, Some(notice.transaction.id));
                due |= self.store(&mut state, notice);
            }
        }
        let dropped = state.record(report.message, recording);
        due |= state.schedule.is_earlier(before);
        drop(state);
        self.release(dropped.into_iter().collect());
        if due {
            self.changed.notify_one();
        }
        done(recorded)
    }

    fn next_due(&self) -> Ticket<Option<Millis>> {
        done(self.lock().schedule.next_due())
    }

    fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }
}

impl QueueAdmin for MemorySpool {
    fn list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        self.return_set_aside();
        done(self.lock().list(Section::Queue, &filter))
    }

    fn show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        self.return_set_aside();
        done(self.lock().show(Section::Queue, id))
    }

    fn destinations(&self, limit: usize) -> Ticket<Vec<DestinationSummary>> {
        self.return_set_aside();
        done(self.lock().destinations(limit))
    }

    fn pace(&self, destination: &DestinationKey) -> Pace {
        self.lock().schedule.pace(destination)
    }

    fn retry(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.intervene(&selection, Intervention::Retry(now))
    }

    fn cancel(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.intervene(&selection, Intervention::Cancel(now))
    }

    fn hold(&self, selection: Selection) -> Ticket<Changed> {
        self.intervene(&selection, Intervention::Hold)
    }

    fn release(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        self.intervene(&selection, Intervention::Release(now))
    }

    fn quarantine_list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        done(self.lock().list(Section::Quarantine, &filter))
    }

    fn quarantine_show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        done(self.lock().show(Section::Quarantine, id))
    }

    fn quarantine_release(&self, id: TransactionId, now: Millis) -> Ticket<bool> {
        let mut state = self.lock();
        let released = state.release_from_quarantine(id, now);
        self.tell(&mut state);
        drop(state);
        if released {
            self.changed.notify_one();
        }
        done(released)
    }

    fn quarantine_delete(&self, id: TransactionId, now: Millis) -> Ticket<bool> {
        let mut state = self.lock();
        let dropped = state.delete_from_quarantine(id, now);
        self.tell(&mut state);
        drop(state);
        let was_there = dropped.is_some();
        self.release(dropped.into_iter().collect());
        done(was_there)
    }

    fn quarantine_expire(&self, now: Millis) -> Ticket<Expired> {
        let mut state = self.lock();
        let dropped = state.expire_quarantine(now);
        self.tell(&mut state);
        drop(state);
        let expired = Expired {
            quarantined: dropped.iter().map(Stored::id).collect(),
            more: dropped.len() == EXPIRE_AT_ONCE,
        };
        self.release(dropped);
        done(expired)
    }

    fn kept_list(&self, filter: Filter) -> Ticket<Vec<Summary>> {
        done(self.lock().list(Section::Kept, &filter))
    }

    fn kept_show(&self, id: TransactionId) -> Ticket<Option<Record>> {
        done(self.lock().show(Section::Kept, id))
    }

    fn resend(&self, selection: Selection, now: Millis) -> Ticket<Changed> {
        let mut state = self.lock();
        let changed = state.resend(&selection, now);
        self.tell(&mut state);
        drop(state);
        if changed.changed > 0 {
            self.changed.notify_one();
        }
        done(changed)
    }

    fn tell_late(&self, now: Millis, after: Duration) -> Ticket<Option<Millis>> {
        let mut state = self.lock();
        let next = state.tell_late(now, after);
        self.tell(&mut state);
        done(next)
    }

    fn expire_kept(&self, keep: Keep) -> Ticket<Dropped> {
        let dropped = self.lock().expire_kept(keep);
        let entries = dropped.len();
        self.release(dropped);
        done(Dropped {
            entries: entries as u64,
            more: entries >= EXPIRE_AT_ONCE,
        })
    }

    fn depth(&self) -> Ticket<QueueDepth> {
        done(self.lock().depth())
    }

    fn set_min_free(&self, bytes: u64) {
        self.room.set_min_free(bytes);
    }
}

impl Memory for MemorySpool {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        self.counters.counted(scope, key, seconds, now)
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        self.counters.seen(scope, key, now)
    }

    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        self.counters.machine(account, address, now)
    }
}

impl Counters for MemorySpool {
    fn apply(&self, mut effects: Vec<(Scope, Effect)>, time: Millis) -> Ticket<()> {
        bound_effects(&mut effects, None);
        // The queue's lock gives effects one order, whatever they came with.
        let state = self.lock();
        if let Err(error) = self.room.check(0) {
            return refused(error);
        }
        self.apply_effects(&effects, time);
        drop(state);
        done(())
    }

    fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine> {
        self.counters.machines(account, now)
    }

    fn forget_machine(&self, account: &str, address: &str, now: Millis) -> Ticket<bool> {
        let known = self.counters.machine(account, address, now).is_some();
        let (account, address) = (account.to_owned(), address.to_owned());
        self.counters
            .apply([CounterChange::ForgetMachine { account, address }]);
        done(known)
    }

    fn expire(&self, now: Millis) -> Ticket<Forgotten> {
        let expired = self.counters.expired(now, EXPIRE_AT_ONCE);
        let entries = expired.changes.len();
        self.counters.apply(expired.changes);
        done(Forgotten {
            entries,
            more: expired.more,
        })
    }

    fn remembered(&self) -> RememberedTotals {
        self.counters.totals()
    }
}

impl EventLog for MemorySpool {
    fn append(&self, events: Vec<Event>) -> Ticket<u64> {
        done(self.write(Ledger::of(events)))
    }

    fn first(&self) -> Ticket<u64> {
        done(self.ledgers.lock().first_event())
    }

    fn read(&self, after: u64, filter: EventFilter, limit: usize) -> Ticket<EventPage> {
        done(self.ledgers.lock().read(after, &filter, limit))
    }

    fn first_of(&self, message: TransactionId) -> Ticket<Option<StoredEvent>> {
        let filter = EventFilter {
            transaction: Some(message),
            ..EventFilter::default()
        };
        let page = self.ledgers.lock().read(0, &filter, 1);
        done(page.events.into_iter().next())
    }

    fn set_recording(&self, records: bool) {
        self.lock().records_events = records;
    }

    fn last(&self) -> watch::Receiver<u64> {
        self.last_event.subscribe()
    }

    fn cursor(&self, name: &str) -> Ticket<Option<u64>> {
        done(self.ledgers.lock().cursors.get(name).copied())
    }

    fn set_cursor(&self, name: &str, after: Option<u64>) -> Ticket<()> {
        let cursors = &mut self.ledgers.lock().cursors;
        match after {
            Some(after) => drop(cursors.insert(name.to_owned(), after)),
            None => drop(cursors.remove(name)),
        }
        done(())
    }

    fn expire_events(&self, keep: Keep) -> Ticket<Dropped> {
        done(self.ledgers.lock().expire_events(keep))
    }
}

impl Suppressions for MemorySpool {
    fn find(&self, account: &str, address: &str) -> Ticket<Option<Suppression>> {
        done(self.ledgers.lock().find(account, address))
    }

    fn add(&self, entries: Vec<Suppression>) -> Ticket<u64> {
        let entries = entries.into_iter().filter_map(Suppression::bounded);
        done(self.ledgers.lock().add(entries.collect()))
    }

    fn remove(&self, account: &str, address: &str) -> Ticket<bool> {
        done(self.ledgers.lock().remove(account, address))
    }

    fn page(&self, filter: SuppressionFilter) -> Ticket<Vec<Suppression>> {
        done(self.ledgers.lock().page(&filter))
    }

    fn count(&self, account: Option<&str>) -> u64 {
        self.ledgers.lock().count(account)
    }

    fn expire_counting(&self, before: Millis) -> Ticket<Dropped> {
        done(self.ledgers.lock().expire_counting(before))
    }
}

impl LearntIds for MemorySpool {
    fn learn(&self, learnt: LearntId) -> Ticket<()> {
        self.write(Ledger {
            learnt: vec![learnt],
            ..Ledger::default()
        });
        done(())
    }

    fn ours_of(&self, account: &str, theirs: &str) -> Ticket<Option<String>> {
        done(self.ledgers.lock().ours_of(account, theirs))
    }

    fn expire_learnt(&self, keep: Keep) -> Ticket<Dropped> {
        done(self.ledgers.lock().expire_learnt(keep))
    }
}

impl KeyedAnswers for MemorySpool {
    fn answer_under(&self, account: &str, program: &str, key: &str) -> Ticket<Option<KeyedAnswer>> {
        done(self.ledgers.lock().answer_under(account, program, key))
    }

    fn expire_answers(&self, keep: Keep) -> Ticket<Dropped> {
        done(self.ledgers.lock().expire_answers(keep))
    }
}

impl Erasure for MemorySpool {
    fn erasable(&self, account: &str, _from: EraseCursor) -> Ticket<Vec<TransactionId>> {
        self.return_set_aside();
        let mut ids = self.lock().ids_of(account);
        ids.extend(self.ledgers.lock().messages_of(account));
        ids.sort_unstable();
        ids.dedup();
        done(ids)
    }

    /// Erases all at once: there is no more after it.
    fn erase(&self, account: &str, _from: EraseCursor) -> Ticket<ErasureStep> {
        self.return_set_aside();
        let (dropped, under_way) = self.lock().erase(account);
        let mut erased = ErasedRows {
            messages: dropped.len() as u64,
            under_way,
            ..ErasedRows::default()
        };
        self.release(dropped);
        if self.ledgers.lock().is_last_of(account) {
            let text = "an account was erased".to_owned();
            let notice = Event::notice(None, NoticeSubject::Account, text, Millis::now());
            self.write(Ledger::of([notice]));
        }
        self.ledgers.lock().erase(account, &mut erased);
        let before = self.counters.totals();
        let forget = CounterChange::ForgetAccount {
            account: account.to_owned(),
        };
        self.counters.apply([forget]);
        let entries = |of: RememberedTotals| {
            (of.marks.entries + of.counts.entries + of.machines.entries) as u64
        };
        erased.counters = entries(before) - entries(self.counters.totals());
        done(ErasureStep { erased, next: None })
    }

    /// Erases all at once: there is no more after it.
    fn erase_correspondent(
        &self,
        of: &Arc<ErasedCorrespondent>,
        _from: EraseCursor,
    ) -> Ticket<ErasureStep> {
        self.return_set_aside();
        let mut erased = ErasedRows::default();
        let dropped = self.lock().erase_correspondent(of, &mut erased);
        self.release(dropped);
        if self.ledgers.lock().is_last_taken(of) {
            let text = "a correspondent was erased".to_owned();
            let notice = Event::notice(None, NoticeSubject::Account, text, Millis::now());
            self.write(Ledger::of([notice]));
        }
        self.ledgers.lock().erase_correspondent(of, &mut erased);
        let changes = self.counters.naming(&of.address, of.account.as_deref());
        erased.counters = changes.len() as u64;
        self.counters.apply(changes);
        done(ErasureStep { erased, next: None })
    }

    /// Drops all at once: there is no more after it.
    fn drop_older(&self, since: &Arc<KeptSince>, _from: EraseCursor) -> Ticket<ErasureStep> {
        self.return_set_aside();
        let dropped = self.lock().drop_older(since);
        let erased = ErasedRows {
            messages: dropped.len() as u64,
            events: self.ledgers.lock().drop_older(since),
            ..ErasedRows::default()
        };
        self.release(dropped);
        done(ErasureStep { erased, next: None })
    }

    fn erase_messages(&self, ids: Vec<TransactionId>) -> Ticket<ErasedRows> {
        self.return_set_aside();
        let mut erased = ErasedRows::default();
        let dropped = self.lock().erase_messages(&ids, &mut erased);
        self.release(dropped);
        done(erased)
    }

    fn overwrite_erased(&self) -> Ticket<()> {
        done(())
    }
}

impl From<MemorySpool> for Stores {
    fn from(store: MemorySpool) -> Self {
        let bodies = Arc::clone(&store.bodies);
        Self::new(store, bodies)
    }
}
