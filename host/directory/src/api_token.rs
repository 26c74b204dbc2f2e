//! Tokens by which programs use the HTTP API.
//!
//! A token is an id and a secret of 256 random bits, shown once. The store has a digest of the
//! secret: with so many random bits there is nothing to guess, and no need of a slow digest.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gatepost_message::Millis;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::word::words;
use crate::{AccountId, DirectoryError, Name, random};

/// Beginning of every token, by which a scanner of published text finds one that got out.
const PREFIX: &str = "gatepost_";

/// Characters of an id.
const ID: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Length of an id.
const ID_LENGTH: usize = 12;

/// Random bytes of a secret.
const SECRET_LENGTH: usize = 32;

words! {
    /// Scope of a token. Each may do what those before it may.
    pub enum ApiScope {
        /// Reads.
        Read = "read",
        /// Sends mail, and works on queue, quarantine and lists.
        Operate = "operate",
        /// Changes accounts, connectors, credentials and policies.
        Administer = "administer",
    }
}

impl ApiScope {
    /// Returns true if a token of this scope may do what the other scope may.
    pub fn includes(self, other: Self) -> bool {
        self as u8 >= other as u8
    }
}

/// Token by which a program uses the HTTP API, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ApiToken {
    /// Id: 12 letters and digits. No secret.
    pub id: String,
    /// Account that it is bound to; `None` for the whole site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Scope.
    pub scope: ApiScope,
    /// Name by which its owner knows it.
    pub name: Name,
    /// Time of creation.
    pub created: Millis,
    /// Time from which it is refused, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Millis>,
    /// Time of its last use, to a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Millis>,
}

/// Token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StoredApiToken {
    /// Token without its secret.
    #[serde(flatten)]
    pub token: ApiToken,
    /// SHA-256 of the secret, in base64url.
    pub digest: String,
}

/// Token as its owner presents it. Wiped from memory when dropped.
pub struct PresentedToken {
    id: String,
    secret: Zeroizing<[u8; SECRET_LENGTH]>,
}

impl PresentedToken {
    pub(crate) fn random() -> Result<Self, DirectoryError> {
        Ok(Self {
            id: random::text(ID, ID_LENGTH)?,
            secret: Zeroizing::new(random::bytes()?),
        })
    }

    /// Reads a token; `None` if the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_id = id.len() == ID_LENGTH && id.bytes().all(|byte| ID.contains(&byte));
        let mut bytes = Zeroizing::new([0; SECRET_LENGTH]);
        let read = URL_SAFE_NO_PAD.decode_slice(secret, &mut *bytes).ok()?;
        (is_id && read == SECRET_LENGTH).then(|| Self {
            id: id.to_owned(),
            secret: bytes,
        })
    }

    /// Returns the token as its owner presents it: `gatepost_`, the id, `_` and 43 characters.
    pub fn reveal(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.secret));
        Zeroizing::new(format!("{PREFIX}{}_{}", self.id, &*secret))
    }

    /// Returns the id of the token.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &*self.secret))
    }

    /// Returns true if it is the token with this digest, in a time that does not tell how much of it
    /// is right.
    pub(crate) fn is(&self, stored: &StoredApiToken) -> bool {
        (self.digest().as_bytes())
            .ct_eq(stored.digest.as_bytes())
            .into()
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedToken({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_other_text_is_one() {
        let token = PresentedToken::random().unwrap();
        let text = token.reveal();
        assert_eq!(text.len(), PREFIX.len() + ID_LENGTH + 1 + 43);
        let read = PresentedToken::parse(&text).unwrap();
        assert_eq!((read.id(), read.digest()), (token.id(), token.digest()));
        assert_eq!(
            format!("{read:?}"),
            format!("PresentedToken({})", token.id())
        );
        let other = PresentedToken::random().unwrap();
        assert_ne!(other.digest(), token.digest());
        for wrong in [
            "",
            "gatepost_",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{}A", *text),
            &text.replacen(token.id(), "UPPERCASE123", 1),
        ] {
            assert!(PresentedToken::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn each_scope_includes_those_before_it() {
        use ApiScope::{Administer, Operate, Read};
        assert!(Administer.includes(Read) && Operate.includes(Read) && Read.includes(Read));
        assert!(!Read.includes(Operate) && !Operate.includes(Administer));
    }
}
