//! Duties of a policy. A policy with a duty must not be skipped when it fails.

use serde::{Deserialize, Serialize};

/// Duties that must never fail open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Duties {
    /// The policy decides who may hand mail to the relay.
    pub authenticates: bool,
    /// The policy withholds mail from recipients.
    pub suppresses: bool,
}
