//! The sources of policies' look-ups: the counts and marks before this message, the
//! [directory](gatepost_contract::directory), and the relay's own [identity](gatepost_contract::identity).

use std::sync::Arc;

pub use gatepost_counters::Memory;
use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};

use gatepost_contract::directory::{Directory, NoDirectory};
use gatepost_contract::identity::{Identity, NoIdentity};

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

impl PolicyContext {
    /// Returns the context of one source that answers all look-ups.
    pub(crate) fn from_one<S: Memory + Directory + Identity + 'static>(source: Arc<S>) -> Self {
        Self {
            memory: Arc::<S>::clone(&source),
            directory: Arc::<S>::clone(&source),
            identity: source,
        }
    }
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
