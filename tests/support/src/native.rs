//! Look-ups for a policy that runs natively, as plain Rust, on a
//! [message](gatepost_sdk::native::Mail) without a sandbox.

use std::collections::{HashMap, HashSet};

/// Look-ups with a fixed time, and given marks and counts.
#[derive(Debug, Clone, Default)]
pub struct NativeFacts {
    /// Keys marked before this message.
    pub seen: HashSet<String>,
    /// Counts made just before this message.
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
