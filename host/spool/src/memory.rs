//! What policies asked to remember, kept for look-ups: marks, counts and machines.
//!
//! The database holds the same; this is loaded from it at open and follows it after each commit.
//!
//! All of it comes from what strangers send, so it is bounded: for each policy and account the
//! marks, for each the counts, and for each account the machines take no more than
//! [so many octets](crate::SpoolSettings::remembered_bytes). Beyond that the weakest is forgotten,
//! here at once and in the database with the next commit. What is sent to one account so never
//! makes the relay forget anything of another.

mod counts;
mod machines;
mod marks;

use std::{
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};

use crate::KnownMachine;

use self::{counts::Counts, machines::Machines, marks::Marks};

/// Milliseconds in a bucket of a count.
const BUCKET: u64 = 60_000;

/// The longest window of a count, in seconds.
pub(crate) const LONGEST_WINDOW: u32 = 24 * 3600;

/// What an entry is taken to need besides its texts, in octets.
const ENTRY: usize = 160;

/// So many changes are applied at once; look-ups have their turn in between.
const AT_ONCE: usize = 256;

/// The least time between two lines in the log that say that something is forgotten early.
const SAY_EVERY: Duration = Duration::from_secs(600);

/// The bucket that a moment falls into.
pub(crate) fn bucket(at: Millis) -> u64 {
    at.0 / BUCKET
}

/// The first bucket that a window of so many seconds before `now` still touches.
pub(crate) fn first_bucket(now: Millis, seconds: u32) -> u64 {
    let length = u64::from(seconds.min(LONGEST_WINDOW)) * 1000;
    bucket(Millis(now.0.saturating_sub(length)))
}

/// One change, as committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The key is marked until then.
    Mark {
        scope: Scope,
        key: String,
        until: Millis,
    },
    /// So much more in that bucket.
    Count {
        scope: Scope,
        key: String,
        bucket: u64,
        amount: u64,
    },
    /// The count begins from nothing.
    Forget { scope: Scope, key: String },
    /// The address is known as a machine's, in the place of what was known of it.
    Machine {
        account: String,
        address: String,
        machine: Machine,
    },
    /// The address is known as a machine's no more.
    NoMachine { account: String, address: String },
    /// The mark is gone.
    Unmark { scope: Scope, key: String },
    /// The bucket is gone.
    Uncount {
        scope: Scope,
        key: String,
        bucket: u64,
    },
}

/// How much is remembered, of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remembered {
    /// Keys or addresses.
    pub entries: usize,
    /// Octets of memory that they are taken to need.
    pub octets: usize,
}

/// How much is remembered, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RememberedTotals {
    /// Keys that are marked as seen.
    pub marks: Remembered,
    /// Keys under which something is counted.
    pub counts: Remembered,
    /// Addresses that are known as machines'.
    pub machines: Remembered,
}

#[derive(Debug, Default)]
struct OfScope {
    marks: Marks,
    counts: Counts,
}

#[derive(Debug, Default)]
struct State {
    scopes: HashMap<Scope, OfScope>,
    /// By account. An empty account stands for none.
    machines: HashMap<String, Machines>,
    /// When it was last said that something is forgotten early.
    said: Option<Instant>,
}

/// Marks and counts of all scopes, and the machines that are known, by account and address.
#[derive(Debug)]
pub(crate) struct Memory {
    state: RwLock<State>,
    /// Octets that the marks of one scope may take, its counts, and the machines of an account.
    bound: usize,
}

