//! The place of one policy in the relay: the version in use, and the one before it.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use crate::breaker::BreakerState;
use crate::version::Version;

/// Holds a policy's version in use. Swapping is one atomic pointer: who has begun with a version
/// finishes with it.
#[derive(Debug)]
pub struct Slot {
    name: String,
    current: ArcSwap<Version>,
    /// The version that was in use before, kept for a rollback.
    previous: Mutex<Option<Arc<Version>>>,
}

/// There is no earlier version.
#[derive(Debug, thiserror::Error)]
#[error("policy {policy} has no earlier version in this process; activate its file instead")]
pub struct NothingToRollBackTo {
    /// Which.
    pub policy: String,
}

impl Slot {
    /// A slot whose first version is in use at once.
    pub fn new(version: Version) -> Arc<Self> {
        Arc::new(Self {
            name: version.name().to_owned(),
            current: ArcSwap::from_pointee(version),
            previous: Mutex::new(None),
        })
    }

    /// A slot of the same policy whose version in use is this one, and whose version before is the
    /// one in use here. This slot stays as it is: whoever holds it goes on as before.
    pub fn succeeded_by(&self, version: Version) -> Arc<Self> {
        Arc::new(Self {
            name: self.name.clone(),
            current: ArcSwap::from_pointee(version),
            previous: Mutex::new(Some(self.current())),
        })
    }

    /// Name of the policy in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version in use.
    pub fn current(&self) -> Arc<Version> {
        self.current.load_full()
    }

    /// The version before, if there was one.
    pub fn previous(&self) -> Option<Arc<Version>> {
        self.lock().clone()
    }

    /// Puts a loaded version in use and returns the former, which is kept for a rollback.
    pub fn activate(&self, version: Version) -> Arc<Version> {
        let mut previous = self.lock();
        let former = self.current.swap(Arc::new(version));
        *previous = Some(former.clone());
        former
    }

    /// Puts the version before in use again; the one in use now takes its place, so that a
    /// rollback can itself be undone.
    ///
    /// # Errors
    /// If there was none.
    pub fn rollback(&self) -> Result<Arc<Version>, NothingToRollBackTo> {
        let mut previous = self.lock();
        let Some(version) = previous.take() else {
            return Err(NothingToRollBackTo {
                policy: self.name.clone(),
            });
        };
        *previous = Some(self.current.swap(version.clone()));
        Ok(version)
    }

    /// Whether the version in use is being called.
    pub fn breaker(&self) -> BreakerState {
        self.current.load().breaker_state()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Version>>> {
        self.previous
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
