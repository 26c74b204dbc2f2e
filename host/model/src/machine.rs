//! Addresses that have shown themselves to be a machine's.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

/// Knowledge of an account about an address that has shown itself to be a machine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Machine {
    /// Evidence, in one sentence.
    pub evidence: String,
    /// Time of the first evidence.
    pub since: Millis,
    /// Time at which this knowledge expires.
    pub until: Millis,
}
