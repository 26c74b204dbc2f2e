//! Memory of policies' effects for the length of one dry run.

use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_counters::{Memory, SharedCounters};
use gatepost_message::Millis;
use gatepost_model::{Effect, Machine, Scope};

/// Bytes that one dry run remembers for each policy and account, of each kind. Beyond that the
/// weakest is evicted, as in a relay, which remembers no more.
const ROOM: usize = 64 << 20;

/// Counts, marks and machines of one dry run.
#[derive(Debug)]
pub(super) struct DryRunMemory {
    counters: SharedCounters,
    /// True once something was evicted for want of room.
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
            full: AtomicBool::new(false),
        }
    }

    /// Returns true if something was evicted for want of room.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Applies the effects of a message that was accepted at `now`.
    pub(super) fn remember(&self, effects: &[(Scope, Effect)], now: Millis) {
        if !self.counters.apply_effects(effects, now).is_empty() {
            self.full.store(true, Ordering::Relaxed);
        }
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
