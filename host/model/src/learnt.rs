//! Message-IDs that mail services gave our messages instead of ours.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

/// Message-ID under which the world knows a message of ours. Both without angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LearntId {
    /// Account that sent the message.
    pub account: String,
    /// Message-ID that it had when it left.
    pub ours: String,
    /// Message-ID that a service gave it.
    pub theirs: String,
    /// Time at which that was learnt.
    pub at: Millis,
}

impl LearntId {
    /// Most octets of a Message-ID that is learnt: the longest line of a header section.
    pub const LONGEST: usize = 998;

    /// Returns true if both ids can be stored.
    pub fn is_storable(&self) -> bool {
        let storable = |id: &str| !id.is_empty() && id.len() <= Self::LONGEST;
        storable(&self.ours) && storable(&self.theirs)
    }
}
