//! The slot of one policy: its active version, the one before it for a rollback, and one under trial.

use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, ArcSwapOption};
use gatepost_model::Transaction;

use crate::breaker::BreakerState;
use crate::hook_call::parties;
use crate::trial::VersionTrial;
use crate::version::Version;

/// Slot of one policy, which holds its active version. A swap replaces one atomic pointer: a
/// transaction that began with a version finishes with it.
#[derive(Debug)]
pub struct Slot {
    name: String,
    current: ArcSwap<Version>,
    /// Version that was active before, kept for a rollback.
    previous: Mutex<Option<Arc<Version>>>,
    /// Version under trial beside the active one.
    trial: ArcSwapOption<VersionTrial>,
}

impl Slot {
    /// Makes a slot whose first version is active at once.
    pub fn new(version: Version) -> Arc<Self> {
        Arc::new(Self {
            name: version.name().to_owned(),
            current: ArcSwap::from_pointee(version),
            previous: Mutex::new(None),
            trial: ArcSwapOption::empty(),
        })
    }

    /// Makes a new slot of the same policy in which `version` is active and this slot's active
    /// version is the one before. This slot stays as it is, for those that hold it.
    pub fn succeeded_by(&self, version: Version) -> Arc<Self> {
        Arc::new(Self {
            name: self.name.clone(),
            current: ArcSwap::from_pointee(version),
            previous: Mutex::new(Some(self.current())),
            trial: ArcSwapOption::empty(),
        })
    }

    /// Returns the name of the policy in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the active version.
    pub fn current(&self) -> Arc<Version> {
        self.current.load_full()
    }

    /// Returns the version before the active one, if there was one.
    pub fn previous(&self) -> Option<Arc<Version>> {
        self.lock().clone()
    }

    /// Activates a loaded version and returns the former one, which is kept for a rollback.
    pub fn activate(&self, version: impl Into<Arc<Version>>) -> Arc<Version> {
        let mut previous = self.lock();
        let former = self.current.swap(version.into());
        *previous = Some(former.clone());
        former
    }

    /// Begins a trial, in the place of the present one, for transactions that begin from now on.
    pub fn try_out(&self, trial: Arc<VersionTrial>) {
        self.trial.store(Some(trial));
    }

    /// Ends the trial, at once and for transactions that have begun. Returns it, if there was one.
    pub fn end_trial(&self) -> Option<Arc<VersionTrial>> {
        let trial = self.trial.swap(None)?;
        trial.end();
        Some(trial)
    }

    /// Ends the trial for transactions that begin from now on; others keep to the candidate where it
    /// decides for them.
    pub fn release_trial(&self) {
        self.trial.store(None);
    }

    /// Returns the version under trial.
    pub fn trial(&self) -> Option<Arc<VersionTrial>> {
        self.trial.load_full()
    }

    /// Returns true if a version is under trial.
    pub(crate) fn has_trial(&self) -> bool {
        self.trial.load().is_some()
    }

    /// Returns the version that decides about a message in delivery: the candidate of a canary for
    /// its share, else the active one.
    pub fn decider(&self, transaction: &Transaction) -> Arc<Version> {
        let candidate = || {
            let trial = self.trial()?;
            let first = transaction.recipients.first()?;
            let (account, correspondent) = parties(transaction, first)?;
            (trial.decides_for(account, &correspondent)).then(|| Arc::clone(trial.version()))
        };
        candidate().unwrap_or_else(|| self.current())
    }

    /// Returns the state of the active version's circuit breaker.
    pub fn breaker(&self) -> BreakerState {
        self.current.load().breaker_state()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Version>>> {
        self.previous
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
