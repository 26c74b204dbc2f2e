//! Verdicts of a policy on a session, a sender, a recipient or a message.

use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

/// Verdict of a policy on a session, a sender, a recipient or a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Absence of an objection.
    #[default]
    Pass,
    /// Absence of an objection, on evidence; carried out like `Pass`.
    Accept,
    /// Refused for good: a 5xx reply.
    Reject(Reply),
    /// Refused for now: a 4xx reply.
    Tempfail(Reply),
    /// Accepted and dropped; only for policies with that grant.
    Discard,
    /// Accepted and quarantined, with the reason.
    Quarantine(String),
}

impl Verdict {
    /// Returns true if no later policy of the chain is asked.
    pub fn stops_chain(&self) -> bool {
        matches!(self, Self::Reject(_) | Self::Tempfail(_) | Self::Discard)
    }

    /// Returns the verdict's name in `gatepost check`, metrics and the trace.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Accept => "accept",
            Self::Reject(_) => "reject",
            Self::Tempfail(_) => "tempfail",
            Self::Discard => "discard",
            Self::Quarantine(_) => "quarantine",
        }
    }
}

/// Verdict of a policy on one recipient, beside its verdict on the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientVerdict {
    /// Refused: by the reply if it holds for all recipients, else by a bounce to an authenticated
    /// sender.
    Reject(Reply),
    /// Left out; the reason is in queue and trace alone.
    Suppress(String),
}
