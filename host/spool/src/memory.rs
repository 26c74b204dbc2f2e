//! The in-memory copy of what policies asked to remember: marks, counts and machines.
//!
//! It is loaded from the database when the store is opened, and updated after each commit. An entry
//! that is evicted here for want of room is evicted from the database with the next commit.

use std::time::{Duration, Instant};

use gatepost_counters::{CounterChange, SharedCounters};
use parking_lot::Mutex;

/// Least time between two log lines about evictions.
const REPORT_EVERY: Duration = Duration::from_secs(600);

/// Counters in memory, whose evictions are reported.
#[derive(Debug)]
pub(crate) struct CounterMemory {
    pub(crate) counters: SharedCounters,
    /// Time of the last log line about evictions.
    reported_at: Mutex<Option<Instant>>,
}

impl CounterMemory {
    /// Makes an empty memory with a bound in octets for each kind of entry of each scope.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            counters: SharedCounters::new(bound),
            reported_at: Mutex::default(),
        }
    }

    /// Applies changes; returns the evictions that they caused, which must also be made in the
    /// database.
    pub(crate) fn apply(
        &self,
        changes: impl IntoIterator<Item = CounterChange>,
    ) -> Vec<CounterChange> {
        let evicted = self.counters.apply(changes);
        self.report(&evicted);
        evicted
    }

    /// Applies changes under one lock, and evicts only after all of them; returns the evictions.
    pub(crate) fn apply_at_once(
        &self,
        changes: impl IntoIterator<Item = CounterChange>,
    ) -> Vec<CounterChange> {
        let evicted = self.counters.apply_at_once(changes);
        self.report(&evicted);
        evicted
    }

    /// Counts evictions, and logs one line about them now and then.
    fn report(&self, evicted: &[CounterChange]) {
        let Some(last) = evicted.last() else { return };
        for change in evicted {
            let (kind, ..) = change.labels();
            metrics::counter!("gatepost_remembered_evicted_total", "kind" => kind).increment(1);
        }
        let mut reported_at = self.reported_at.lock();
        if reported_at.is_none_or(|reported_at| reported_at.elapsed() >= REPORT_EVERY) {
            *reported_at = Some(Instant::now());
            let (kind, policy, account) = last.labels();
            tracing::warn!(
                kind,
                policy,
                account,
                "the limit of what is remembered for an account is reached: the weakest entries are evicted"
            );
        }
    }
}
