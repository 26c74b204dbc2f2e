//! The sources of policies' look-ups: the counts and marks before this message, the
//! [directory](crate::directory), and the relay's own [identity](crate::identity).

use std::sync::Arc;

use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};

use crate::directory::{Directory, NoDirectory};
use crate::identity::{Identity, NoIdentity};

/// Sources of the look-ups that the policies of one transaction make.
#[derive(Clone)]
pub struct PolicyContext {
    /// Counts, marks and machines.
    pub memory: Arc<dyn Memory>,
    /// Accounts.
    pub directory: Arc<dyn Directory>,
    /// Identity of the relay.
    pub identity: Arc<dyn Identity>,
}

impl<M: Memory + 'static> From<Arc<M>> for PolicyContext {
    /// Adds an empty directory and an identity that recognises nothing.
    fn from(memory: Arc<M>) -> Self {
        Self {
            memory,
            directory: Arc::new(NoDirectory),
            identity: Arc::new(NoIdentity),
        }
    }
}

/// Counts and marks as they stood before this message. No method may wait.
pub trait Memory: Send + Sync {
    /// Returns the sum counted under `key` in the `seconds` before `now`, to the minute.
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64;
    /// Returns true if `key` is marked and the mark has not expired at `now`.
    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool;
    /// Returns the account's knowledge at `now` of a machine that writes from `address`, given in
    /// canonical form.
    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine>;
}

/// Memory without counts, marks or machines.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn counted(&self, _: &Scope, _: &str, _: u32, _: Millis) -> u64 {
        0
    }
    fn seen(&self, _: &Scope, _: &str, _: Millis) -> bool {
        false
    }
    fn machine(&self, _: &str, _: &str, _: Millis) -> Option<Machine> {
        None
    }
}
