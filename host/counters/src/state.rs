//! The state that changes lead to.

use std::collections::{HashMap, HashSet};

use gatepost_message::{Millis, SoughtAddress};
use gatepost_model::{Effect, Machine, Scope};

use crate::{
    CounterChange, KnownMachine, LONGEST_WINDOW, RememberedSize, RememberedTotals, bucket,
    counts::Counts, first_bucket, machines::Machines, marks::Marks,
};

/// Marks and counts of all scopes, and known machines by account and address.
#[derive(Debug)]
pub struct CounterState {
    pub(crate) scopes: HashMap<Scope, ScopeState>,
    /// Machines by account. The empty string stands for no account.
    machines: HashMap<String, Machines>,
    /// Most octets for the marks of one scope, for its counts, and for the machines of an account.
    bound: usize,
}

#[derive(Debug, Default)]
pub(crate) struct ScopeState {
    marks: Marks,
    counts: Counts,
}

/// Changes that drop expired entries.
#[derive(Debug, Default)]
pub struct ExpiredChanges {
    /// Changes, the longest expired first within each kind.
    pub changes: Vec<CounterChange>,
    /// True if there may be more.
    pub more: bool,
}

impl CounterState {
    /// Makes an empty state with a bound in octets for the marks of one scope, for its counts, and
    /// for the machines of an account.
    pub fn new(bound: usize) -> Self {
        Self {
            scopes: HashMap::new(),
            machines: HashMap::new(),
            bound,
        }
    }

