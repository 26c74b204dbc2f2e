//! Conversion between columns and types.

use gatepost_message::Millis;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Scope, SpoolError};

/// Encodes a time. SQLite's integers are signed.
pub(super) fn from_millis(at: Millis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// Decodes a time.
pub(super) fn to_millis(stored: i64) -> Millis {
    Millis(u64::try_from(stored).unwrap_or(0))
}

/// Encodes a length or position.
pub(super) fn from_u64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Decodes a length or position.
pub(super) fn to_u64(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, SpoolError> {
    serde_json::to_string(value).map_err(|error| damaged("value")(error))
}

pub(super) fn from_json<T: DeserializeOwned>(what: &str, json: &str) -> Result<T, SpoolError> {
    serde_json::from_str(json).map_err(|error| damaged(what)(error))
}

/// Returns a function that adds the damaged part of the store to a decoder's error.
pub(super) fn damaged<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> SpoolError {
    move |why| SpoolError::Damaged {
        what: what.to_owned(),
        why: why.to_string(),
    }
}

/// Returns the account of a scope for a key column; the empty string stands for none, since no
/// account has that id.
pub(super) fn account_key(scope: &Scope) -> &str {
    scope.account.as_deref().unwrap_or("")
}

pub(super) fn to_scope(policy: String, account: String) -> Scope {
    Scope {
        policy,
        account: (!account.is_empty()).then_some(account),
    }
}
