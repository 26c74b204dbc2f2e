//! The in-memory copy of what policies asked to remember: marks, counts and machines.
//!
//! It is loaded from the database when the store is opened, and updated after each commit.
//!
//! All of it derives from what strangers send, so it is bounded: the marks of each policy and
//! account, their counts, and the machines of each account take no more than [so many
//! octets](crate::SpoolSettings::remembered_bytes). Beyond that the weakest entry is evicted, here
//! at once and from the database with the next commit. So mail to one account never evicts an entry
//! of another.

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
const BUCKET_MILLIS: u64 = 60_000;

/// Longest window of a count, in seconds.
pub(crate) const LONGEST_WINDOW: u32 = 24 * 3600;

/// Octets that an entry is assumed to need besides its texts.
const ENTRY_OVERHEAD: usize = 160;

/// Most changes applied under one lock; look-ups get their turn in between.
const CHANGES_AT_ONCE: usize = 256;

/// Least time between two log lines about evictions.
const REPORT_EVERY: Duration = Duration::from_secs(600);

/// Returns the bucket of a time.
pub(crate) fn bucket(at: Millis) -> u64 {
    at.0 / BUCKET_MILLIS
}

/// Returns the first bucket that a window of so many seconds before `now` touches.
pub(crate) fn first_bucket(now: Millis, seconds: u32) -> u64 {
    let length = u64::from(seconds.min(LONGEST_WINDOW)) * 1000;
    bucket(Millis(now.0.saturating_sub(length)))
}

/// One committed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemoryChange {
    /// Marks the key until a time.
    Mark {
        scope: Scope,
        key: String,
        until: Millis,
    },
    /// Adds to the count in a bucket.
    Count {
        scope: Scope,
        key: String,
        bucket: u64,
        amount: u64,
    },
    /// Deletes the count.
    ForgetCount { scope: Scope, key: String },
    /// Stores an address as a machine's, and replaces what was known of it.
    Machine {
        account: String,
        address: String,
        machine: Machine,
    },
    /// Deletes a machine.
    ForgetMachine { account: String, address: String },
    /// Deletes a mark.
    Unmark { scope: Scope, key: String },
    /// Deletes a bucket of a count.
    DropBucket {
        scope: Scope,
        key: String,
        bucket: u64,
    },
}

/// Number and size of the remembered entries of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RememberedSize {
    /// Number of keys or addresses.
    pub entries: usize,
    /// Octets of memory that they are assumed to need.
    pub octets: usize,
}

/// Number and size of the remembered entries, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RememberedTotals {
    /// Keys that are marked as seen.
    pub marks: RememberedSize,
    /// Keys under which something is counted.
    pub counts: RememberedSize,
    /// Addresses that are known as machines'.
    pub machines: RememberedSize,
}

#[derive(Debug, Default)]
struct ScopeMemory {
    marks: Marks,
    counts: Counts,
}

#[derive(Debug, Default)]
struct MemoryState {
    scopes: HashMap<Scope, ScopeMemory>,
    /// Machines by account. The empty string stands for no account.
    machines: HashMap<String, Machines>,
    /// Time of the last log line about evictions.
    reported_at: Option<Instant>,
}

/// Marks and counts of all scopes, and known machines by account and address.
#[derive(Debug)]
pub(crate) struct Memory {
    state: RwLock<MemoryState>,
    /// Most octets for the marks of one scope, for its counts, and for the machines of an account.
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

