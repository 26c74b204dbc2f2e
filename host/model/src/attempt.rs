//! The result of an attempt at delivery, for one recipient.

use gatepost_message::Address;
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

/// Ending of an attempt at delivery for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Accepted by the next hop.
    Delivered,
    /// Deferred: it will be tried again.
    Deferred,
    /// Refused for good, or expired.
    Failed,
}

/// Result of an attempt for one recipient, as the outcome hook receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    /// Recipient.
    pub recipient: Address,
    /// Ending of the attempt.
    pub ending: Ending,
    /// Reply that ended it.
    pub reply: Reply,
    /// `host:port` of the server that was tried.
    pub server: Option<String>,
}