impl Memory {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            state: RwLock::default(),
            bound,
        }
    }

    pub(crate) fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        let state = self.read();
        let until = (state.scopes.get(scope)).and_then(|of| of.marks.until(key));
        until.is_some_and(|until| until > now)
    }

    pub(crate) fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        let window = first_bucket(now, seconds)..=bucket(now);
        let state = self.read();
        let of = state.scopes.get(scope);
        of.map_or(0, |of| of.counts.sum(key, window))
    }

    /// Applies changes, and gives what was forgotten to make room: it is to go from the database
    /// as well.
    pub(crate) fn apply(&self, changes: Vec<Change>) -> Vec<Change> {
        let mut forgotten = Vec::new();
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            self.apply_at_once(changes.by_ref().take(AT_ONCE), &mut forgotten);
        }
        forgotten
    }

    /// Applies changes, and makes room only when all are there.
    pub(crate) fn apply_at_once(
        &self,
        changes: impl Iterator<Item = Change>,
        forgotten: &mut Vec<Change>,
    ) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let (mut scopes, mut accounts) = (HashSet::new(), HashSet::new());
        for change in changes {
            match &change {
                Change::Mark { scope, .. } | Change::Count { scope, .. } => {
                    if !scopes.contains(scope) {
                        scopes.insert(scope.clone());
                    }
                }
                Change::Machine { account, .. } => {
                    if !accounts.contains(account) {
                        accounts.insert(account.clone());
                    }
                }
                Change::Forget { .. }
                | Change::NoMachine { .. }
                | Change::Unmark { .. }
                | Change::Uncount { .. } => {}
            }
            state.apply(change);
        }
        let before = forgotten.len();
        for scope in scopes {
            state.make_room_in_scope(&scope, self.bound, forgotten);
        }
        for account in accounts {
            state.make_room_for_machines(&account, self.bound, forgotten);
        }
        state.say(&forgotten[before..]);
    }

    /// Whether what this change would forget is known.
    pub(crate) fn holds(&self, forgetting: &Change) -> bool {
        let state = self.read();
        match forgetting {
            Change::Mark { scope, key, .. } | Change::Unmark { scope, key } => {
                let of = state.scopes.get(scope);
                of.is_some_and(|of| of.marks.until(key).is_some())
            }
            Change::Count { scope, key, .. }
            | Change::Forget { scope, key }
            | Change::Uncount { scope, key, .. } => {
                let of = state.scopes.get(scope);
                of.is_some_and(|of| of.counts.holds(key))
            }
            Change::Machine {
                account, address, ..
            }
            | Change::NoMachine { account, address } => {
                let of = state.machines.get(account);
                of.is_some_and(|of| of.get(address).is_some())
            }
        }
    }

    pub(crate) fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        let state = self.read();
        let known = state.machines.get(account)?.get(address)?;
        (known.until > now).then(|| known.clone())
    }

    /// Those of one account, or all, by account and address.
    pub(crate) fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine> {
        let state = self.read();
        let mut found: Vec<_> = (state.machines.iter())
            .filter(|(of, _)| account.is_none_or(|account| account == *of))
            .flat_map(|(of, known)| (known.iter()).map(move |(at, machine)| (of, at, machine)))
            .filter(|(_, _, machine)| machine.until > now)
            .map(|(account, address, machine)| KnownMachine {
                account: account.clone(),
                address: address.to_owned(),
                machine: machine.clone(),
            })
            .collect();
        found.sort_by(|one, other| {
            (&one.account, &one.address).cmp(&(&other.account, &other.address))
        });
        found
    }

    pub(crate) fn totals(&self) -> RememberedTotals {
        let state = self.read();
        let mut totals = RememberedTotals::default();
        let add = |total: &mut Remembered, entries, octets| {
            total.entries += entries;
            total.octets += octets;
        };
        for of in state.scopes.values() {
            add(&mut totals.marks, of.marks.len(), of.marks.octets());
            add(&mut totals.counts, of.counts.len(), of.counts.octets());
        }
        for of in state.machines.values() {
            add(&mut totals.machines, of.len(), of.octets());
        }
        totals
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Mark { scope, key, until } => {
                self.scopes.entry(scope).or_default().marks.mark(key, until);
            }
            Change::Unmark { scope, key } => self.in_scope(&scope, |of| of.marks.unmark(&key)),
            Change::Count {
                scope,
                key,
                bucket,
                amount,
            } => {
                let of = self.scopes.entry(scope).or_default();
                of.counts.add(key, bucket, amount);
            }
            Change::Forget { scope, key } => self.in_scope(&scope, |of| of.counts.forget(&key)),
            Change::Uncount { scope, key, bucket } => {
                self.in_scope(&scope, |of| of.counts.forget_bucket(&key, bucket));
            }
            Change::Machine {
                account,
                address,
                machine,
            } => {
                let of = self.machines.entry(account).or_default();
                of.know(address, machine);
            }
            Change::NoMachine { account, address } => {
                if let Some(of) = self.machines.get_mut(&account) {
                    of.forget(&address);
                    if of.len() == 0 {
                        self.machines.remove(&account);
                    }
                }
            }
        }
    }

    /// Takes something from a scope, and the scope if nothing is left.
    fn in_scope(&mut self, scope: &Scope, take: impl FnOnce(&mut OfScope)) {
        if let Some(of) = self.scopes.get_mut(scope) {
            take(of);
            if of.marks.len() == 0 && of.counts.len() == 0 {
                self.scopes.remove(scope);
            }
        }
    }

    fn make_room_in_scope(&mut self, scope: &Scope, bound: usize, forgotten: &mut Vec<Change>) {
        let Some(of) = self.scopes.get_mut(scope) else {
            return;
        };
        while let Some(key) = of.marks.evict(bound) {
            let scope = scope.clone();
            forgotten.push(Change::Unmark { scope, key });
        }
        while let Some(key) = of.counts.evict(bound) {
            let scope = scope.clone();
            forgotten.push(Change::Forget { scope, key });
        }
    }

    fn make_room_for_machines(&mut self, account: &str, bound: usize, forgotten: &mut Vec<Change>) {
        let Some(of) = self.machines.get_mut(account) else {
            return;
        };
        while let Some(address) = of.evict(bound) {
            let account = account.to_owned();
            forgotten.push(Change::NoMachine { account, address });
        }
    }

    /// Counts what was forgotten early, and says so now and then.
    fn say(&mut self, forgotten: &[Change]) {
        let Some(last) = forgotten.last() else { return };
        for change in forgotten {
            let (kind, ..) = of_change(change);
            metrics::counter!("gatepost_remembered_evicted_total", "kind" => kind).increment(1);
        }
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            let (kind, policy, account) = of_change(last);
            tracing::warn!(
                kind,
                policy,
                account,
                "what is remembered for an account takes all that it may: the weakest is forgotten"
            );
        }
    }
}

/// The kind of a change, the policy if it is of one, and the account.
fn of_change(change: &Change) -> (&'static str, &str, &str) {
    match change {
        Change::Mark { scope, .. } | Change::Unmark { scope, .. } => (
            "marks",
            &scope.policy,
            scope.account.as_deref().unwrap_or_default(),
        ),
        Change::Count { scope, .. }
        | Change::Forget { scope, .. }
        | Change::Uncount { scope, .. } => (
            "counts",
            &scope.policy,
            scope.account.as_deref().unwrap_or_default(),
        ),
        Change::Machine { account, .. } | Change::NoMachine { account, .. } => {
            ("machines", "", account)
        }
    }
}

#[cfg(test)]
mod tests;
