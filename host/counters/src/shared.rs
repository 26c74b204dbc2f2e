//! A state that many threads look into.

use parking_lot::{RwLock, RwLockReadGuard};

use gatepost_message::{Millis, SoughtAddress};
use gatepost_model::{Effect, Machine, Scope};

use crate::{CounterChange, CounterState, ExpiredChanges, KnownMachine, Memory, RememberedTotals};

/// Most changes applied under one lock; look-ups get their turn in between.
const CHANGES_AT_ONCE: usize = 256;

/// A [`CounterState`] behind a lock that is never held for long.
#[derive(Debug)]
pub struct SharedCounters(RwLock<CounterState>);

impl SharedCounters {
    /// Makes an empty state with that bound, as [`CounterState::new`].
    pub fn new(bound: usize) -> Self {
        Self(RwLock::new(CounterState::new(bound)))
    }

    /// Applies changes; returns the evictions that they caused.
    pub fn apply(&self, changes: impl IntoIterator<Item = CounterChange>) -> Vec<CounterChange> {
        let mut evicted = Vec::new();
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            evicted.extend(self.apply_at_once(changes.by_ref().take(CHANGES_AT_ONCE)));
        }
        evicted
    }

    /// Applies the effects of a transaction of that time; returns the evictions that they caused.
    pub fn apply_effects(&self, effects: &[(Scope, Effect)], time: Millis) -> Vec<CounterChange> {
        let changes = effects.iter();
        self.apply(changes.map(|(scope, effect)| CounterChange::of(scope, effect, time)))
    }

    /// Applies changes under one lock, and evicts only after all of them; returns the evictions.
    pub fn apply_at_once(
        &self,
        changes: impl IntoIterator<Item = CounterChange>,
    ) -> Vec<CounterChange> {
        let mut state = self.0.write();
        state.apply(changes)
    }

    /// Returns true if there is an entry that this deletion would remove.
    pub fn holds(&self, deletion: &CounterChange) -> bool {
        self.read().holds(deletion)
    }

    /// Returns the machines known at `now`, of one account or of all, by account and address.
    pub fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine> {
        self.read().machines(account, now)
    }

    /// Returns the changes that forget an address, of one account or of all.
    pub fn naming(&self, address: &SoughtAddress, account: Option<&str>) -> Vec<CounterChange> {
        self.read().naming(address, account)
    }

    /// Returns number and size of what is remembered.
    pub fn totals(&self) -> RememberedTotals {
        self.read().totals()
    }

    /// Returns the changes that drop what has expired at `now`, at most `limit` of each kind.
    pub fn expired(&self, now: Millis, limit: usize) -> ExpiredChanges {
        self.read().expired(now, limit)
    }

    fn read(&self) -> RwLockReadGuard<'_, CounterState> {
        self.0.read()
    }
}

impl Memory for SharedCounters {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        self.read().counted(scope, key, seconds, now)
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        self.read().seen(scope, key, now)
    }

    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        self.read().machine(account, address, now)
    }
}
