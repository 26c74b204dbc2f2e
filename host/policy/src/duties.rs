//! Duties of a policy. A policy with a duty must not be skipped when it fails.

use serde::{Deserialize, Serialize};

/// Duties that must never fail open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Duties {
    /// Decision on who may hand mail to the relay.
    pub authenticates: bool,
    /// Suppression of mail to recipients.
    pub suppresses: bool,
    /// Decision on where mail goes.
    pub routes: bool,
}
