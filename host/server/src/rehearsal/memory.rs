//! What policies wanted remembered, for the length of one rehearsal.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_policy::{Effect, Machine, Memory, Scope};

/// Counts, marks and machines of one rehearsal.
#[derive(Debug, Default)]
pub(super) struct RunMemory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    remembered: HashMap<(Scope, String), Remembered>,
    /// By account and address.
    machines: HashMap<(Option<String>, String), Machine>,
}

#[derive(Debug, Default)]
struct Remembered {
    /// Until when the key is marked as seen.
    seen: Millis,
    /// When how much was counted.
    counted: Vec<(Millis, u32)>,
}

impl RunMemory {
    /// Applies the effects of a message that was accepted at `now`.
    pub(super) fn remember(&self, effects: &[(Scope, Effect)], now: Millis) {
        let mut state = self.lock();
        let after = |seconds: u32| now + Duration::from_secs(u64::from(seconds));
        for (scope, effect) in effects {
            match effect {
                Effect::Count { key, amount } => {
                    state.of(scope, key).counted.push((now, *amount));
                }
                Effect::MarkSeen { key, seconds } => {
                    let remembered = state.of(scope, key);
                    remembered.seen = remembered.seen.max(after(*seconds));
                }
                Effect::ForgetCount { key } => state.of(scope, key).counted.clear(),
                Effect::RememberMachine {
                    address,
                    evidence,
                    seconds,
                } => {
                    let key = (scope.account.clone(), address.clone());
                    let before = state.machines.get(&key).filter(|known| known.until > now);
                    let machine = Machine {
                        evidence: evidence.clone(),
                        since: before.map_or(now, |known| known.since),
                        until: after(*seconds),
                    };
                    state.machines.insert(key, machine);
                }
                Effect::ForgetMachine { address } => {
                    let key = (scope.account.clone(), address.clone());
                    state.machines.remove(&key);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&mut self, scope: &Scope, key: &str) -> &mut Remembered {
        let key = (scope.clone(), key.to_owned());
        self.remembered.entry(key).or_default()
    }
}

impl Memory for RunMemory {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        let since = now - Duration::from_secs(u64::from(seconds));
        let memory = self.lock();
        let counted = memory.remembered.get(&(scope.clone(), key.to_owned()));
        counted.map_or(0, |remembered| {
            let counted = remembered
                .counted
                .iter()
                .filter(|(at, _)| *at >= since && *at <= now);
            counted.map(|(_, amount)| u64::from(*amount)).sum()
        })
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        let memory = self.lock();
        let seen = memory.remembered.get(&(scope.clone(), key.to_owned()));
        seen.is_some_and(|remembered| remembered.seen > now)
    }

    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        let state = self.lock();
        let known = state
            .machines
            .get(&(Some(account.to_owned()), address.to_owned()));
        known.filter(|machine| machine.until > now).cloned()
    }
}
