//! Administrators of accounts: the people whom security notices go to.
//!
//! An administrator proves an address with a code that was sent there. A code is good once and for a
//! day, and a few wrong ones make it worthless. Only its verifier is kept.

use std::num::NonZeroU32;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_message::{Address, Millis};
use ring::pbkdf2;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Canonical, DirectoryError, Name, email_id::ALPHABET, random};

/// Most administrators of one account.
pub const MAX_ADMINISTRATORS: usize = 20;

/// Time for which a code is good.
pub const CODE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Shortest time between two codes for one address, so that nobody is flooded with them.
pub const CODE_PAUSE: Duration = Duration::from_secs(60);

/// Number of wrong codes that make a code worthless.
pub const MOST_WRONG_CODES: u32 = 5;

/// Letters and digits of a code: 60 random bits.
const CODE_LENGTH: usize = 12;

/// Iterations of PBKDF2 with SHA-256.
const ITERATIONS: NonZeroU32 = match NonZeroU32::new(10_000) {
    Some(iterations) => iterations,
    None => NonZeroU32::MIN,
};

/// Administrator of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Administrator {
    /// Account that they administer.
    pub account: AccountId,
    /// Address of the person.
    pub address: Address,
    /// Name of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Language of notices, a tag of RFC 5646 such as `pt`.
    pub language: String,
    /// Time of addition.
    pub added: Millis,
    /// Time at which the address was proved.
    #[serde(default)]
    pub verified: Option<Millis>,
    /// Code that was sent to the address, until it is used or worthless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<SentCode>,
}

impl Administrator {
    /// Returns the form in which the address is compared.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::as_compared(&self.address)
    }
}

/// Code that was sent, as it is kept: a verifier, from which the code is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SentCode {
    /// Salt and hash of the code, in base64.
    salt: String,
    hash: String,
    /// Time at which it was made.
    pub sent: Millis,
    /// Number of wrong codes that were given since.
    #[serde(default)]
    pub(crate) wrong: u32,
}

impl SentCode {
    /// Makes a new code; returns it with its verifier.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn make(now: Millis) -> Result<(String, Self), DirectoryError> {
        let code = random::text(ALPHABET, CODE_LENGTH)?;
        let salt = random::bytes::<16>()?;
        let mut hash = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            ITERATIONS,
            &salt,
            code.as_bytes(),
            &mut hash,
        );
        let kept = Self {
            salt: STANDARD.encode(salt),
            hash: STANDARD.encode(hash),
            sent: now,
            wrong: 0,
        };
        Ok((grouped(&code), kept))
    }

    /// Returns true if this is the code, however it is grouped and in whatever case. Takes some
    /// milliseconds.
    pub(crate) fn is(&self, given: &str) -> bool {
        let given = given.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let given: String = given.take(CODE_LENGTH + 1).collect();
        let given = given.to_ascii_lowercase();
        let decoded = (STANDARD.decode(&self.salt)).and_then(|salt| {
            let hash = STANDARD.decode(&self.hash)?;
            Ok((salt, hash))
        });
        decoded.is_ok_and(|(salt, hash)| {
            let verified = pbkdf2::verify(
                pbkdf2::PBKDF2_HMAC_SHA256,
                ITERATIONS,
                &salt,
                given.as_bytes(),
                &hash,
            );
            verified.is_ok()
        })
    }

    /// Returns the time until which it is good.
    pub fn expires(&self) -> Millis {
        self.sent + CODE_LIFE
    }

    /// Returns true if it may still be given at this time.
    pub(crate) fn is_good(&self, now: Millis) -> bool {
        self.wrong < MOST_WRONG_CODES && now < self.expires()
    }
}

/// Outcome of giving a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeOutcome {
    /// The address is proved.
    Verified(Box<Administrator>),
    /// It is not the code, and so many more may be given.
    Wrong(u32),
    /// There is no code that is good: none was sent, it is too old, was used, or too many wrong ones
    /// were given.
    NoCode,
}

/// Returns a code as people read it, in groups of four.
fn grouped(code: &str) -> String {
    let mut grouped = String::new();
    for (at, c) in code.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(c);
    }
    grouped
}
