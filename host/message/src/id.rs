//! The name of a transaction, the same wherever it is spoken of.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names one SMTP transaction in the reply, the Received field, the log, the queue and the trace.
/// A UUIDv7 (RFC 9562 section 5.7): unique without being handed out, and in order of time, to the
/// very call within one process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct TransactionId(Uuid);

impl TransactionId {
    /// A new one, of this moment.
    #[expect(
        clippy::new_without_default,
        reason = "a default should be the same each time"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The 128 bits of it.
    pub fn octets(&self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// When it was made: milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_millis(&self) -> u64 {
        let [a, b, c, d, e, f, ..] = *self.0.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

/// Hyphenated and in lower case.
impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a transaction id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a transaction id: it is a UUID of version 7, such as 0197c1f2-8f6e-7b3a-9d51-3f0c6a2e4b17, as the reply to the client and the Received field show it"
)]
pub struct TransactionIdError;

impl TryFrom<Uuid> for TransactionId {
    type Error = TransactionIdError;

    fn try_from(uuid: Uuid) -> Result<Self, TransactionIdError> {
        let right = uuid.get_version() == Some(uuid::Version::SortRand)
            && uuid.get_variant() == uuid::Variant::RFC4122;
        right.then_some(Self(uuid)).ok_or(TransactionIdError)
    }
}

impl From<TransactionId> for Uuid {
    fn from(id: TransactionId) -> Self {
        id.0
    }
}

/// In any of the forms in which a UUID is written.
impl FromStr for TransactionId {
    type Err = TransactionIdError;

    fn from_str(text: &str) -> Result<Self, TransactionIdError> {
        Uuid::try_parse(text)
            .map_err(|_| TransactionIdError)?
            .try_into()
    }
}
