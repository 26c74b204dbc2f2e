//! Effects: counts, marks and machines that are stored when the message is accepted.

use serde::{Deserialize, Serialize};

/// Effect of a policy's call: stored in the same commit as the accepted message. Keys belong to one
/// policy and one account ([`Scope`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Add to a windowed count.
    Count {
        /// Key of the policy's choice, up to 512 bytes.
        key: String,
        /// Amount to add.
        amount: u32,
    },
    /// Mark a key as seen.
    MarkSeen {
        /// Key of the policy's choice, up to 512 bytes.
        key: String,
        /// Seconds from the transaction's time until it expires.
        seconds: u32,
    },
    /// Set a windowed count back to nothing.
    ForgetCount {
        /// Key of the policy's choice, up to 512 bytes.
        key: String,
    },
    /// Remember an address as a machine's, for the account and all its policies.
    RememberMachine {
        /// Address in canonical form.
        address: String,
        /// Evidence, in one sentence.
        evidence: String,
        /// Seconds from the transaction's time until it expires.
        seconds: u32,
    },
    /// Forget that an address is a machine's.
    ForgetMachine {
        /// Address in canonical form.
        address: String,
    },
}

/// Owner of counts and marks: one policy, in one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// Name of the policy in the configuration.
    pub policy: String,
    /// Account of the transaction, once fixed.
    pub account: Option<String>,
}
