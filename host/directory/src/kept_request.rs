//! Requests of the HTTP API that were made under a key of their asker, so that a repetition is answered
//! and not executed.

use gatepost_message::Millis;

use crate::Sealed;

/// Time for which a request is kept, in milliseconds: a day.
pub(crate) const KEPT_FOR: u64 = 24 * 60 * 60 * 1000;

/// Most requests of a token that are kept at a time.
pub(crate) const MOST: u64 = 1000;

/// Request that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRequest {
    /// Id of the token.
    pub token: String,
    /// Key that the asker gave it.
    pub key: String,
    /// Time at which it came.
    pub at: Millis,
    /// Digest of the request.
    pub digest: String,
    /// Encrypted answer; `None` until it is recorded.
    pub answer: Option<Sealed>,
}

/// Knowledge of a request before it is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownRequest {
    /// Nothing was: it is recorded now, and is to be executed.
    New,
    /// It was executed with this answer.
    Answered(Vec<u8>),
    /// It was begun at this time, and no answer is recorded.
    Begun(Millis),
    /// Another request was made under the key.
    Other,
    /// The token has as many requests kept as it may.
    TooMany {
        /// Number that a token may have.
        limit: u64,
    },
}
