//! What a policy looks up that is run natively, as the plain Rust that it is, on a
//! [message](gatepost_sdk::native::Mail) without a sandbox in between.

use std::collections::{HashMap, HashSet};

/// What a policy may look up: a time that stands still, and what it marked and counted.
#[derive(Debug, Clone, Default)]
pub struct NativeFacts {
    /// Marked before this message.
    pub seen: HashSet<String>,
    /// Counted before this message, just now.
    pub counted: HashMap<String, u64>,
}

impl gatepost_sdk::Facts for NativeFacts {
    fn now(&self) -> u64 {
        1_700_000_000_000
    }

    fn counted(&self, key: &str, _: u32) -> u64 {
        self.counted.get(key).copied().unwrap_or_default()
    }

    fn seen(&self, key: &str) -> bool {
        self.seen.contains(key)
    }

    fn log(&self, _: gatepost_sdk::Level, _: &str) {}
}
