//! The record of one call of a policy: which version, what it decided, how long it took, how it failed.

use serde::{Deserialize, Serialize};

use crate::{Decision, Verdict};

/// Name in [`Judgement::policy`] of what the relay itself has done to a message, such as repairs. No
/// policy may have it.
pub const BY_RELAY: &str = "relay";

/// Record of one call of one version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Judgement {
    /// Name of the policy in the configuration.
    pub policy: String,
    /// SHA-256 of the module and its settings, in hexadecimal.
    pub digest: String,
    /// Hook that was called, such as `message`.
    pub hook: String,
    /// Verdict; after a fault, the one that `on-error` stands for.
    pub verdict: Verdict,
    /// Requests of the call; empty after a fault.
    pub decision: Decision,
    /// Time spent in the call, in microseconds.
    pub micros: u64,
    /// Fault, if the call failed.
    pub error: Option<Fault>,
}

/// Fault of one call, for queue, trace and log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {detail}", kind.word())]
pub struct Fault {
    /// Kind of the fault.
    pub kind: FaultKind,
    /// Description, in one sentence.
    pub detail: String,
}

/// Kind of a fault. Every fault is answered by the policy's `on-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The guest trapped: unreachable, out of bounds, stack overflow.
    Trap,
    /// It ran past its deadline.
    Deadline,
    /// It asked for more memory, table or host bytes than it may have.
    Limit,
    /// Its answer contradicts itself or the contract.
    Answer,
    /// No instance was free: overload.
    Overload,
    /// The circuit breaker is open: it was not called.
    BreakerOpen,
    /// The transaction has used up what all its calls together may have.
    Budget,
    /// The message made it fail before and the fault was the message's: it was not called.
    Repeated,
}

impl FaultKind {
    /// Returns the kind's name in metrics and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Limit => "limit",
            Self::Answer => "answer",
            Self::Overload => "overload",
            Self::BreakerOpen => "breaker-open",
            Self::Budget => "budget",
            Self::Repeated => "repeated",
        }
    }
}
