//! What a site says of a policy: its settings, what a fault of it means, what it may do and how
//! much of the machine it may use.

use std::time::Duration;

use gatepost_message::Message;
use gatepost_model::Transaction;
use serde::{Deserialize, Serialize};

/// What becomes of a message when a policy fails on it. In the route hook a fault always defers
/// and in the outcome hook it changes nothing, whatever is said here; a call that finds no free
/// instance is overload and always ends in 451.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The client is told to come again: 451 4.3.0.
    #[default]
    Tempfail,
    /// The chain goes on without it. Refused at load for a policy that authenticates or
    /// suppresses, since it would fail open.
    Skip,
}

/// What the configuration allows a policy beyond the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    /// It may take a message and drop it.
    pub discard: bool,
}

/// How much of the machine one call may use. Past any of these the call is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How long one call may run, to the millisecond. Other sessions are served in between, and
    /// their time does not count.
    pub deadline: Duration,
    /// Octets of linear memory.
    pub memory: usize,
    /// Elements of a table; a component may have four.
    pub table: usize,
    /// Octets that may cross from the guest to the host in one call.
    pub hostcall_bytes: usize,
    /// Octets of the decision: reasons, tags, edits, keys.
    pub answer_bytes: usize,
    /// Octets of the module's file.
    pub module_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            memory: 16 << 20,
            table: 10_000,
            hostcall_bytes: 16 << 20,
            answer_bytes: 256 << 10,
            module_bytes: 16 << 20,
        }
    }
}

/// A message whose verdict is known: tried on every new version before it is activated.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// What it is called in the error.
    pub name: String,
    /// The envelope.
    pub transaction: Transaction,
    /// The message.
    pub message: Message,
    /// The word of the verdict that must come out, such as `reject`.
    pub expect: String,
}

/// Everything that the configuration says of one policy but the module itself.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name in chains, logs and metrics.
    pub name: String,
    /// Handed to the module's `configure` once, at load.
    pub settings: serde_json::Value,
    /// What a fault means.
    pub on_error: OnError,
    /// What it may do beyond the ordinary.
    pub grants: Grants,
    /// What a call may use.
    pub limits: Limits,
    /// What a new version has to get right first.
    pub self_tests: Vec<SelfTest>,
}

impl Definition {
    /// A definition with empty settings and the defaults for all else.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            settings: serde_json::json!({}),
            on_error: OnError::default(),
            grants: Grants::default(),
            limits: Limits::default(),
            self_tests: Vec::new(),
        }
    }
}
