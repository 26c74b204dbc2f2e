//! The slot of one policy: its active version, and the one before it for a rollback.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use crate::breaker::BreakerState;
use crate::version::Version;

/// Slot of one policy, which holds its active version. A swap replaces one atomic pointer: a
/// transaction that began with a version finishes with it.
#[derive(Debug)]
pub struct Slot {
    name: String,
    current: ArcSwap<Version>,
    /// Version that was active before, kept for a rollback.
    previous: Mutex<Option<Arc<Version>>>,
}

impl Slot {
    /// Makes a slot whose first version is active at once.
    pub fn new(version: Version) -> Arc<Self> {
        Arc::new(Self {
            name: version.name().to_owned(),
            current: ArcSwap::from_pointee(version),
            previous: Mutex::new(None),
        })
    }

    /// Makes a new slot of the same policy in which `version` is active and this slot's active
    /// version is the one before. This slot stays as it is, for those that hold it.
    pub fn succeeded_by(&self, version: Version) -> Arc<Self> {
        Arc::new(Self {
            name: self.name.clone(),
            current: ArcSwap::from_pointee(version),
            previous: Mutex::new(Some(self.current())),
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
