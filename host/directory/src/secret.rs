//! Secrets that we make, and what we keep of them.

use std::fmt;

use ring::{digest, hmac, pbkdf2};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::{DirectoryError, random};

/// What every secret begins with, so that a scanner finds one that has leaked.
const PREFIX: &str = "gpst_";

const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random characters of a secret: 190 bits.
const RANDOM: usize = 32;

/// Characters of the checksum: 32 bits in base 62.
const CHECKSUM: usize = 6;

/// Rounds of PBKDF2. The least that RFC 7677 section 4 allows: more of them make guessing slower,
/// and nobody guesses 190 random bits, while every login would pay for them.
const ITERATIONS: u32 = 4096;

/// The password of a credential, as it is shown once: `gpst_`, 32 random characters, and a
/// checksum (CRC-32 of all before it, in base 62) by which a scanner tells it from what only looks
/// like one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn generate() -> Result<Self, DirectoryError> {
        let text = format!("{PREFIX}{}", random::text(BASE_62, RANDOM)?);
        let checksum = checksum(&text);
        Ok(Self(text + &checksum))
    }

    /// Whether a text is a secret of this form: what a scanner asks.
    pub fn is_one(text: &str) -> bool {
        let parts = text.split_at_checked(PREFIX.len() + RANDOM);
        parts.is_some_and(|(random, sum)| {
            text.starts_with(PREFIX) && text.is_ascii() && checksum(random) == sum
        })
    }

    /// The text, to be shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE_62[rest % 62];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What is kept of a secret: enough to tell whether somebody has it, by SCRAM-SHA-256 (RFC 5802
/// section 3, RFC 7677) or by the password itself, and nothing by which to log in anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    salt: [u8; 16],
    iterations: u32,
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

impl Verifier {
    /// Octets of [`Verifier::encode`].
    const LENGTH: usize = 16 + 4 + 32 + 32;

    /// That of a secret, with a new salt.
    pub(crate) fn of(secret: &Secret) -> Result<Self, DirectoryError> {
        let salt = random::octets()?;
        Ok(Self::with(secret.reveal().as_bytes(), salt, ITERATIONS))
    }

    /// That of no secret at all, with a salt that depends on the user's name alone: what an
    /// exchange with an unknown user goes on with, so that it looks and takes time like any other.
    /// `key` is the site's, so that nobody can tell its salts from others.
    pub(crate) fn of_nobody(key: &hmac::Key, user: &str) -> Self {
        let tag = hmac::sign(key, user.as_bytes());
        let mut salt = [0; 16];
        salt.copy_from_slice(&tag.as_ref()[..16]);
        // No input has these keys that anybody could find.
        Self {
            salt,
            iterations: ITERATIONS,
            stored_key: hash(tag.as_ref()),
            server_key: hash(&hash(tag.as_ref())),
        }
    }

    fn with(password: &[u8], salt: [u8; 16], iterations: u32) -> Self {
        let salted = salted(password, &salt, iterations);
        Self {
            salt,
            iterations,
            stored_key: hash(&sign(&salted, b"Client Key")),
            server_key: sign(&salted, b"Server Key"),
        }
    }

    /// The salt, sent to the client.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Rounds of PBKDF2, sent to the client.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// `StoredKey`, by which the client's proof is checked.
    pub fn stored_key(&self) -> &[u8; 32] {
        &self.stored_key
    }

    /// `ServerKey`, by which the server proves itself.
    pub fn server_key(&self) -> &[u8; 32] {
        &self.server_key
    }

    /// Whether this is the secret, for PLAIN and LOGIN. The same work whatever it is: about a
    /// millisecond. No string preparation (RFC 5802 section 2.2): our secrets are ASCII, and it
    /// would leave them as they are.
    pub fn verify(&self, password: &[u8]) -> bool {
        let given = Self::with(password, self.salt, self.iterations);
        given.stored_key.ct_eq(&self.stored_key).into()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let iterations = self.iterations.to_be_bytes();
        [
            &self.salt[..],
            &iterations,
            &self.stored_key,
            &self.server_key,
        ]
        .concat()
    }

    pub(crate) fn decode(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; Self::LENGTH] = octets.try_into().ok()?;
        Some(Self {
            salt: octets[..16].try_into().ok()?,
            iterations: u32::from_be_bytes(octets[16..20].try_into().ok()?),
            stored_key: octets[20..52].try_into().ok()?,
            server_key: octets[52..].try_into().ok()?,
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

fn salted(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut salted = [0; 32];
    let iterations = iterations.try_into().unwrap_or(std::num::NonZeroU32::MIN);
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        password,
        &mut salted,
    );
    salted
}

fn sign(key: &[u8], text: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let mut octets = [0; 32];
    octets.copy_from_slice(tag.as_ref());
    octets
}

fn hash(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    /// The exchange in RFC 7677 section 3.
    #[test]
    fn a_verifier_takes_the_proof_of_the_rfc() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::with(b"pencil", salt.try_into().unwrap(), 4096);
        let message = b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = STANDARD
            .decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
            .unwrap();
        let signature = sign(verifier.stored_key(), message);
        let client_key: Vec<_> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        assert_eq!(&hash(&client_key), verifier.stored_key());
        assert_eq!(
            STANDARD.encode(sign(verifier.server_key(), message)),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
        assert!(verifier.verify(b"pencil"));
        assert!(!verifier.verify(b"pencil2"));
        assert_eq!(Verifier::decode(&verifier.encode()), Some(verifier));
    }

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
