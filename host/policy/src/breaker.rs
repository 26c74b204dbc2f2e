//! The circuit breaker of one version: after so many faults in a row it is not called for a
//! while, then one call tries whether it has recovered.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::decision::Fault;

/// Faults in a row that open it.
const THRESHOLD: u32 = 10;

/// How long it stays open before one call tries.
const COOLDOWN: Duration = Duration::from_secs(30);

/// Whether a version is being called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It is called.
    Closed,
    /// It kept failing: its `on-error` holds for every message until a trial call succeeds.
    Open,
}

#[derive(Debug)]
pub(crate) struct Breaker {
    born: Instant,
    /// Faults since the last success.
    faults: AtomicU32,
    /// Milliseconds after `born` when the next trial may be made; 0 while closed.
    trial_at: AtomicU64,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            born: Instant::now(),
            faults: AtomicU32::new(0),
            trial_at: AtomicU64::new(0),
        }
    }

    pub(crate) fn state(&self) -> BreakerState {
        match self.trial_at.load(Ordering::Relaxed) {
            0 => BreakerState::Closed,
            _ => BreakerState::Open,
        }
    }

    /// Whether this call may be made. While open, one caller in each cooldown is let through.
    pub(crate) fn admits(&self) -> bool {
        self.admits_at(self.now())
    }

    fn admits_at(&self, now: u64) -> bool {
        let trial_at = self.trial_at.load(Ordering::Relaxed);
        if trial_at == 0 {
            return true;
        }
        now >= trial_at
            && self
                .trial_at
                .compare_exchange(trial_at, next(now), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    pub(crate) fn succeeded(&self, policy: &str) {
        // The common case writes nothing that other threads read.
        if self.faults.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.faults.store(0, Ordering::Relaxed);
        if self.trial_at.swap(0, Ordering::Relaxed) != 0 {
            tracing::warn!(policy, "policy answers again: circuit breaker closed");
        }
    }

    pub(crate) fn failed(&self, policy: &str, fault: &Fault) {
        self.failed_at(policy, fault, self.now());
    }

    fn failed_at(&self, policy: &str, fault: &Fault, now: u64) {
        let faults = self
            .faults
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        if faults >= THRESHOLD && self.trial_at.swap(next(now), Ordering::Relaxed) == 0 {
            tracing::error!(
                policy,
                faults,
                %fault,
                "POLICY KEEPS FAILING: circuit breaker open, it is not called and its on-error \
                 holds for every message; activate a mended version or roll back"
            );
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn next(now: u64) -> u64 {
    now.saturating_add(COOLDOWN.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::FaultKind;

    fn fault() -> Fault {
        Fault {
            kind: FaultKind::Trap,
            detail: "unreachable".into(),
        }
    }

    #[test]
    fn it_opens_after_faults_in_a_row_and_lets_one_trial_through() {
        let breaker = Breaker::new();
        for _ in 0..THRESHOLD {
            assert!(breaker.admits_at(0));
            breaker.failed_at("p", &fault(), 0);
        }
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(!breaker.admits_at(1));
        let later = COOLDOWN.as_millis() as u64;
        assert!(breaker.admits_at(later), "one trial");
        assert!(!breaker.admits_at(later), "and no second one");
        breaker.succeeded("p");
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(breaker.admits_at(later));
    }

    #[test]
    fn a_success_in_between_starts_the_count_again() {
        let breaker = Breaker::new();
        for _ in 0..3 * THRESHOLD {
            breaker.failed_at("p", &fault(), 0);
            breaker.succeeded("p");
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn a_failed_trial_keeps_it_open() {
        let breaker = Breaker::new();
        for _ in 0..THRESHOLD {
            breaker.failed_at("p", &fault(), 0);
        }
        let later = COOLDOWN.as_millis() as u64;
        assert!(breaker.admits_at(later));
        breaker.failed_at("p", &fault(), later);
        assert!(!breaker.admits_at(later + 1));
        assert!(breaker.admits_at(2 * later));
    }
}
