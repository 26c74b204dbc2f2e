//! The definition of a policy in the configuration: its settings, its `on-error`, its grants and
//! its limits.

use std::time::Duration;

use gatepost_message::Message;
use gatepost_model::Transaction;
use serde::{Deserialize, Serialize};

/// Answer to a fault of a policy. In the route hook a fault always defers, and in the outcome hook
/// it changes nothing, whatever is set here. A call that finds no free instance is overload and
/// always ends in 451.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// Reply 451 4.3.0: the client tries again later.
    #[default]
    Tempfail,
    /// Continuation of the chain without the policy. Refused at load for a policy that
    /// authenticates or suppresses, since it would fail open.
    Skip,
}

/// Capabilities that the configuration grants to a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    /// Capability to discard a message: to accept it and drop it, or to drop a recipient.
    pub discard: bool,
    /// Capability to name a server in a plan, and not only what the relay knows by a name.
    pub next_hop: bool,
}

/// Limits of one call. A call that exceeds one of these is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Running time of one call, to the millisecond. Time in which other sessions are served does
    /// not count.
    pub deadline: Duration,
    /// Size of linear memory, in bytes.
    pub memory: usize,
    /// Number of elements of a table. A component may have four tables.
    pub table: usize,
    /// Bytes that may cross from the guest to the host in one call.
    pub hostcall_bytes: usize,
    /// Size of the decision in bytes: reasons, tags, edits, keys.
    pub answer_bytes: usize,
    /// Size of the module's file, in bytes.
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

/// Message with a known verdict, tried on every new version before it is activated.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// Name of the self-test in the error.
    pub name: String,
    /// Envelope of the message.
    pub transaction: Transaction,
    /// Message to judge.
    pub message: Message,
    /// Name of the expected verdict, such as `reject`.
    pub expect: String,
}

/// Definition of one policy in the configuration, without its module.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Name in chains, logs and metrics.
    pub name: String,
    /// Settings, handed to the module's `configure` once, at load.
    pub settings: serde_json::Value,
    /// Answer to a fault.
    pub on_error: OnError,
    /// Capabilities granted to it.
    pub grants: Grants,
    /// Limits of one call.
    pub limits: Limits,
    /// Messages that a new version has to judge as expected before it is activated.
    pub self_tests: Vec<SelfTest>,
}

impl Definition {
    /// Makes a definition with empty settings and defaults for all else.
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
