//! Remarks on a probe that passed.

use std::fmt;

use gatepost_authentication::Authentication;
use serde::{Deserialize, Serialize};

use crate::QuotedWords;

/// Something that is not as it should be, and does no harm yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "remark", rename_all = "kebab-case")]
pub enum ProbeRemark {
    /// A standard field came back with another value, or not at all.
    StandardFieldChanged {
        /// Name.
        field: QuotedWords,
    },
    /// The display name in From is another.
    NameInFromChanged,
    /// The relay's signature no longer verifies, since something that it covers was changed.
    SignatureBroken,
    /// The relay's signature did not come back.
    SignatureLost,
    /// SPF does not pass.
    Spf {
        /// Result.
        result: Authentication,
    },
    /// No DKIM signature passes.
    Dkim {
        /// Result.
        result: Authentication,
    },
    /// DMARC does not pass.
    Dmarc {
        /// Result.
        result: Authentication,
    },
    /// Nothing vouches for the forwarder: neither SPF nor DKIM for the domain, nor a seal of ARC.
    ForwarderUnproved,
    /// An address that is forwarded came back over an authenticated session.
    CameBySession,
    /// A field that tells mail systems that the message is automatic has a second value beside the
    /// relay's.
    FieldAdded {
        /// Name.
        field: QuotedWords,
    },
}

impl ProbeRemark {
    pub(crate) fn spf(result: Authentication) -> Self {
        Self::Spf { result }
    }

    pub(crate) fn dkim(result: Authentication) -> Self {
        Self::Dkim { result }
    }

    pub(crate) fn dmarc(result: Authentication) -> Self {
        Self::Dmarc { result }
    }
}

impl fmt::Display for ProbeRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardFieldChanged { field } => write!(
                f,
                "the field {field} is not as it was sent: a server on the way changes it"
            ),
            Self::NameInFromChanged => {
                f.write_str("the display name in From is not as it was sent")
            }
            Self::SignatureBroken => f.write_str(
                "the relay's DKIM signature no longer verifies: a server on the way changes the \
                 message",
            ),
            Self::SignatureLost => {
                f.write_str("the relay's DKIM signature is gone: a server on the way takes it off")
            }
            Self::Spf { result } => write!(f, "SPF does not pass: {}", result.word()),
            Self::Dkim { result } => {
                write!(f, "no DKIM signature passes: {}", result.word())
            }
            Self::Dmarc { result } => write!(f, "DMARC does not pass: {}", result.word()),
            Self::ForwarderUnproved => f.write_str(
                "nothing vouches for the forwarder: neither SPF nor DKIM passes for the domain, \
                 and there is no trusted seal",
            ),
            Self::CameBySession => {
                f.write_str("it came back over an authenticated session instead of by forwarding")
            }
            Self::FieldAdded { field } => {
                write!(f, "a server on the way adds a second {field}")
            }
        }
    }
}
