//! What policies wanted remembered, for the length of one rehearsal.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_policy::{Effect, Memory, Scope};

/// Counts and marks of one rehearsal.
#[derive(Debug, Default)]
pub(super) struct RunMemory(Mutex<HashMap<(Scope, String), Remembered>>);

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
        let mut memory = self.lock();
        for (scope, effect) in effects {
            let (Effect::Count { key, .. } | Effect::MarkSeen { key, .. }) = effect;
            let remembered = memory.entry((scope.clone(), key.clone())).or_default();
            match effect {
                Effect::Count { amount, .. } => remembered.counted.push((now, *amount)),
                Effect::MarkSeen { seconds, .. } => {
                    let until = now + Duration::from_secs(u64::from(*seconds));
                    remembered.seen = remembered.seen.max(until);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Scope, String), Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory for RunMemory {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        let since = now - Duration::from_secs(u64::from(seconds));
        let memory = self.lock();
        let counted = memory.get(&(scope.clone(), key.to_owned()));
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
        let seen = memory.get(&(scope.clone(), key.to_owned()));
        seen.is_some_and(|remembered| remembered.seen > now)
    }
}
