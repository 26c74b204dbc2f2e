//! Memory of policies' effects for the length of one dry run.

use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_counters::{Memory, SharedCounters};
use gatepost_message::Millis;
use gatepost_model::{Effect, Machine, Scope};

/// Bytes that one dry run remembers. The entries of one policy and account evict the weakest among
/// them beyond that, as in a relay; of all together, the excess is left out.
const ROOM: usize = 64 << 20;

/// Counts, marks and machines of one dry run.
#[derive(Debug)]
pub(super) struct DryRunMemory {
    counters: SharedCounters,
    room: usize,
    /// True once something was evicted or left out for want of room.
    full: AtomicBool,
}

impl Default for DryRunMemory {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl DryRunMemory {
    fn with_room(room: usize) -> Self {
        Self {
            counters: SharedCounters::new(room),
            room,
            full: AtomicBool::new(false),
        }
    }

    /// Returns true if something was evicted or left out for want of room.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Applies the effects of a message that was accepted at `now`.
    pub(super) fn remember(&self, effects: &[(Scope, Effect)], now: Millis) {
        let evicted = if self.octets() > self.room {
            self.full.store(true, Ordering::Relaxed);
            let forgets = |effect: &Effect| {
                matches!(
                    effect,
                    Effect::ForgetCount { .. } | Effect::ForgetMachine { .. }
                )
            };
            let effects = effects.iter().filter(|(_, effect)| forgets(effect));
            self.counters
                .apply_effects(&effects.cloned().collect::<Vec<_>>(), now)
        } else {
            self.counters.apply_effects(effects, now)
        };
        if !evicted.is_empty() {
            self.full.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the bytes remembered, of all policies and accounts.
    fn octets(&self) -> usize {
        let totals = self.counters.totals();
        [totals.marks, totals.counts, totals.machines]
            .iter()
            .map(|of| of.octets)
            .sum()
    }
}

impl Memory for DryRunMemory {
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
    fn effects_beyond_the_room_evict_the_weakest_and_are_reported() {
        // Room for ten marks of two letters.
        let memory = DryRunMemory::with_room(10 * (160 + 2));
        let now = Millis(1_700_000_000_000);
        let mark = |number: u32| Effect::MarkSeen {
            key: format!("{number:02}"),
            seconds: 60 + number,
        };
        for number in 0..10 {
            memory.remember(&[(scope(), mark(number))], now);
        }
        assert!(!memory.is_full());
        // A known key takes no more room.
        memory.remember(&[(scope(), mark(3))], now);
        assert!(!memory.is_full());
        for number in 10..100 {
            memory.remember(&[(scope(), mark(number))], now);
        }
        assert!(memory.is_full());
        let seen = |number: u32| memory.seen(&scope(), &format!("{number:02}"), now);
        assert!(!seen(0) && !seen(89) && seen(90) && seen(99));
        assert_eq!(memory.counters.totals().marks.entries, 10);
    }

    #[test]
    fn many_accounts_share_the_room_of_one_dry_run() {
        let memory = DryRunMemory::with_room(10 * (160 + 2));
        let now = Millis(1_700_000_000_000);
        let count = Effect::Count {
            key: "k".into(),
            amount: 1,
        };
        for account in 0..1000 {
            let scope = Scope {
                account: Some(format!("account {account}")),
                ..scope()
            };
            memory.remember(&[(scope, count.clone())], now);
        }
        assert!(memory.is_full());
        assert!(memory.octets() <= 2 * memory.room, "{}", memory.octets());
        // What is forgotten makes room.
        let scope = Scope {
            account: Some("account 0".into()),
            ..scope()
        };
        assert_eq!(memory.counted(&scope, "k", 60, now), 1);
        let forget = Effect::ForgetCount { key: "k".into() };
        memory.remember(&[(scope.clone(), forget)], now);
        assert_eq!(memory.counted(&scope, "k", 60, now), 0);
    }

    #[test]
    fn counts_of_one_moment_are_added_up() {
        let memory = DryRunMemory::default();
        let now = Millis(1_700_000_000_000);
        let count = Effect::Count {
            key: "k".into(),
            amount: 2,
        };
        memory.remember(&[(scope(), count.clone())], now);
        let one = memory.counters.totals().counts;
        for _ in 1..1000 {
            memory.remember(&[(scope(), count.clone())], now);
        }
        assert_eq!(memory.counted(&scope(), "k", 60, now), 2000);
        assert_eq!(memory.counters.totals().counts, one);
    }
}
