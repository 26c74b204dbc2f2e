//! The schedule: which recipients wait, where, and which of them are claimed next.
//!
//! It is a structure in memory, without I/O, and both stores keep one. A store holds the durable
//! state; its schedule is made from that when it is opened, and follows each commit ([`ScheduleChange`]).
//! A claim is chosen here and then made durable; if that fails, it is [given
//! back](Schedule::give_back).
//!
//! - Destinations that have room take turns. Within a destination, accounts take turns, and an
//!   account's recipients come longest due first. Turns are by message.
//! - Recipients without a route are at a destination of their own, without a pace.
//! - Recipients that found their destination full wait in memory with their claim, as many as
//!   there is [room for](set_aside), and recipients without a route are claimed no further ahead than
//!   that.
//! - Recipients whose attention is due are claimed even from a closed destination. They get one
//!   turn in [`ATTENTION_TURN`], so that a million that expire at once do not stop the others.
//! - No operation looks at all that waits: each costs the logarithm of it. A waiting recipient
//!   takes about 250 octets.

mod destination;
mod set_aside;
mod turns;

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use gatepost_message::{Millis, TransactionId};
use gatepost_model::DestinationKey;

use crate::{Claim, ClaimCause, DestinationSummary, Lease, Owner, Pace, Report};

use self::{
    destination::DestinationQueue,
    set_aside::{Claimable, ClaimsSetAside},
    turns::Turns,
};

/// Turn of so many that those have first whose attention is due.
const ATTENTION_TURN: u32 = 4;

/// Number of known destinations from which those are forgotten that nobody uses.
const MANY_DESTINATIONS: usize = 10_000;

/// Time of an attention that is never due.
const NEVER: Millis = Millis(u64::MAX);

/// Number of an account within a schedule.
type AccountId = u32;

/// Number of a destination within a schedule.
type DestinationId = u64;

/// DestinationQueue of recipients without a route.
const UNROUTED: DestinationId = 0;

/// A recipient: its message, and its number therein.
type Key = (TransactionId, u32);

/// A recipient that waits for an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitingPlace {
    /// Time at which it is due.
    pub(crate) due: Millis,
    /// Time at which it is claimed even if its destination is closed.
    pub(crate) attention_at: Millis,
    /// Account of its message.
    pub(crate) account: Option<String>,
    /// DestinationQueue of its stored route.
    pub(crate) destination: Option<DestinationKey>,
}

/// A committed change of the store, for its schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScheduleChange {
    /// A recipient waits now.
    Waits(TransactionId, u32, WaitingPlace),
    /// A recipient was accepted, and leased at that time in the same commit.
    Leased(TransactionId, u32, WaitingPlace, Lease, Millis),
    /// A recipient waits no longer: it is finished, or an operator has it.
    Ended(TransactionId, u32),
    /// No recipient of the message waits any longer.
    Gone(TransactionId),
}

/// Recipients of one message that are claimed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) message: TransactionId,
    /// Numbers of the recipients, in ascending order.
    pub(crate) recipients: Vec<(u32, ClaimCause)>,
}

/// Messages that a claim has chosen.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Claims from memory, whose recipients are leased in the store.
    pub(crate) set_aside: Vec<Claim>,
    /// Messages of the store, to be leased there.
    pub(crate) picks: Vec<Pick>,
    /// Lease of those.
    pub(crate) lease: Option<Lease>,
}

impl Chosen {
    /// Returns the number of messages.
    pub(crate) fn len(&self) -> usize {
        self.set_aside.len() + self.picks.len()
    }
}

/// The next message.
enum Next {
    Stored(Pick),
    SetAside(Box<Claim>),
    /// It has to go back to the store first.
    Returned,
}

/// A recipient in the form in which a million are kept.
#[derive(Debug, Clone, Copy)]
struct ScheduleEntry {
    due: Millis,
    attention_at: Millis,
    destination: DestinationId,
    account: AccountId,
}