    /// Returns true if `key` is marked as seen at `now`.
    pub fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        let until = (self.scopes.get(scope)).and_then(|of| of.marks.until(key));
        until.is_some_and(|until| until > now)
    }

    /// Returns the sum counted under `key` in the `seconds` before `now`.
    pub fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        let window = first_bucket(now, seconds)..=bucket(now);
        let of = self.scopes.get(scope);
        of.map_or(0, |of| of.counts.sum(key, window))
    }

    /// Returns the account's knowledge at `now` of a machine.
    pub fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        let known = self.machines.get(account)?.get(address)?;
        (known.until > now).then(|| known.clone())
    }

    /// Returns the machines known at `now`, of one account or of all, by account and address.
    pub fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine> {
        let mut found: Vec<_> = (self.machines.iter())
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

    /// Returns the changes that forget an address, of one account or of all: as a machine, and by each
    /// mark and count whose key names it. They are not applied.
    pub fn naming(&self, address: &SoughtAddress, account: Option<&str>) -> Vec<CounterChange> {
        let is_of = |of: &str| account.is_none_or(|account| account == of);
        let scopes = self.scopes.iter();
        let scopes =
            scopes.filter(|(scope, _)| is_of(scope.account.as_deref().unwrap_or_default()));
        let mut changes = Vec::new();
        for (scope, of) in scopes {
            let marks = of.marks.keys().filter(|key| address.is_in(key));
            changes.extend(marks.map(|key| unmark(scope, key)));
            let counts = of.counts.keys().filter(|key| address.is_in(key));
            changes.extend(counts.map(|key| CounterChange::ForgetCount {
                scope: scope.clone(),
                key: key.to_owned(),
            }));
        }
        for (account, of) in self.machines.iter().filter(|(account, _)| is_of(account)) {
            let machines = of.iter().filter(|(known, _)| address.is(known));
            changes.extend(machines.map(|(known, _)| forget_machine(account, known)));
        }
        changes
    }

    /// Returns number and size of what is remembered.
    pub fn totals(&self) -> RememberedTotals {
        let mut totals = RememberedTotals::default();
        let add = |total: &mut RememberedSize, entries, octets| {
            total.entries += entries;
            total.octets += octets;
        };
        for of in self.scopes.values() {
            add(&mut totals.marks, of.marks.len(), of.marks.octets());
            add(&mut totals.counts, of.counts.len(), of.counts.octets());
        }
        for of in self.machines.values() {
            add(&mut totals.machines, of.len(), of.octets());
        }
        totals
    }

    /// Returns true if there is an entry that this deletion would remove.
    pub fn holds(&self, deletion: &CounterChange) -> bool {
        match deletion {
            CounterChange::Mark { scope, key, .. } | CounterChange::Unmark { scope, key } => {
                let of = self.scopes.get(scope);
                of.is_some_and(|of| of.marks.until(key).is_some())
            }
            CounterChange::Count { scope, key, .. }
            | CounterChange::ForgetCount { scope, key }
            | CounterChange::DropBucket { scope, key, .. } => {
                let of = self.scopes.get(scope);
                of.is_some_and(|of| of.counts.holds(key))
            }
            CounterChange::Machine {
                account, address, ..
            }
            | CounterChange::ForgetMachine { account, address } => {
                let of = self.machines.get(account);
                of.is_some_and(|of| of.get(address).is_some())
            }
            CounterChange::ForgetAccount { account } => {
                let mut scopes = self.scopes.keys();
                self.machines.contains_key(account)
                    || scopes.any(|scope| scope.account.as_ref() == Some(account))
            }
        }
    }

    /// Applies the effects of a transaction of that time; returns the evictions that they caused.
    pub fn apply_effects(
        &mut self,
        effects: &[(Scope, Effect)],
        time: Millis,
    ) -> Vec<CounterChange> {
        let changes = effects.iter();
        self.apply(changes.map(|(scope, effect)| CounterChange::of(scope, effect, time)))
    }

    /// Applies changes in order, and evicts only after all of them; returns the evictions.
    pub fn apply(
        &mut self,
        changes: impl IntoIterator<Item = CounterChange>,
    ) -> Vec<CounterChange> {
        let (mut scopes, mut accounts) = (HashSet::new(), HashSet::new());
        for change in changes {
            match &change {
                CounterChange::Mark { scope, .. } | CounterChange::Count { scope, .. } => {
                    if !scopes.contains(scope) {
                        scopes.insert(scope.clone());
                    }
                }
                CounterChange::Machine { account, .. } => {
                    if !accounts.contains(account) {
                        accounts.insert(account.clone());
                    }
                }
                CounterChange::ForgetCount { .. }
                | CounterChange::ForgetMachine { .. }
                | CounterChange::ForgetAccount { .. }
                | CounterChange::Unmark { .. }
                | CounterChange::DropBucket { .. } => {}
            }
            self.apply_one(change);
        }
        let mut evicted = Vec::new();
        for scope in scopes {
            self.make_room_in_scope(&scope, &mut evicted);
        }
        for account in accounts {
            self.make_room_for_machines(&account, &mut evicted);
        }
        evicted
    }

    /// Returns the changes that drop what has expired at `now`, at most `limit` of each kind. They
    /// are not applied.
    pub fn expired(&self, now: Millis, limit: usize) -> ExpiredChanges {
        let mut expired = ExpiredChanges::default();
        let mut marks = Vec::new();
        let mut buckets = Vec::new();
        let first = first_bucket(now, LONGEST_WINDOW);
        for (scope, of) in &self.scopes {
            let over = of.marks.until_at_most(now).take(limit);
            marks.extend(over.map(|(until, key)| (until.0, unmark(scope, key))));
            let over = of.counts.before(first);
            buckets.extend(over.map(|(key, bucket)| (bucket, drop_bucket(scope, key, bucket))));
        }
        let machines = self.machines.iter().flat_map(|(account, of)| {
            let over = of.until_at_most(now).take(limit);
            over.map(|(until, address)| (until.0, forget_machine(account, address)))
        });
        for mut kind in [marks, buckets, machines.collect()] {
            kind.sort_by_key(|(time, _)| *time);
            expired.more |= kind.len() >= limit;
            let changes = kind.into_iter().take(limit);
            expired.changes.extend(changes.map(|(_, change)| change));
        }
        expired
    }

    fn apply_one(&mut self, change: CounterChange) {
        match change {
            CounterChange::Mark { scope, key, until } => {
                self.scopes.entry(scope).or_default().marks.mark(key, until);
            }
            CounterChange::Unmark { scope, key } => {
                self.in_scope(&scope, |of| of.marks.unmark(&key))
            }
            CounterChange::Count {
                scope,
                key,
                bucket,
                amount,
            } => {
                let of = self.scopes.entry(scope).or_default();
                of.counts.add(key, bucket, amount);
            }
            CounterChange::ForgetCount { scope, key } => {
                self.in_scope(&scope, |of| of.counts.forget(&key))
            }
            CounterChange::DropBucket { scope, key, bucket } => {
                self.in_scope(&scope, |of| of.counts.forget_bucket(&key, bucket));
            }
            CounterChange::Machine {
                account,
                address,
                machine,
            } => {
                let of = self.machines.entry(account).or_default();
                of.insert(address, machine);
            }
            CounterChange::ForgetAccount { account } => {
                self.machines.remove(&account);
                (self.scopes).retain(|scope, _| scope.account.as_ref() != Some(&account));
            }
            CounterChange::ForgetMachine { account, address } => {
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
    fn in_scope(&mut self, scope: &Scope, take: impl FnOnce(&mut ScopeState)) {
        if let Some(of) = self.scopes.get_mut(scope) {
            take(of);
            if of.marks.len() == 0 && of.counts.len() == 0 {
                self.scopes.remove(scope);
            }
        }
    }

    fn make_room_in_scope(&mut self, scope: &Scope, evicted: &mut Vec<CounterChange>) {
        let Some(of) = self.scopes.get_mut(scope) else {
            return;
        };
        while let Some(key) = of.marks.evict(self.bound) {
            let scope = scope.clone();
            evicted.push(CounterChange::Unmark { scope, key });
        }
        while let Some(key) = of.counts.evict(self.bound) {
            let scope = scope.clone();
            evicted.push(CounterChange::ForgetCount { scope, key });
        }
    }

    fn make_room_for_machines(&mut self, account: &str, evicted: &mut Vec<CounterChange>) {
        let Some(of) = self.machines.get_mut(account) else {
            return;
        };
        while let Some(address) = of.evict(self.bound) {
            let account = account.to_owned();
            evicted.push(CounterChange::ForgetMachine { account, address });
        }
    }
}

fn unmark(scope: &Scope, key: &str) -> CounterChange {
    CounterChange::Unmark {
        scope: scope.clone(),
        key: key.to_owned(),
    }
}

fn drop_bucket(scope: &Scope, key: &str, bucket: u64) -> CounterChange {
    CounterChange::DropBucket {
        scope: scope.clone(),
        key: key.to_owned(),
        bucket,
    }
}

fn forget_machine(account: &str, address: &str) -> CounterChange {
    CounterChange::ForgetMachine {
        account: account.to_owned(),
        address: address.to_owned(),
    }
}
