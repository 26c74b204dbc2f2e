//! Names of connections, and their keys in the whole relay.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Name of a connection: 1 to 64 lower-case letters, digits, dots, underscores and hyphens.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionName(Arc<str>);

/// Text that cannot name a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a connection's name has 1 to 64 lower-case letters, digits, dots, underscores and hyphens"
)]
pub struct ConnectionNameError;

impl ConnectionName {
    /// Longest name, in octets.
    pub const LONGEST: usize = 64;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for ConnectionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectionName {
    type Err = ConnectionNameError;

    fn from_str(text: &str) -> Result<Self, ConnectionNameError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        match (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(plain) {
            true => Ok(Self(text.into())),
            false => Err(ConnectionNameError),
        }
    }
}

impl TryFrom<String> for ConnectionName {
    type Error = ConnectionNameError;

    fn try_from(text: String) -> Result<Self, ConnectionNameError> {
        text.parse()
    }
}

impl From<ConnectionName> for String {
    fn from(name: ConnectionName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Key of a connection in the relay: its owner and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionKey {
    /// Account that owns it; none for the site's.
    pub account: Option<Arc<str>>,
    /// Name.
    pub name: ConnectionName,
}

impl ConnectionKey {
    /// Makes the key of a connection of the site.
    pub fn of_site(name: ConnectionName) -> Self {
        Self {
            account: None,
            name,
        }
    }

    /// Makes the key of a connection of an account.
    pub fn of_account(account: impl Into<Arc<str>>, name: ConnectionName) -> Self {
        Self {
            account: Some(account.into()),
            name,
        }
    }
}

/// Writes the key as in a destination: `acme/outlook`, or `relay` for the site's.
impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{account}/{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}
