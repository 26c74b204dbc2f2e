//! Readiness of the relay for mail.

use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_spool::Queue;

/// State of the relay for the health check. Begins as not ready.
#[derive(Debug, Default)]
pub struct Health {
    listening: AtomicBool,
    policies_loaded: AtomicBool,
    draining: AtomicBool,
}

impl Health {
    /// Records that all listeners are bound.
    pub fn listening(&self) {
        self.listening.store(true, Ordering::Release);
    }

    /// Records that all policies are loaded.
    pub fn policies_loaded(&self) {
        self.policies_loaded.store(true, Ordering::Release);
    }

    /// Records that the relay takes no more connections and is about to stop.
    pub fn draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Returns the reasons why the relay is not ready for mail; none if it is.
    pub fn unready(&self, queue: &dyn Queue) -> Vec<String> {
        let said = [
            (
                !self.policies_loaded.load(Ordering::Acquire),
                "policies are not loaded",
            ),
            (
                !self.listening.load(Ordering::Acquire),
                "listeners are not bound",
            ),
            (
                self.draining.load(Ordering::Acquire),
                "the relay is stopping",
            ),
        ];
        let said = said.into_iter().filter(|(holds, _)| *holds);
        let mut reasons: Vec<_> = said.map(|(_, reason)| reason.to_owned()).collect();
        reasons.extend(queue.room().err().map(|error| error.to_string()));
        reasons
    }
}
