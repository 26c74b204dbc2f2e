//! Email ids of outgoing messages, by which the relay recognises its own mail.
//!
//! An email id is the id of the transaction, a full stop, and a message authentication code
//! (HMAC-SHA-256, RFC 2104) made with a key of the [key ring](crate::Settings::key_ring):
//! `0197c1f2-8f6e-7b3a-9d51-3f0c6a2e4b17.c5tqkz4v7m2hbx3jyaor`. Anybody can repeat an id that they
//! have seen, but only this relay can make one. An id fits on one line with the name of its header
//! field, and stays valid in upper case, to which some gateways convert unknown fields.

use gatepost_message::TransactionId;
use ring::hmac;

use crate::random;

/// Alphabet of base 32 (RFC 4648 section 6): no two letters differ in case alone.
pub(crate) const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Length of the code, in characters of 5 bits: 100 bits, more than RFC 2104 section 5 asks for.
pub(crate) const CODE_LENGTH: usize = 20;

/// Issuer and verifier of email ids.
#[derive(Debug)]
pub(crate) struct EmailIds {
    /// HMAC keys, one for each key of the ring, oldest first.
    keys: Vec<hmac::Key>,
}

impl EmailIds {
    pub(crate) const PURPOSE: &str = "email ids";

    /// Length of an id in bytes: a UUID with its hyphens, the full stop and the code.
    pub(crate) const LENGTH: usize = 36 + 1 + CODE_LENGTH;

    pub(crate) fn new(keys: Vec<hmac::Key>) -> Self {
        Self { keys }
    }

    /// Uses a random key that is never stored, for a relay without a key ring.
    pub(crate) fn ephemeral() -> Self {
        let key = random::bytes::<32>().ok();
        let key = key.map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        Self::new(key.into_iter().collect())
    }

    /// Issues the email id of a transaction's message with the newest key. Without a key, the id is
    /// one that no relay recognises.
    pub(crate) fn issue(&self, transaction: TransactionId) -> String {
        let id = transaction.to_string();
        let code = match self.keys.last() {
            Some(key) => code(key, &id),
            None => "a".repeat(CODE_LENGTH),
        };
        format!("{id}.{code}")
    }

    /// Returns the transaction of an email id that was issued with any of the keys. Takes the same
    /// time for a nearly right code as for any other.
    pub(crate) fn verify(&self, email_id: &str) -> Option<TransactionId> {
        let email_id = email_id.trim().to_ascii_lowercase();
        let (id, given) = email_id.split_once('.')?;
        let transaction: TransactionId = id.parse().ok()?;
        // The code covers the canonical spelling of the transaction's id.
        let id = transaction.to_string();
        let mut issued = false;
        for key in &self.keys {
            issued |= is_equal(code(key, &id).as_bytes(), given.as_bytes());
        }
        issued.then_some(transaction)
    }
}

pub(crate) fn code(key: &hmac::Key, id: &str) -> String {
    let code = hmac::sign(key, id.as_bytes());
    let bytes = code.as_ref().iter().take(CODE_LENGTH);
    bytes
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

/// Compares two codes in constant time.
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).map(|(one, other)| one ^ other);
    one.len() == other.len() && differing.fold(0, |all, bits| all | bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    #[test]
    fn an_id_is_recognised_by_every_key_of_the_ring_and_by_no_other() {
        let transaction = TransactionId::new();
        let before = EmailIds::new(vec![key(1)]);
        let rotated = EmailIds::new(vec![key(1), key(2)]);
        let id = before.issue(transaction);
        assert_eq!(rotated.verify(&id), Some(transaction));
        assert_eq!(
            rotated.verify(&rotated.issue(transaction)),
            Some(transaction)
        );
        assert_eq!(before.verify(&rotated.issue(transaction)), None);
        assert_eq!(EmailIds::new(vec![key(3)]).verify(&id), None);
        let none = EmailIds::new(Vec::new());
        assert_eq!(none.verify(&none.issue(transaction)), None);
    }

    #[test]
    fn forged_ids_are_not_recognised() {
        let ids = EmailIds::new(vec![key(1)]);
        let transaction = TransactionId::new();
        let id = ids.issue(transaction);
        assert_eq!(id.len(), EmailIds::LENGTH);
        assert!(
            "X-Gatepost-Email-Id: ".len() + id.len() <= 78,
            "{id} makes its line too long"
        );
        assert_eq!(ids.verify(&id.to_uppercase()), Some(transaction));
        let other = ids.issue(TransactionId::new());
        let (name, code) = id.split_once('.').unwrap();
        for forged in [
            String::new(),
            name.to_owned(),
            format!("{name}."),
            format!("{name}.{}", &code[1..]),
            format!("{id}a"),
            format!("{name}.{}", other.split_once('.').unwrap().1),
            format!(".{code}"),
        ] {
            assert_eq!(ids.verify(&forged), None, "{forged}");
        }
    }
}
