//! Secrets of credentials.

use std::fmt;

use gatepost_sasl::Verifier;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::{DirectoryError, random};

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Number of random characters in a secret: 190 bits.
const RANDOM_LENGTH: usize = 32;

/// Length of the checksum: 32 bits in base 62.
const CHECKSUM_LENGTH: usize = 6;

/// Password of a credential, shown once: `gpst_`, 32 random characters, and a checksum (CRC-32 of
/// all before it, in base 62) by which a scanner tells it from similar texts. Wiped from memory
/// when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "CredentialSecret")]
pub struct Secret(String);

impl Secret {
    /// Prefix of every secret, so that a scanner finds a leaked one.
    pub const PREFIX: &str = "gpst_";

    pub(crate) fn generate() -> Result<Self, DirectoryError> {
        let mut random = random::text(BASE_62, RANDOM_LENGTH)?;
        // The capacity is final, so that growing leaves no copy of the secret in memory.
        let mut text = String::with_capacity(Self::PREFIX.len() + RANDOM_LENGTH + CHECKSUM_LENGTH);
        text.push_str(Self::PREFIX);
        text.push_str(&random);
        random.zeroize();
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self(text))
    }

    /// Returns true if a text has the form of a secret. For scanners.
    pub fn is_one(text: &str) -> bool {
        let parts = text.split_at_checked(Self::PREFIX.len() + RANDOM_LENGTH);
        parts.is_some_and(|(random, sum)| {
            text.starts_with(Self::PREFIX) && text.is_ascii() && checksum(random) == sum
        })
    }

    /// Reads a secret; `None` if the text has not the form of one.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::is_one(text).then(|| Self(text.to_owned()))
    }

    /// Returns the verifier that is stored, with a new salt.
    pub(crate) fn verifier(&self) -> Result<Verifier, DirectoryError> {
        let salt = random::bytes()?;
        Ok(Verifier::new(&self.0, salt, Verifier::ITERATIONS))
    }

    /// Returns the secret as text, to be shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [0; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE_62[rest % 62];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanner_knows_a_secret_by_prefix_and_checksum() {
        let secret = Secret::generate().unwrap();
        assert!(Secret::is_one(secret.reveal()), "{}", secret.reveal());
        assert_ne!(secret, Secret::generate().unwrap());
        let mut other = secret.reveal().to_owned();
        let last = if other.ends_with('0') { "1" } else { "0" };
        other.replace_range(other.len() - 1.., last);
        assert!(!Secret::is_one(&other));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
