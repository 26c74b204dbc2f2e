//! Whether the relay is ready for mail, as it says itself.

use std::sync::atomic::{AtomicBool, Ordering};

/// What the relay tells the health check of itself. Begins as not ready.
#[derive(Debug, Default)]
pub struct Health {
    listening: AtomicBool,
    policies_loaded: AtomicBool,
    draining: AtomicBool,
}

impl Health {
    /// All listeners are bound.
    pub fn listening(&self) {
        self.listening.store(true, Ordering::Release);
    }

    /// All policies are loaded.
    pub fn policies_loaded(&self) {
        self.policies_loaded.store(true, Ordering::Release);
    }

    /// The relay takes no more connections and is about to stop.
    pub fn draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Why the relay is not ready for mail; nothing if it is.
    pub fn unready(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if !self.policies_loaded.load(Ordering::Acquire) {
            reasons.push("policies are not loaded");
        }
        if !self.listening.load(Ordering::Acquire) {
            reasons.push("listeners are not bound");
        }
        if self.draining.load(Ordering::Acquire) {
            reasons.push("the relay is stopping");
        }
        reasons
    }
}
