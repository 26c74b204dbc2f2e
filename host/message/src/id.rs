//! Transaction ids.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Id of one SMTP transaction in the reply, the Received field, the log, the queue and the trace.
/// A UUIDv7 (RFC 9562 section 5.7): unique without a central counter, and in order of time; within
/// one process, in the order of the calls.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct TransactionId(Uuid);

impl TransactionId {
    /// Makes a new id of this moment.
    #[expect(
        clippy::new_without_default,
        reason = "a default should be the same each time"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Returns the 128 bits.
    pub fn octets(&self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Reads the 128 bits.
    ///
    /// # Errors
    /// They are not those of a UUID of version 7.
    pub fn from_octets(octets: [u8; 16]) -> Result<Self, TransactionIdError> {
        Uuid::from_bytes(octets).try_into()
    }

    /// Returns the time at which it was made: milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_millis(&self) -> u64 {
        let [a, b, c, d, e, f, ..] = *self.0.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

/// Writes the id with hyphens and in lower case.
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

/// Error: a text is not a transaction id.
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

/// Reads an id in any of the forms of a UUID.
impl FromStr for TransactionId {
    type Err = TransactionIdError;

    fn from_str(text: &str) -> Result<Self, TransactionIdError> {
        Uuid::try_parse(text)
            .map_err(|_| TransactionIdError)?
            .try_into()
    }
}
