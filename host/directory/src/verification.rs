//! Verification of the two directions of a support address's mail.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

/// Codes of the reasons by which a server refuses to take mail of an address.
const REFUSALS: [&str; 7] = [
    "credentials-refused",
    "only-ntlm-or-gssapi",
    "no-common-log-in",
    "sender-not-allowed",
    "mailbox-full",
    "no-such-mailbox",
    "refused",
];

/// State of the verification of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Verification {
    /// No verification mail was sent yet.
    #[default]
    Unverified,
    /// A verification mail is on its way.
    Pending {
        /// Time at which it was sent.
        since: Millis,
    },
    /// Mail goes this way.
    Verified {
        /// Time of the last proof.
        at: Millis,
    },
    /// Mail does not go this way.
    Failed {
        /// Time of the finding.
        at: Millis,
        /// Code of the reason, such as `credentials-refused`.
        reason: String,
        /// Words of the server, or what was seen, bounded.
        words: String,
    },
}

impl Verification {
    /// Returns true if mail goes this way.
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified { .. })
    }

    /// Returns true if the customer's server refused to take the mail. Silence is no refusal, nor
    /// is a server that is not reached, or a limit that passes.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Failed { reason, .. } => REFUSALS.contains(&reason.as_str()),
            Self::Unverified | Self::Pending { .. } | Self::Verified { .. } => false,
        }
    }
}
