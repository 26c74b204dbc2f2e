//! Secrets of connections.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Password, client secret, refresh token or private key. It is wiped from memory when dropped, and
/// neither `{:?}` nor serialisation shows it.
#[derive(Clone, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(rename = "ConnectionSecret")]
pub struct Secret(#[schemars(with = "String")] Zeroizing<String>);

impl Secret {
    /// Longest secret in octets: a private key of 8,192 bits in PEM has about 6,400.
    pub const LONGEST: usize = 16 << 10;

    /// Text that stands for a secret.
    pub const MASK: &str = "…";

    /// Makes a secret of a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text, for the server that it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