/// A recipient that is leased.
#[derive(Debug, Clone, Copy)]
struct LeasedEntry {
    lease: Lease,
    /// Time of the claim.
    at: Millis,
    /// Recipient as it waited before.
    entry: ScheduleEntry,
    /// DestinationQueue at which it counts as in hand.
    in_hand_at: Option<DestinationId>,
}

/// All recipients of a store that wait or are leased.
#[derive(Debug)]
pub(crate) struct Schedule {
    waiting: BTreeMap<Key, ScheduleEntry>,
    leased: BTreeMap<Key, LeasedEntry>,
    /// Waiting recipients by the time of their attention.
    attention: BTreeSet<(Millis, TransactionId, u32)>,
    /// Leased recipients by the end of their lease.
    lease_ends: BTreeSet<(Millis, TransactionId, u32)>,
    destinations: HashMap<DestinationId, DestinationQueue>,
    ids: HashMap<DestinationKey, DestinationId>,
    last_id: DestinationId,
    /// Number of known destinations from which unused ones are forgotten next.
    forget_from: usize,
    turns: Turns<DestinationId>,
    accounts: HashMap<Option<String>, AccountId>,
    set_aside: ClaimsSetAside,
    /// Number of picks that were tried.
    picks: u32,
    /// Time of the latest claim.
    now: Millis,
    /// End of the latest lease: no two end alike.
    last_until: Millis,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            leased: BTreeMap::new(),
            attention: BTreeSet::new(),
            lease_ends: BTreeSet::new(),
            destinations: HashMap::from([(UNROUTED, DestinationQueue::default())]),
            ids: HashMap::new(),
            last_id: UNROUTED,
            forget_from: MANY_DESTINATIONS,
            turns: Turns::default(),
            accounts: HashMap::new(),
            set_aside: ClaimsSetAside::default(),
            picks: 0,
            now: Millis(0),
            last_until: Millis(0),
        }
    }
}

impl Schedule {
    /// Makes a lease; it ends a little later than asked for if another would end alike.
    pub(crate) fn lease(&mut self, owner: Owner, from: Millis, length: Duration) -> Lease {
        self.last_until = (from + length).max(Millis(self.last_until.0 + 1));
        Lease {
            owner,
            until: self.last_until,
        }
    }

