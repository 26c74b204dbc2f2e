//! Names in which the addresses of connected domains leave.
//!
//! An address leaves in its own name by a way that is proved, or that the operator vouches for. By
//! any other it leaves from the default address of its brand, or of its account.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use crate::word::words;

words! {
    /// Reason why an address leaves from the default address.
    pub enum DefaultReason {
        /// No verification has proved the way through the customer's own server, and the default
        /// route proves the domain neither by DKIM nor by SPF.
        Unproved = "unproved",
        /// The customer's own server refused the verification.
        Refused = "refused",
        /// The customer's own server refuses mail that leaves, and its connection is broken.
        Broken = "broken",
        /// The domain is disconnected.
        Disconnected = "disconnected",
    }
}

/// Messages of an address that leave from the default address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LeavesFromDefault {
    /// Time of the first of them.
    pub since: Millis,
    /// Reason of the last of them.
    pub reason: DefaultReason,
    /// Number of messages.
    pub messages: u64,
}

/// Way by which mail of an address in a connected domain leaves, as far as the directory knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutboundWay {
    /// Connection that serves it, as a verification proved or earlier use allows.
    Connection,
    /// The same on the operator's word; by MX it leaves in its own name unless its domain's policy
    /// forbids that.
    Vouched,
    /// Default route, in its own name where DKIM or SPF proves the domain there.
    DefaultRoute,
    /// Default route, from the default address.
    FromDefault(DefaultReason),
}
