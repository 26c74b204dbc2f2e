//! Memory of policies' effects for the length of one dry run.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_model::{Effect, Machine, Scope};
use gatepost_policy::Memory;

/// Bytes that one dry run remembers. A relay remembers no more for an account, and keeps what
/// weighs most; here what comes first is kept, and the excess is reported.
const ROOM: usize = 64 << 20;

/// Bytes of a key or a machine besides its texts, and of one count.
const ENTRY: usize = 160;
const COUNT: usize = 16;

/// Counts, marks and machines of one dry run.
#[derive(Debug)]
pub(super) struct DryRunMemory(Mutex<MemoryState>);

impl Default for DryRunMemory {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

#[derive(Debug)]
struct MemoryState {
    /// Bytes that are left.
    room: usize,
    /// True once something was not remembered for want of room.
    full: bool,
    remembered: HashMap<(Scope, String), KeyMemory>,
    /// Known machines by account and address.
    machines: HashMap<(Option<String>, String), Machine>,
}

#[derive(Debug, Default)]
struct KeyMemory {
    /// Time until which the key is marked as seen.
    seen: Millis,
    /// Amounts with the time of each.
    counted: Vec<(Millis, u32)>,
}

impl DryRunMemory {
    fn with_room(room: usize) -> Self {
        Self(Mutex::new(MemoryState {
            room,
            full: false,
            remembered: HashMap::new(),
            machines: HashMap::new(),
        }))
    }

    /// Returns true if something was not remembered for want of room.
    pub(super) fn is_full(&self) -> bool {
        self.lock().full
    }

    /// Applies the effects of a message that was accepted at `now`.
    pub(super) fn remember(&self, effects: &[(Scope, Effect)], now: Millis) {
        let mut state = self.lock();
        let after = |seconds: u32| now + Duration::from_secs(u64::from(seconds));
        for (scope, effect) in effects {
            match effect {
                Effect::Count { key, amount } => state.count(scope, key, now, *amount),
                Effect::MarkSeen { key, seconds } => {
                    if let Some(remembered) = state.of(scope, key) {
                        remembered.seen = remembered.seen.max(after(*seconds));
                    }
                }
                Effect::ForgetCount { key } => state.forget_count(scope, key),
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
                    let octets = ENTRY + address.len() + evidence.len();
                    if before.is_some() || state.takes(octets) {
                        state.machines.insert(key, machine);
                    }
                }
                Effect::ForgetMachine { address } => {
                    let key = (scope.account.clone(), address.clone());
                    if let Some(machine) = state.machines.remove(&key) {
                        state.room += ENTRY + address.len() + machine.evidence.len();
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryState {
    /// Takes this many bytes of room, if they are left.
    fn takes(&mut self, octets: usize) -> bool {
        match self.room.checked_sub(octets) {
            Some(room) => self.room = room,
            None => self.full = true,
        }
        !self.full
    }

    /// Returns the entry of a key, or `None` where there is no room for another.
    fn of(&mut self, scope: &Scope, key: &str) -> Option<&mut KeyMemory> {
        let octets = ENTRY + key.len();
        let key = (scope.clone(), key.to_owned());
        if !self.remembered.contains_key(&key) && !self.takes(octets) {
            return None;
        }
        Some(self.remembered.entry(key).or_default())
    }

    fn count(&mut self, scope: &Scope, key: &str, now: Millis, amount: u32) {
        let last = self.of(scope, key).and_then(|of| of.counted.last_mut());
        match last {
            Some((at, counted)) if *at == now => *counted = counted.saturating_add(amount),
            _ => {
                if self.takes(COUNT)
                    && let Some(remembered) = self.of(scope, key)
                {
                    remembered.counted.push((now, amount));
                }
            }
        }
    }

    fn forget_count(&mut self, scope: &Scope, key: &str) {
        let key = (scope.clone(), key.to_owned());
        if let Some(remembered) = self.remembered.get_mut(&key) {
            self.room += COUNT * remembered.counted.len();
            remembered.counted = Vec::new();
        }
    }
}

impl Memory for DryRunMemory {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            policy: "p".into(),
            account: Some("acme".into()),
        }
    }

    #[test]
    fn effects_beyond_the_room_are_dropped_and_reported() {
        let memory = DryRunMemory::with_room(10 * (ENTRY + 2));
        let now = Millis(1_700_000_000_000);
        let mark = |number: u32| Effect::MarkSeen {
            key: format!("{number:02}"),
            seconds: 60,
        };
        for number in 0..10 {
            memory.remember(&[(scope(), mark(number))], now);
        }
        assert!(!memory.is_full());
        // A known key takes no more room.
        memory.remember(&[(scope(), mark(3))], now);
        assert!(!memory.is_full());
        for number in 10..1000 {
            memory.remember(&[(scope(), mark(number))], now);
        }
        assert!(memory.is_full());
        let seen = |number: u32| memory.seen(&scope(), &format!("{number:02}"), now);
        assert!(seen(0) && seen(9) && !seen(10) && !seen(999));
        assert_eq!(memory.lock().remembered.len(), 10);
    }

    #[test]
    fn counts_of_one_moment_are_added_up() {
        let memory = DryRunMemory::default();
        let now = Millis(1_700_000_000_000);
        let count = Effect::Count {
            key: "k".into(),
            amount: 2,
        };
        for _ in 0..1000 {
            memory.remember(&[(scope(), count.clone())], now);
        }
        assert_eq!(memory.counted(&scope(), "k", 60, now), 2000);
        assert_eq!(memory.lock().room, ROOM - ENTRY - 1 - COUNT);
    }
}
