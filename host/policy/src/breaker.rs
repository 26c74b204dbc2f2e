//! The circuit breaker of one hook of one version: after so many faults in a row it is not called for a
//! while, then one call tries whether it has recovered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// One for each hook: a hook that answers says nothing of another that traps.
#[derive(Debug)]
pub(crate) struct Breaker {
    born: Instant,
    /// False from a fault to the next success; while true nobody has to take the lock.
    healthy: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Faults since the last success.
    faults: u32,
    /// While open: milliseconds after `born` when the next trial may be made.
    trial_at: Option<u64>,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            born: Instant::now(),
            healthy: AtomicBool::new(true),
            state: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> BreakerState {
        match self.lock().trial_at {
            None => BreakerState::Closed,
            Some(_) => BreakerState::Open,
        }
    }

    /// Whether this call may be made. While open, one caller in each cooldown is let through.
    pub(crate) fn admits(&self) -> bool {
        self.healthy.load(Ordering::Acquire) || self.admits_at(self.now())
    }

    fn admits_at(&self, now: u64) -> bool {
        let trial_at = &mut self.lock().trial_at;
        match *trial_at {
            None => true,
            Some(at) if now < at => false,
            Some(_) => {
                *trial_at = Some(next(now));
                true
            }
        }
    }

    pub(crate) fn succeeded(&self, policy: &str) {
        if self.healthy.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.lock();
        let was_open = state.trial_at.is_some();
        *state = State::default();
        self.healthy.store(true, Ordering::Release);
        if was_open {
            tracing::warn!(policy, "policy answers again: circuit breaker closed");
        }
    }

    pub(crate) fn failed(&self, policy: &str, fault: &Fault) {
        self.failed_at(policy, fault, self.now());
    }

    fn failed_at(&self, policy: &str, fault: &Fault, now: u64) {
        let mut state = self.lock();
        self.healthy.store(false, Ordering::Release);
        state.faults = state.faults.saturating_add(1);
        if state.faults < THRESHOLD {
            return;
        }
        if state.trial_at.replace(next(now)).is_none() {
            tracing::error!(
                policy,
                faults = state.faults,
                %fault,
                "POLICY KEEPS FAILING: circuit breaker open, it is not called and its on-error \
                 holds for every message; activate a mended version or roll back"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn a_late_success_closes_it_for_good() {
        // A call that was begun before the breaker opened ends well after it did.
        let breaker = Breaker::new();
        for _ in 0..THRESHOLD {
            breaker.failed_at("p", &fault(), 0);
        }
        breaker.succeeded("p");
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.failed_at("p", &fault(), 0);
        assert!(breaker.admits_at(0), "one fault later it is still called");
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
