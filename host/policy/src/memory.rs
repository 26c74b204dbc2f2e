//! What policies look things up in: what they counted and marked before this message, the
//! [directory](crate::directory), and the relay's own [identity](crate::identity).

use std::sync::Arc;

use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};

use crate::directory::{Directory, NoDirectory};
use crate::identity::{Identity, NoIdentity};

/// What the policies of one transaction look things up in.
#[derive(Clone)]
pub struct LookUps {
    /// What they counted and marked.
    pub memory: Arc<dyn Memory>,
    /// What is known of accounts.
    pub directory: Arc<dyn Directory>,
    /// Who the relay is.
    pub identity: Arc<dyn Identity>,
}

impl<M: Memory + 'static> From<Arc<M>> for LookUps {
    /// With a directory that knows nobody, and no identity.
    fn from(memory: Arc<M>) -> Self {
        Self {
            memory,
            directory: Arc::new(NoDirectory),
            identity: Arc::new(NoIdentity),
        }
    }
}

/// Counts and marks as they stood before this message. None of it may wait.
pub trait Memory: Send + Sync {
    /// The sum counted under `key` in the `seconds` before `now`, to the minute.
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64;
    /// Whether `key` is marked and the mark has not expired at `now`.
    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool;
    /// What the account knows at `now` of a machine that writes from `address`, which is in
    /// canonical form.
    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine>;
}

/// Remembers nothing.
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
