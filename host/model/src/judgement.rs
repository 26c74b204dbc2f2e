//! The record of one call of a policy: version, verdict, decision, running time, fault.

use serde::{Deserialize, Serialize};

use crate::{Decision, Routing, Verdict};

/// Name in [`Judgement::policy`] for what the relay itself did to a message, such as repairs. No
/// policy may have it.
pub const BY_RELAY: &str = "relay";

/// Record of one call of one version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Routing, in the route hook; after a fault, the one that the fault stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Box<Routing>>,
    /// Requests of the call; empty after a fault.
    pub decision: Decision,
    /// Time spent in the call, in microseconds.
    pub micros: u64,
    /// Fault, if the call failed.
    pub error: Option<Fault>,
}

/// Fault of one call, for queue, trace and log.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, schemars::JsonSchema,
)]
#[error("{}: {detail}", kind.word())]
pub struct Fault {
    /// Kind of the fault.
    pub kind: FaultKind,
    /// Description, in one sentence.
    pub detail: String,
}

/// Kind of a fault. Every fault is answered by the policy's `on-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Trap of the guest: unreachable, out of bounds, stack overflow.
    Trap,
    /// Deadline exceeded.
    Deadline,
    /// Limit exceeded on memory, tables, host bytes, the answer or edits.
    Limit,
    /// Answer that contradicts itself or the contract.
    Answer,
    /// Overload: no instance was free.
    Overload,
    /// Call that was not made because the circuit breaker was open.
    BreakerOpen,
    /// Budget of the transaction exceeded by all its calls together.
    Budget,
    /// Call that was not made because the message made the policy fail before, and the fault was
    /// attributed to the message.
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
