//! Memory in use, with a watermark.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::SpoolError;

/// Count of the bytes that messages take, of those that they may.
#[derive(Debug)]
pub(super) struct Room {
    capacity: u64,
    min_free: AtomicU64,
    used: AtomicU64,
}

impl Room {
    pub(super) fn new(capacity: u64, min_free: u64) -> Self {
        Self {
            capacity,
            min_free: min_free.into(),
            used: AtomicU64::new(0),
        }
    }

    pub(super) fn set_min_free(&self, bytes: u64) {
        self.min_free.store(bytes, Ordering::Relaxed);
    }

    /// Refuses `needed` more bytes if they would leave less than the watermark.
    pub(super) fn check(&self, needed: u64) -> Result<(), SpoolError> {
        let used = self.used.load(Ordering::Relaxed);
        let free = self.capacity.saturating_sub(used);
        let needed = needed.saturating_add(self.min_free.load(Ordering::Relaxed));
        match free < needed {
            true => Err(SpoolError::Full { free, needed }),
            false => Ok(()),
        }
    }

    pub(super) fn add(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn free(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}
