//! Stored form of a password.

use std::{borrow::Cow, fmt, num::NonZeroU32};

use ring::{digest, hmac, pbkdf2};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use crate::prepare;

/// Octets of a salt.
pub(crate) const SALT: usize = 16;

/// Stored form of a password: enough to check the password itself or a proof by SCRAM-SHA-256
/// (RFC 5802 section 3, RFC 7677), but not enough to log in anywhere.
///
/// Its keys are wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    salt: [u8; SALT],
    iterations: u32,
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

impl Verifier {
    /// Default rounds of PBKDF2: the least that RFC 7677 section 4 allows. More rounds would make
    /// guessing slower, but nobody guesses the 190 random bits of a generated secret, and every
    /// log-in would pay for them.
    pub const ITERATIONS: u32 = 4096;

    /// Octets of [`Verifier::encode`].
    const LENGTH: usize = SALT + 4 + 32 + 32;

    /// Makes the verifier of a password, [prepared](prepare), with this salt.
    pub fn new(password: &str, salt: [u8; SALT], iterations: u32) -> Self {
        let mut prepared = prepare(password);
        let salted = Zeroizing::new(salted(prepared.as_bytes(), &salt, iterations));
        if let Cow::Owned(prepared) = &mut prepared {
            prepared.zeroize();
        }
        let client_key = Zeroizing::new(sign(&*salted, b"Client Key"));
        Self {
            salt,
            iterations,
            stored_key: hash(&*client_key),
            server_key: sign(&*salted, b"Server Key"),
        }
    }

    /// Makes the verifier of an unknown user, which no password matches. Its salt depends only on
    /// the user's name and the site's secret `key`, so that the exchange looks like any other and
    /// takes as long.
    pub fn of_nobody(key: &hmac::Key, user: &str) -> Self {
        let tag = hmac::sign(key, user.as_bytes());
        let mut salt = [0; SALT];
        salt.copy_from_slice(&tag.as_ref()[..SALT]);
        // Nobody can find a password with these keys.
        Self {
            salt,
            iterations: Self::ITERATIONS,
            stored_key: hash(tag.as_ref()),
            server_key: hash(&hash(tag.as_ref())),
        }
    }

    /// Makes the verifier of a password with the salt of this one.
    pub fn with_password(&self, password: &str) -> Self {
        Self::new(password, self.salt, self.iterations)
    }

    /// Returns the salt, which is sent to the client.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Returns the rounds of PBKDF2, which are sent to the client.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Returns true if this is the verifier of the password. It takes some milliseconds, the same
    /// for any password.
    pub fn is_of(&self, password: &str) -> bool {
        let given = self.with_password(password);
        given.stored_key.ct_eq(&self.stored_key).into()
    }

    /// Returns true if this proof over this message shows that the client knows the password
    /// (RFC 5802 section 3).
    pub(crate) fn confirms(&self, message: &[u8], proof: &[u8; 32]) -> bool {
        let mut client_key = Zeroizing::new(sign(&self.stored_key, message));
        for (key, proof) in client_key.iter_mut().zip(proof) {
            *key ^= proof;
        }
        hash(&*client_key).ct_eq(&self.stored_key).into()
    }

    /// Returns `ServerSignature`, by which the server proves that it has the verifier.
    pub(crate) fn signature(&self, message: &[u8]) -> [u8; 32] {
        sign(&self.server_key, message)
    }

    /// Returns the octets to store; they are secret.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let iterations = self.iterations.to_be_bytes();
        let parts = [
            &self.salt[..],
            &iterations,
            &self.stored_key,
            &self.server_key,
        ];
        Zeroizing::new(parts.concat())
    }

    /// Reads octets of [`Verifier::encode`]; returns `None` if they have another length.
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; Self::LENGTH] = octets.try_into().ok()?;
        Some(Self {
            salt: octets[..16].try_into().ok()?,
            iterations: u32::from_be_bytes(octets[16..20].try_into().ok()?),
            stored_key: octets[20..52].try_into().ok()?,
            server_key: octets[52..].try_into().ok()?,
        })
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.stored_key.zeroize();
        self.server_key.zeroize();
    }
}

impl ZeroizeOnDrop for Verifier {}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

pub(crate) fn salted(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut salted = [0; 32];
    let iterations = iterations.try_into().unwrap_or(NonZeroU32::MIN);
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, iterations, salt, password, &mut salted);
    salted
}

pub(crate) fn sign(key: &[u8], text: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let mut octets = [0; 32];
    octets.copy_from_slice(tag.as_ref());
    octets
}

pub(crate) fn hash(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_wiped_when_dropped() {
        fn is_wiped<T: ZeroizeOnDrop>(_: &T) {}
        let mut verifier = Verifier::new("pencil", [7; SALT], 4096);
        is_wiped(&verifier);
        is_wiped(&verifier.encode());
        verifier.stored_key.zeroize();
        assert_eq!(verifier.stored_key, [0; 32]);
    }
}
