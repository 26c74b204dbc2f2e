//! The ids of messages that we send, by which we know what comes back.
//!
//! An id is that of the transaction, a full stop, and a message authentication code
//! (HMAC-SHA-256, RFC 2104) made with a key of the [key ring](crate::Settings::key_ring):
//! `0197c1f2-8f6e-7b3a-9d51-3f0c6a2e4b17.c5tqkz4v7m2hbx3jyaor`. Whoever has seen one can repeat it,
//! but nobody else can make one. It is short enough to stand on one line with the name of its
//! header, and means the same in upper case, which some gateways make of what they do not know.

use gatepost_message::TransactionId;
use ring::hmac;

use crate::random;

/// As in base 32 (RFC 4648 section 6): no two letters that differ in case alone.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Characters of the code, each of 5 bits: 100 bits, more than RFC 2104 section 5 asks for.
const CODE: usize = 20;

/// Issues ids and knows them again.
#[derive(Debug)]
pub(crate) struct EmailIds {
    /// One for each key of the ring, oldest first.
    keys: Vec<hmac::Key>,
}

impl EmailIds {
    pub(crate) const PURPOSE: &str = "email ids";

    /// Octets of an id: a UUID with its hyphens, the full stop and the code.
    pub(crate) const LENGTH: usize = 36 + 1 + CODE;

    pub(crate) fn new(keys: Vec<hmac::Key>) -> Self {
        Self { keys }
    }

    /// With a key that is forgotten with them, where there is no key ring.
    pub(crate) fn alone() -> Self {
        let key = random::octets::<32>().ok();
        let key = key.map(|octets| hmac::Key::new(hmac::HMAC_SHA256, &octets));
        Self::new(key.into_iter().collect())
    }

    /// The id of a transaction's message, by the newest key. Without any, an id that nobody knows
    /// again.
    pub(crate) fn of(&self, transaction: TransactionId) -> String {
        let id = transaction.to_string();
        let code = match self.keys.last() {
            Some(key) => code(key, &id),
            None => "a".repeat(CODE),
        };
        format!("{id}.{code}")
    }

    /// The transaction whose id this is, if it was issued with any of the keys. Takes as long for
    /// a code that is nearly right as for any other.
    pub(crate) fn transaction(&self, email_id: &str) -> Option<TransactionId> {
        let email_id = email_id.trim().to_ascii_lowercase();
        let (id, given) = email_id.split_once('.')?;
        let transaction: TransactionId = id.parse().ok()?;
        // In one spelling alone: the one that was issued.
        let id = transaction.to_string();
        let mut issued = false;
        for key in &self.keys {
            issued |= same(code(key, &id).as_bytes(), given.as_bytes());
        }
        issued.then_some(transaction)
    }
}

fn code(key: &hmac::Key, id: &str) -> String {
    let code = hmac::sign(key, id.as_bytes());
    let octets = code.as_ref().iter().take(CODE);
    octets
        .map(|octet| char::from(ALPHABET[usize::from(octet % 32)]))
        .collect()
}

/// Compares without telling by the time how far two codes agree.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).map(|(one, other)| one ^ other);
    one.len() == other.len() && differing.fold(0, |all, bits| all | bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(octet: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[octet; 32])
    }

    #[test]
    fn an_id_is_known_by_every_key_of_the_ring_and_by_no_other() {
        let transaction = TransactionId::new();
        let before = EmailIds::new(vec![key(1)]);
        let rotated = EmailIds::new(vec![key(1), key(2)]);
        let id = before.of(transaction);
        assert_eq!(rotated.transaction(&id), Some(transaction));
        assert_eq!(
            rotated.transaction(&rotated.of(transaction)),
            Some(transaction)
        );
        assert_eq!(before.transaction(&rotated.of(transaction)), None);
        assert_eq!(EmailIds::new(vec![key(3)]).transaction(&id), None);
        let none = EmailIds::new(Vec::new());
        assert_eq!(none.transaction(&none.of(transaction)), None);
    }

    #[test]
    fn what_was_not_issued_is_not_known() {
        let ids = EmailIds::new(vec![key(1)]);
        let transaction = TransactionId::new();
        let id = ids.of(transaction);
        assert_eq!(id.len(), EmailIds::LENGTH);
        assert!(
            "X-Gatepost-Email-Id: ".len() + id.len() <= 78,
            "{id} makes its line too long"
        );
        assert_eq!(ids.transaction(&id.to_uppercase()), Some(transaction));
        let other = ids.of(TransactionId::new());
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
            assert_eq!(ids.transaction(&forged), None, "{forged}");
        }
    }
}