    /// Applies changes; returns the evictions that they caused, which must also be made in the
    /// database.
    pub(crate) fn apply(&self, changes: Vec<MemoryChange>) -> Vec<MemoryChange> {
        let mut evicted = Vec::new();
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            self.apply_at_once(changes.by_ref().take(CHANGES_AT_ONCE), &mut evicted);
        }
        evicted
    }

    /// Applies changes under one lock, and evicts only after all of them.
    pub(crate) fn apply_at_once(
        &self,
        changes: impl Iterator<Item = MemoryChange>,
        evicted: &mut Vec<MemoryChange>,
    ) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let (mut scopes, mut accounts) = (HashSet::new(), HashSet::new());
        for change in changes {
            match &change {
                MemoryChange::Mark { scope, .. } | MemoryChange::Count { scope, .. } => {
                    if !scopes.contains(scope) {
                        scopes.insert(scope.clone());
                    }
                }
                MemoryChange::Machine { account, .. } => {
                    if !accounts.contains(account) {
                        accounts.insert(account.clone());
                    }
                }
                MemoryChange::ForgetCount { .. }
                | MemoryChange::ForgetMachine { .. }
                | MemoryChange::Unmark { .. }
                | MemoryChange::DropBucket { .. } => {}
            }
            state.apply(change);
        }
        let before = evicted.len();
        for scope in scopes {
            state.make_room_in_scope(&scope, self.bound, evicted);
        }
        for account in accounts {
            state.make_room_for_machines(&account, self.bound, evicted);
        }
        state.report_evictions(&evicted[before..]);
    }

    /// Returns true if there is an entry that this deletion would remove.
    pub(crate) fn holds(&self, deletion: &MemoryChange) -> bool {
        let state = self.read();
        match deletion {
            MemoryChange::Mark { scope, key, .. } | MemoryChange::Unmark { scope, key } => {
                let of = state.scopes.get(scope);
                of.is_some_and(|of| of.marks.until(key).is_some())
            }
            MemoryChange::Count { scope, key, .. }
            | MemoryChange::ForgetCount { scope, key }
            | MemoryChange::DropBucket { scope, key, .. } => {
                let of = state.scopes.get(scope);
                of.is_some_and(|of| of.counts.holds(key))
            }
            MemoryChange::Machine {
                account, address, ..
            }
            | MemoryChange::ForgetMachine { account, address } => {
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

    /// Returns the machines of one account, or of all, by account and address.
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
        let add = |total: &mut RememberedSize, entries, octets| {
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

    fn read(&self) -> std::sync::RwLockReadGuard<'_, MemoryState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryState {
    fn apply(&mut self, change: MemoryChange) {
        match change {
            MemoryChange::Mark { scope, key, until } => {
                self.scopes.entry(scope).or_default().marks.mark(key, until);
            }
            MemoryChange::Unmark { scope, key } => {
                self.in_scope(&scope, |of| of.marks.unmark(&key))
            }
            MemoryChange::Count {
                scope,
                key,
                bucket,
                amount,
            } => {
                let of = self.scopes.entry(scope).or_default();
                of.counts.add(key, bucket, amount);
            }
            MemoryChange::ForgetCount { scope, key } => {
                self.in_scope(&scope, |of| of.counts.forget(&key))
            }
            MemoryChange::DropBucket { scope, key, bucket } => {
                self.in_scope(&scope, |of| of.counts.forget_bucket(&key, bucket));
            }
            MemoryChange::Machine {
                account,
                address,
                machine,
            } => {
                let of = self.machines.entry(account).or_default();
                of.insert(address, machine);
            }
            MemoryChange::ForgetMachine { account, address } => {
                if let Some(of) = self.machines.get_mut(&account) {
                    of.forget(&address);
                    if of.len() == 0 {
                        self.machines.remove(&account);
                    }
                }
            }
        }
    }

    /// Removes something from a scope, and the scope if it is empty then.
    fn in_scope(&mut self, scope: &Scope, take: impl FnOnce(&mut ScopeMemory)) {
        if let Some(of) = self.scopes.get_mut(scope) {
            take(of);
            if of.marks.len() == 0 && of.counts.len() == 0 {
                self.scopes.remove(scope);
            }
        }
    }

    fn make_room_in_scope(&mut self, scope: &Scope, bound: usize, evicted: &mut Vec<MemoryChange>) {
        let Some(of) = self.scopes.get_mut(scope) else {
            return;
        };
        while let Some(key) = of.marks.evict(bound) {
            let scope = scope.clone();
            evicted.push(MemoryChange::Unmark { scope, key });
        }
        while let Some(key) = of.counts.evict(bound) {
            let scope = scope.clone();
            evicted.push(MemoryChange::ForgetCount { scope, key });
        }
    }

    fn make_room_for_machines(
        &mut self,
        account: &str,
        bound: usize,
        evicted: &mut Vec<MemoryChange>,
    ) {
        let Some(of) = self.machines.get_mut(account) else {
            return;
        };
        while let Some(address) = of.evict(bound) {
            let account = account.to_owned();
            evicted.push(MemoryChange::ForgetMachine { account, address });
        }
    }

    /// Counts evictions, and logs one line about them now and then.
    fn report_evictions(&mut self, evicted: &[MemoryChange]) {
        let Some(last) = evicted.last() else { return };
        for change in evicted {
            let (kind, ..) = labels(change);
            metrics::counter!("gatepost_remembered_evicted_total", "kind" => kind).increment(1);
        }
        if self
            .reported_at
            .is_none_or(|reported_at| reported_at.elapsed() >= REPORT_EVERY)
        {
            self.reported_at = Some(Instant::now());
            let (kind, policy, account) = labels(last);
            tracing::warn!(
                kind,
                policy,
                account,
                "the limit of what is remembered for an account is reached: the weakest entries are evicted"
            );
        }
    }
}

/// Returns a change's kind, its policy (empty for machines) and its account.
fn labels(change: &MemoryChange) -> (&'static str, &str, &str) {
    match change {
        MemoryChange::Mark { scope, .. } | MemoryChange::Unmark { scope, .. } => (
            "marks",
            &scope.policy,
            scope.account.as_deref().unwrap_or_default(),
        ),
        MemoryChange::Count { scope, .. }
        | MemoryChange::ForgetCount { scope, .. }
        | MemoryChange::DropBucket { scope, .. } => (
            "counts",
            &scope.policy,
            scope.account.as_deref().unwrap_or_default(),
        ),
        MemoryChange::Machine { account, .. } | MemoryChange::ForgetMachine { account, .. } => {
            ("machines", "", account)
        }
    }
}

#[cfg(test)]
mod tests;
