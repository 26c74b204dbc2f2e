//! Verification of the two directions of a support address's mail.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use crate::ProbeKind;

/// Codes of the reasons by which a smart host refuses to take mail of an address.
const REFUSALS: [&str; 5] = [
    "credentials-refused",
    "only-ntlm-or-gssapi",
    "no-common-log-in",
    "sender-not-allowed",
    "refused",
];

/// State of the verification of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
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
        /// True if the customer's own server refuses to take the mail, and not for now only. `None`
        /// where an earlier version found it: then the reason says that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refuses: Option<bool>,
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
            Self::Failed {
                reason, refuses, ..
            } => refuses.unwrap_or_else(|| Self::is_refusal_code(reason)),
            Self::Unverified | Self::Pending { .. } | Self::Verified { .. } => false,
        }
    }

    /// Returns true if this is the code of a reason by which a smart host refuses to take mail of an
    /// address.
    pub fn is_refusal_code(code: &str) -> bool {
        REFUSALS.contains(&code)
    }
}

/// Finding of the last probe of one direction. It may differ from the state: a probe that was lost
/// warns, and leaves a direction verified that was so before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LastCheck {
    /// Time of the finding.
    pub at: Millis,
    /// Way that the probe took.
    pub kind: ProbeKind,
    /// Code of the reason why it failed; `None` if it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Finding in words, bounded.
    pub words: String,
    /// Advice to whoever administers the customer's mail; empty if the probe passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// Things that do no harm yet, bounded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// Results of message authentication, if the probe came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<CheckResults>,
}

/// Results of message authentication of a probe that came back, in the words of RFC 8601.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckResults {
    /// SPF of the reverse-path.
    pub spf: String,
    /// Best DKIM signature.
    pub dkim: String,
    /// DMARC.
    pub dmarc: String,
}
