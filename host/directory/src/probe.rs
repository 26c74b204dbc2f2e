//! Probes: verification mails that are on their way.

use std::{fmt, str::FromStr, sync::Arc};

use gatepost_message::{Address, Millis};
use serde::{Deserialize, Serialize};

use crate::{AccountId, DirectoryError, random, word::words};

words! {
    /// Way that a probe takes.
    pub enum ProbeKind {
        /// From the site to the support address, and back by the customer's server.
        Inbound = "inbound",
        /// Through the customer's smart host to a native address of the account.
        Outbound = "outbound",
        /// Out through the smart host to the support address itself, and back.
        Circuit = "circuit",
    }
}

/// Id of a probe: 128 random bits in base 32, 26 characters in lower case.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct ProbeId(Arc<str>);

/// Text that is not the id of a probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the id of a probe is 26 letters and digits of base 32")]
pub struct ProbeIdError;

impl ProbeId {
    /// Length of an id in bytes.
    pub const LENGTH: usize = 26;

    /// Makes the id of a new probe.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self, DirectoryError> {
        let text = random::text(crate::email_id::ALPHABET, Self::LENGTH)?;
        Ok(Self(text.into()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProbeId {
    type Err = ProbeIdError;

    fn from_str(text: &str) -> Result<Self, ProbeIdError> {
        let text = text.to_ascii_lowercase();
        let fits = text.len() == Self::LENGTH
            && text
                .bytes()
                .all(|byte| crate::email_id::ALPHABET.contains(&byte));
        match fits {
            true => Ok(Self(text.into())),
            false => Err(ProbeIdError),
        }
    }
}

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Verification mail that is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Probe {
    /// Id, which stands in its token.
    pub id: ProbeId,
    /// Account of the address.
    pub account: AccountId,
    /// Support address that is verified.
    pub address: Address,
    /// Way that it takes.
    pub kind: ProbeKind,
    /// Time at which it was sent.
    pub sent: Millis,
    /// Time after which it counts as lost.
    pub expires: Millis,
    /// Transaction of the message, once it is queued.
    #[serde(default)]
    pub transaction: Option<String>,
    /// Record of how it left and what became of it so far. The directory does not read it.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub record: serde_json::Value,
}
