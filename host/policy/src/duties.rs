//! Duties of a policy, which decide what its failure may lead to.

use serde::{Deserialize, Serialize};

/// Duties that must never fail open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Duties {
    /// It decides who may hand mail to the relay.
    pub authenticates: bool,
    /// It withholds mail from recipients.
    pub suppresses: bool,
}
