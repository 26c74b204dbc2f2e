//! The spool's counts and marks, as policies look them up.

use std::sync::Arc;

use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};
use gatepost_policy::Memory;
use gatepost_spool::Counters;

/// The spool as the policies' memory.
#[derive(Clone)]
pub struct SpoolMemory(pub Arc<dyn Counters>);

impl Memory for SpoolMemory {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        self.0.counted(scope, key, seconds, now)
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        self.0.seen(scope, key, now)
    }

    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        self.0.machine(account, address, now)
    }
}
