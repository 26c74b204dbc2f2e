//! Private keys, and what they sign.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::generate;

/// Algorithm of a key and its signatures.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// RSA of 2048 bits with SHA-256 (RFC 6376 section 3.3.1), which every verifier knows.
    Rsa,
    /// Ed25519 with SHA-256 (RFC 8463).
    Ed25519,
}

impl Algorithm {
    /// All algorithms, in the order in which a message is signed.
    pub const ALL: [Self; 2] = [Self::Rsa, Self::Ed25519];

    /// Returns the word for it, which is also `k=` of a record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// Returns `a=` of a signature.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Text that names no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no algorithm of DKIM; write rsa or ed25519")]
pub struct AlgorithmError(String);

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    fn from_str(text: &str) -> Result<Self, AlgorithmError> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|algorithm| algorithm.word() == text);
        found.ok_or_else(|| AlgorithmError(text.to_owned()))
    }
}

/// Error of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The system gives no random numbers, or the key could not be computed.
    #[error("no key could be made: the system's random numbers failed")]
    NotMade,
    /// The stored octets are no key of the algorithm.
    #[error("the private key is damaged")]
    Damaged,
    /// The key does not sign.
    #[error("the private key does not sign")]
    NoSignature,
}

/// Private key. It is read when it signs for the first time, since that takes a while and a relay
/// may have thousands.
pub struct PrivateKey {
    algorithm: Algorithm,
    /// PKCS #8.
    encoded: Zeroizing<Vec<u8>>,
    pair: OnceLock<Result<Pair, KeyError>>,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl PrivateKey {
    /// Makes a new key. For RSA, that takes from a tenth of a second to some seconds.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let encoded = match algorithm {
            Algorithm::Rsa => generate::rsa()?,
            Algorithm::Ed25519 => generate::ed25519()?,
        };
        Ok(Self::from_pkcs8(algorithm, encoded))
    }

    /// Takes a key that was stored.
    pub fn from_pkcs8(algorithm: Algorithm, encoded: Zeroizing<Vec<u8>>) -> Self {
        Self {
            algorithm,
            encoded,
            pair: OnceLock::new(),
        }
    }

    /// Returns the octets to store, in PKCS #8: a secret.
    pub fn as_pkcs8(&self) -> &[u8] {
        &self.encoded
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the octets of `p=`: of RSA a SubjectPublicKeyInfo (RFC 6376 section 3.6.1 with
    /// erratum 3017), of Ed25519 the bare 32 octets (RFC 8463 section 4).
    ///
    /// # Errors
    /// The key is damaged.
    pub fn public(&self) -> Result<Vec<u8>, KeyError> {
        Ok(match self.pair()? {
            Pair::Rsa(pair) => subject_public_key_info(pair.public_key().as_ref()),
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        })
    }

    /// Signs octets.
    ///
    /// # Errors
    /// The key is damaged.
    pub(crate) fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self.pair()? {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, octets, &mut signature)
                    .map_err(|_| KeyError::NoSignature)?;
                Ok(signature)
            }
            // RFC 8463 section 3: the hash is signed.
            Pair::Ed25519(pair) => {
                let hash = digest::digest(&digest::SHA256, octets);
                Ok(pair.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }

    fn pair(&self) -> Result<&Pair, KeyError> {
        let read = || match self.algorithm {
            Algorithm::Rsa => RsaKeyPair::from_pkcs8(&self.encoded)
                .map(|pair| Pair::Rsa(pair.into()))
                .map_err(|_| KeyError::Damaged),
            Algorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.encoded)
                .map(|pair| Pair::Ed25519(pair.into()))
                .map_err(|_| KeyError::Damaged),
        };
        self.pair.get_or_init(read).as_ref().map_err(|error| *error)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm)
    }
}

/// Wraps an RSAPublicKey (RFC 8017 appendix A.1.1) into a SubjectPublicKeyInfo (RFC 5280 section
/// 4.1) with the algorithm rsaEncryption.
fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    // A bit string begins with the number of bits that it does not use.
    let bits = der(0x03, &[&[0], key].concat());
    der(0x30, &[&RSA_ENCRYPTION, &bits[..]].concat())
}

/// Returns a value of DER with its tag and its length (X.690 section 8.1).
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let octets: Vec<u8> = length.into_iter().skip_while(|octet| *octet == 0).collect();
    let mut encoded = vec![tag];
    match (octets.as_slice(), value.len()) {
        (_, short @ 0..=127) => encoded.push(u8::try_from(short).unwrap_or_default()),
        (octets, _) => {
            encoded.push(0x80 | u8::try_from(octets.len()).unwrap_or_default());
            encoded.extend_from_slice(octets);
        }
    }
    encoded.extend_from_slice(value);
    encoded
}

#[cfg(test)]
mod tests {
    use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};

    use super::*;

    #[test]
    fn the_public_half_is_what_the_maker_of_the_key_says() {
        let key = PrivateKey::generate(Algorithm::Rsa).unwrap();
        let maker = rsa::PrivateKey::from_pkcs8_der(key.as_pkcs8()).unwrap();
        let public = maker.to_public_key().to_public_key_der().unwrap();
        assert_eq!(key.public().unwrap(), public.as_bytes());
        let key = PrivateKey::generate(Algorithm::Ed25519).unwrap();
        assert_eq!(key.public().unwrap().len(), 32);
    }

    #[test]
    fn damaged_octets_sign_nothing_and_no_key_shows_itself() {
        for algorithm in Algorithm::ALL {
            let key = PrivateKey::from_pkcs8(algorithm, Zeroizing::new(vec![1, 2, 3]));
            assert_eq!(key.sign(b"x").unwrap_err(), KeyError::Damaged);
            assert_eq!(format!("{key:?}"), format!("PrivateKey({algorithm})"));
            assert_eq!(algorithm.word().parse(), Ok(algorithm));
        }
    }
}