    /// Returns the time at which the next recipient can be claimed.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        let times = [
            self.turns.first(),
            self.attention.first().map(|(at, ..)| *at),
            self.lease_ends.first().map(|(at, ..)| *at),
            self.set_aside.first_stale(),
        ];
        times.into_iter().flatten().min()
    }

    /// Returns true if a recipient can be claimed earlier than at that time.
    pub(crate) fn is_earlier(&self, before: Option<Millis>) -> bool {
        let next = self.next_due();
        next.is_some_and(|next| before.is_none_or(|before| next < before))
    }

    /// Returns true if a recipient can be claimed.
    pub(crate) fn is_due(&self, now: Millis) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }

    /// Follows a committed change.
    pub(crate) fn apply(&mut self, change: ScheduleChange) {
        match change {
            ScheduleChange::Waits(message, number, waiting) => {
                let key = (message, number);
                let leased = self.remove(key);
                let mut entry = self.entry(waiting);
                if let Some(leased) = leased {
                    entry.attention_at = heeded(entry.attention_at, leased.at);
                }
                self.route(entry.destination, 1);
                self.wait(key, entry);
            }
            ScheduleChange::Leased(message, number, waiting, lease, at) => {
                let key = (message, number);
                self.remove(key);
                let entry = self.entry(waiting);
                self.route(entry.destination, 1);
                self.lease_entry(key, entry, lease, at, Some(entry.destination));
            }
            ScheduleChange::Ended(message, number) => drop(self.remove((message, number))),
            ScheduleChange::Gone(message) => {
                let all = (message, 0)..=(message, u32::MAX);
                let waiting = self.waiting.range(all.clone()).map(|(key, _)| *key);
                let leased = self.leased.range(all).map(|(key, _)| *key);
                for key in waiting.chain(leased).collect::<Vec<_>>() {
                    self.remove(key);
                }
            }
        }
    }

    /// Claims recipients of up to `limit` messages.
    pub(crate) fn claim(
        &mut self,
        owner: Owner,
        now: Millis,
        limit: usize,
        length: Duration,
    ) -> Chosen {
        self.now = now;
        self.set_aside.lease_lasts(length);
        let mut chosen = Chosen::default();
        if limit == 0 || !self.is_due(now) {
            return chosen;
        }
        self.end_leases(now);
        while let Some(message) = self.set_aside.stale(now) {
            self.return_kept_one(message);
        }
        let lease = self.lease(owner, now, length);
        while chosen.len() < limit
            && let Some(next) = self.pick(now, lease)
        {
            match next {
                Next::Stored(pick) => {
                    chosen.picks.push(pick);
                    chosen.lease = Some(lease);
                }
                Next::SetAside(claim) => chosen.set_aside.push(*claim),
                Next::Returned => {}
            }
        }
        chosen
    }

    /// Sets a claim aside at the destination to which the report returns all its recipients, if that
    /// is one alone and open; see [`Queue::set_aside`](crate::Queue::set_aside). Gives the report
    /// back if it has to be recorded.
    pub(crate) fn set_aside(&mut self, claim: &Claim, report: Report) -> Result<(), Box<Report>> {
        let held = report.results.iter().map(|result| {
            let leased = self.leased.get(&(report.message, result.number))?;
            (leased.lease == report.lease).then_some(leased.at)
        });
        let since = held.collect::<Option<Vec<_>>>();
        let since = since.and_then(|times| times.into_iter().max());
        let (Some(since), Some(key)) = (since, set_aside::one_destination(claim, &report)) else {
            return Err(Box::new(report));
        };
        let pace = self.pace(&key);
        let is_closed = pace.in_hand == 0 || pace.not_before > self.now;
        if is_closed || !self.set_aside.has_room(claim, self.now) {
            return Err(Box::new(report));
        }
        for (number, due, attention_at) in set_aside::waits(claim, &report) {
            let of = (report.message, number);
            let Some(leased) = self.remove(of) else {
                continue;
            };
            // Only now: a destination that nobody used any more was forgotten.
            let destination = self.id(&key);
            self.route(destination, 1);
            let entry = ScheduleEntry {
                due,
                attention_at: heeded(attention_at, leased.at),
                destination,
                account: leased.entry.account,
            };
            self.wait(of, entry);
        }
        let destination = self.id(&key);
        self.set_aside.add(claim, report, destination, since);
        self.refresh(UNROUTED);
        Ok(())
    }

    /// Returns all claims that wait in memory to the store: what is shown or changed there has to
    /// be the truth.
    pub(crate) fn return_set_aside(&mut self) {
        for message in self.set_aside.all() {
            self.return_kept_one(message);
        }
    }

    /// Returns the reports that have to be recorded now: they return claims that waited in memory.
    pub(crate) fn returned(&mut self) -> Vec<Report> {
        self.set_aside.returned()
    }

    /// Leases the recipients of a claim that waits in memory, until its report is recorded.
    fn return_kept_one(&mut self, message: TransactionId) {
        let Some(waiting) = self.set_aside.remove(message) else {
            return;
        };
        for number in waiting.numbers() {
            let key = (message, number);
            if let Some(entry) = self.waiting.get(&key).copied() {
                self.unlink(key, &entry);
                self.lease_entry(key, entry, waiting.lease(), waiting.since, None);
                self.refresh(entry.destination);
            }
        }
        self.set_aside.give_back(waiting);
        self.refresh(UNROUTED);
    }

    /// Makes recipients wait as before that were claimed and are still leased so: the claim could
    /// not be stored.
    pub(crate) fn give_back(&mut self, lease: Lease, picks: &[Pick]) {
        for pick in picks {
            for (number, _) in &pick.recipients {
                let key = (pick.message, *number);
                let leased = self.leased.get(&key);
                if leased.is_some_and(|leased| leased.lease == lease)
                    && let Some(leased) = self.unlease(key)
                {
                    self.wait(key, leased.entry);
                }
            }
        }
    }

    /// Counts leased recipients as in hand at a destination; see
    /// [`Queue::enter`](crate::Queue::enter).
    pub(crate) fn enter(
        &mut self,
        message: TransactionId,
        lease: Lease,
        numbers: &[u32],
        destination: &DestinationKey,
    ) -> bool {
        let held = |number: &u32| {
            let leased = self.leased.get(&(message, *number));
            leased.is_some_and(|leased| leased.lease == lease)
        };
        if !numbers.iter().all(held) {
            return false;
        }
        let id = self.id(destination);
        let now = self.now;
        let enters = self.destinations.get(&id).is_some_and(|destination| {
            destination.has_in_hand(message, lease.until) || destination.admits(now)
        });
        for number in numbers.iter().filter(|_| enters) {
            let Some(leased) = self.leased.get_mut(&(message, *number)) else {
                continue;
            };
            let before = leased.in_hand_at.replace(id);
            if let Some(destination) = self.destinations.get_mut(&id) {
                destination.take(message, lease.until);
            }
            self.leave(before, message, lease.until);
        }
        self.refresh(id);
        enters
    }

    /// Sets the pace of a destination.
    pub(crate) fn set_pace(&mut self, key: &DestinationKey, pace: Pace) {
        if self.ids.len() >= self.forget_from {
            self.forget_idle();
        }
        let id = self.id(key);
        if let Some(destination) = self.destinations.get_mut(&id) {
            destination.pace = pace;
        }
        // Where nothing leaves for a while, nothing takes up memory.
        if pace.not_before > self.now || pace.in_hand == 0 {
            for message in self.set_aside.at(id) {
                self.return_kept_one(message);
            }
        }
        self.refresh(id);
    }

    /// Returns the pace of a destination.
    pub(crate) fn pace(&self, key: &DestinationKey) -> Pace {
        let id = self.ids.get(key);
        let destination = id.and_then(|id| self.destinations.get(id));
        destination.map_or_else(Pace::default, |destination| destination.pace)
    }

    /// Adds to what a store has found what is in hand, and the pace; returns up to `limit`
    /// destinations, those with most recipients first.
    pub(crate) fn summaries(
        &self,
        found: Vec<DestinationSummary>,
        limit: usize,
    ) -> Vec<DestinationSummary> {
        let mut all: BTreeMap<_, _> = (found.into_iter())
            .map(|summary| (summary.destination.clone(), summary))
            .collect();
        for destination in self.destinations.values() {
            let key = &destination.key;
            if destination.in_hand() > 0 && !all.contains_key(key) {
                all.insert(key.clone(), DestinationSummary::of(key.clone()));
            }
            if let Some(summary) = all.get_mut(key) {
                summary.in_hand = destination.in_hand() as u64;
                summary.pace = destination.pace;
            }
        }
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_by_key(|summary| Reverse(summary.recipients));
        all.truncate(limit);
        all
    }

    /// Makes recipients due whose lease ran out.
    fn end_leases(&mut self, now: Millis) {
        while let Some(&(until, message, number)) = self.lease_ends.first()
            && until <= now
        {
            let key = (message, number);
            if let Some(leased) = self.unlease(key) {
                let due = until;
                self.wait(
                    key,
                    ScheduleEntry {
                        due,
                        ..leased.entry
                    },
                );
            }
        }
    }

    /// Picks the recipients of the next message.
    fn pick(&mut self, now: Millis, lease: Lease) -> Option<Next> {
        self.picks = self.picks.wrapping_add(1);
        match self.picks % ATTENTION_TURN {
            0 => (self.pick_attention(now, lease)).or_else(|| self.pick_due(now, lease)),
            _ => (self.pick_due(now, lease)).or_else(|| self.pick_attention(now, lease)),
        }
    }

    fn pick_due(&mut self, now: Millis, lease: Lease) -> Option<Next> {
        let id = self.turns.next(now)?;
        let message = self.destinations.get_mut(&id)?.next(now)?;
        if id == UNROUTED {
            self.set_aside.claimed_ahead(now);
        }
        Some(self.take(message, id, now, lease))
    }

    fn pick_attention(&mut self, now: Millis, lease: Lease) -> Option<Next> {
        let (at, message, number) = *self.attention.first()?;
        if at > now {
            return None;
        }
        let id = self.waiting.get(&(message, number))?.destination;
        Some(self.take(message, id, now, lease))
    }

    /// Leases the recipients of a message that can be claimed at a destination: those of the claim
    /// that waits there in memory, if there is one, or else the others.
    fn take(
        &mut self,
        message: TransactionId,
        id: DestinationId,
        now: Millis,
        lease: Lease,
    ) -> Next {
        let mut recipients = self.claimable(message, id, now);
        let waiting = self.set_aside.of(message, id);
        let waiting = waiting.map(|waiting| (waiting.count(&recipients), waiting.lease()));
        match waiting {
            None | Some((Claimable::None, _)) => {
                Next::Stored(self.lease_all(message, id, recipients, (lease, now)))
            }
            Some((Claimable::All, own)) if own.owner == lease.owner => {
                let Some(waiting) = self.set_aside.remove(message) else {
                    return Next::Returned;
                };
                recipients.retain(|(number, ..)| waiting.has(*number));
                let pick = self.lease_all(message, id, recipients, (own, now));
                self.refresh(UNROUTED);
                Next::SetAside(Box::new(waiting.into_claim(&pick)))
            }
            // One of its recipients is wanted before the others.
            Some(_) => {
                self.return_kept_one(message);
                Next::Returned
            }
        }
    }

    /// Returns the recipients of a message that can be claimed at a destination.
    fn claimable(
        &self,
        message: TransactionId,
        id: DestinationId,
        now: Millis,
    ) -> Vec<(u32, ScheduleEntry, ClaimCause)> {
        let destination = self.destinations.get(&id);
        let is_open = destination.is_some_and(|destination| destination.is_open(now));
        let cause = |entry: &ScheduleEntry| match () {
            () if is_open && entry.due <= now => Some(ClaimCause::Due),
            () if entry.attention_at <= now => Some(ClaimCause::Attention),
            () => None,
        };
        let recipients = self.waiting.range((message, 0)..=(message, u32::MAX));
        recipients
            .filter(|(_, entry)| entry.destination == id)
            .filter_map(|((_, number), entry)| Some((*number, *entry, cause(entry)?)))
            .collect()
    }

    /// Leases these recipients of a message at a destination.
    fn lease_all(
        &mut self,
        message: TransactionId,
        id: DestinationId,
        recipients: Vec<(u32, ScheduleEntry, ClaimCause)>,
        (lease, now): (Lease, Millis),
    ) -> Pick {
        for (number, entry, cause) in &recipients {
            let key = (message, *number);
            self.unlink(key, entry);
            let in_hand_at = (*cause == ClaimCause::Due).then_some(id);
            self.lease_entry(key, *entry, lease, now, in_hand_at);
        }
        self.refresh(id);
        Pick {
            message,
            recipients: (recipients.into_iter())
                .map(|(number, _, cause)| (number, cause))
                .collect(),
        }
    }

    /// Returns the compact form of a recipient.
    fn entry(&mut self, waiting: WaitingPlace) -> ScheduleEntry {
        let next = AccountId::try_from(self.accounts.len()).unwrap_or(AccountId::MAX);
        ScheduleEntry {
            due: waiting.due,
            attention_at: waiting.attention_at,
            destination: match &waiting.destination {
                Some(key) => self.id(key),
                None => UNROUTED,
            },
            account: *self.accounts.entry(waiting.account).or_insert(next),
        }
    }

    /// Returns the number of a destination, which is known from now on.
    fn id(&mut self, key: &DestinationKey) -> DestinationId {
        if let Some(id) = self.ids.get(key) {
            return *id;
        }
        self.last_id += 1;
        self.ids.insert(key.clone(), self.last_id);
        self.destinations
            .insert(self.last_id, DestinationQueue::new(key));
        self.last_id
    }

    /// Makes a recipient wait.
    fn wait(&mut self, key: Key, entry: ScheduleEntry) {
        self.waiting.insert(key, entry);
        if entry.attention_at != NEVER {
            self.attention.insert((entry.attention_at, key.0, key.1));
        }
        if let Some(destination) = self.destinations.get_mut(&entry.destination) {
            destination.add(entry.account, (entry.due, key.0, key.1));
        }
        self.refresh(entry.destination);
    }

    /// Removes a recipient, wherever it is; returns it if it was leased.
    fn remove(&mut self, key: Key) -> Option<LeasedEntry> {
        if let Some(entry) = self.waiting.get(&key).copied() {
            self.unlink(key, &entry);
            if self.set_aside.forget(key) {
                self.refresh(UNROUTED);
            }
            self.route(entry.destination, -1);
            self.refresh(entry.destination);
            return None;
        }
        let leased = self.unlease(key)?;
        self.route(leased.entry.destination, -1);
        self.refresh(leased.entry.destination);
        Some(leased)
    }

    /// Ends the lease of a recipient. Its destination stays known: the recipient may go back there.
    fn unlease(&mut self, key: Key) -> Option<LeasedEntry> {
        let leased = self.leased.remove(&key)?;
        self.lease_ends.remove(&(leased.lease.until, key.0, key.1));
        self.leave(leased.in_hand_at, key.0, leased.lease.until);
        Some(leased)
    }

    /// Takes a waiting recipient out of all that is in order of time.
    fn unlink(&mut self, key: Key, entry: &ScheduleEntry) {
        self.waiting.remove(&key);
        self.attention.remove(&(entry.attention_at, key.0, key.1));
        if let Some(destination) = self.destinations.get_mut(&entry.destination) {
            destination.remove(entry.account, (entry.due, key.0, key.1));
        }
    }

    fn lease_entry(
        &mut self,
        key: Key,
        entry: ScheduleEntry,
        lease: Lease,
        at: Millis,
        in_hand_at: Option<DestinationId>,
    ) {
        let leased = LeasedEntry {
            lease,
            at,
            entry,
            in_hand_at,
        };
        self.leased.insert(key, leased);
        self.lease_ends.insert((lease.until, key.0, key.1));
        if let Some(destination) = in_hand_at.and_then(|id| self.destinations.get_mut(&id)) {
            destination.take(key.0, lease.until);
        }
    }

    /// Counts a recipient no longer as in hand.
    fn leave(&mut self, at: Option<DestinationId>, message: TransactionId, until: Millis) {
        let Some(id) = at else { return };
        if let Some(destination) = self.destinations.get_mut(&id) {
            destination.leave(message, until);
        }
        self.refresh(id);
    }

    /// Counts recipients whose stored route leads to a destination.
    fn route(&mut self, id: DestinationId, change: isize) {
        if let Some(destination) = self.destinations.get_mut(&id) {
            destination.routed = destination.routed.saturating_add_signed(change);
        }
    }

    /// Sets the time from which a destination takes turns; forgets one that nobody uses.
    fn refresh(&mut self, id: DestinationId) {
        let Some(destination) = self.destinations.get(&id) else {
            return;
        };
        let ready_at = destination.ready_at();
        let ready_at = match id {
            UNROUTED => ready_at.map(|at| at.max(self.set_aside.ahead_from())),
            _ => ready_at,
        };
        self.turns.set(id, ready_at);
        if destination.is_idle() && destination.pace == Pace::default() {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: DestinationId) {
        if id != UNROUTED
            && let Some(destination) = self.destinations.remove(&id)
            && let Some(key) = destination.key
        {
            self.ids.remove(&key);
        }
    }

    /// Forgets destinations that nobody uses and that are not closed: their keys come from outside.
    fn forget_idle(&mut self) {
        let now = self.now;
        let idle = self
            .destinations
            .iter()
            .filter(|(_, destination)| destination.is_idle() && destination.pace.not_before <= now);
        for id in idle.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.forget(id);
        }
        self.forget_from = MANY_DESTINATIONS.max(2 * self.ids.len());
    }
}

/// Returns the time of an attention that is not heeded again if delivery had the recipient at that
/// time or later, and has decided what to do.
fn heeded(attention_at: Millis, claimed_at: Millis) -> Millis {
    match attention_at <= claimed_at {
        true => NEVER,
        false => attention_at,
    }
}
