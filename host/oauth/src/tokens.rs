//! Tokens, and the form in which they are stored.

use std::fmt;

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

/// Tokens of one connection; they are secret, and wiped when they are dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TokenSet {
    /// Access token, which logs in.
    pub access: Option<AccessToken>,
    /// Refresh token, which gets the next access token.
    pub refresh: Option<Zeroizing<String>>,
    /// End of the refresh token's life, if the server has said so.
    pub refresh_expires_at: Option<Millis>,
}

/// Access token.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub secret: Zeroizing<String>,
    /// Time from which it is renewed.
    pub renew_at: Millis,
    /// End of its life.
    pub expires_at: Millis,
}

/// Form in which tokens are stored.
#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct TokenRecord {
    access: Option<String>,
    renew_at: u64,
    expires_at: u64,
    refresh: Option<String>,
    refresh_expires_at: Option<u64>,
}

impl TokenSet {
    /// Returns the octets to store, which are secret: encrypt them.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let access = self.access.as_ref();
        let stored = TokenRecord {
            access: access.map(|access| access.secret.to_string()),
            renew_at: access.map_or(0, |access| access.renew_at.0),
            expires_at: access.map_or(0, |access| access.expires_at.0),
            refresh: self.refresh.as_ref().map(|refresh| refresh.to_string()),
            refresh_expires_at: self.refresh_expires_at.map(|at| at.0),
        };
        // Room for all, with every character escaped: a vector that grows leaves copies behind.
        let length = |token: &Option<String>| token.as_ref().map_or(0, String::len);
        let room = 256 + 2 * (length(&stored.access) + length(&stored.refresh));
        let mut octets = Zeroizing::new(Vec::with_capacity(room));
        // Strings and numbers have no form that JSON lacks, and a vector takes all.
        let _ = serde_json::to_writer(&mut *octets, &stored);
        octets
    }

    /// Reads octets of [`TokenSet::encode`]; returns `None` for others.
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let mut stored: TokenRecord = serde_json::from_slice(octets).ok()?;
        Some(Self {
            access: stored.access.take().map(|secret| AccessToken {
                secret: Zeroizing::new(secret),
                renew_at: Millis(stored.renew_at),
                expires_at: Millis(stored.expires_at),
            }),
            refresh: stored.refresh.take().map(Zeroizing::new),
            refresh_expires_at: stored.refresh_expires_at.map(Millis),
        })
    }
}

impl Drop for TokenRecord {
    fn drop(&mut self) {
        self.access.zeroize();
        self.refresh.zeroize();
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_tokens_are_read_as_they_were() {
        let word = |text: &str| Zeroizing::new(text.to_owned());
        let tokens = TokenSet {
            access: Some(AccessToken {
                secret: word("access"),
                renew_at: Millis(5),
                expires_at: Millis(7),
            }),
            refresh: Some(word("refresh")),
            refresh_expires_at: Some(Millis(9)),
        };
        assert_eq!(TokenSet::decode(&tokens.encode()).as_ref(), Some(&tokens));
        let none = TokenSet::default();
        assert_eq!(TokenSet::decode(&none.encode()), Some(none));
        assert_eq!(TokenSet::decode(b"x"), None);
        assert!(!format!("{tokens:?}{:?}", tokens.access).contains("access\""));
    }
}
