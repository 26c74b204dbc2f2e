//! Tokens of return paths, by which a report that comes back proves which message it is about.
//!
//! A token is the id of the transaction in base 32 and a message authentication code (HMAC-SHA-256,
//! RFC 2104) made with a key of the [key ring](crate::Settings::key_ring). Anybody who got the
//! message can repeat its token, but only this relay can make one. The id holds the time at which
//! the message was accepted, so a token needs no end of its life in it. Case does not matter: some
//! servers change it in local parts.

use gatepost_message::TransactionId;
use ring::hmac;

use crate::email_id::{ALPHABET, CODE_LENGTH, code, is_equal};

/// Length of an id of 128 bits, in characters of 5 bits.
const ID_LENGTH: usize = 26;

/// Issuer and verifier of tokens.
#[derive(Debug)]
pub(crate) struct ReturnTokens {
    /// HMAC keys, one for each key of the ring, oldest first.
    keys: Vec<hmac::Key>,
}

impl ReturnTokens {
    pub(crate) const PURPOSE: &str = "return paths";

    /// Length of a token in bytes. With the two octets before it, it is a local part of less than
    /// 64 (RFC 5321 section 4.5.3.1.1).
    pub(crate) const LENGTH: usize = ID_LENGTH + CODE_LENGTH;

    pub(crate) fn new(keys: Vec<hmac::Key>) -> Self {
        Self { keys }
    }

    /// Issues the token of a transaction's message; `None` without a key. It is the same each time
    /// until the ring gets a new key, so that greylisting ends.
    pub(crate) fn issue(&self, transaction: TransactionId) -> Option<String> {
        let key = self.keys.last()?;
        let id = written(transaction);
        let code = code(key, &id);
        Some(format!("{id}{code}"))
    }

    /// Returns true if a text has the form of a token.
    pub(crate) fn is_like(text: &str) -> bool {
        let letters = |byte: u8| ALPHABET.contains(&byte.to_ascii_lowercase());
        text.len() == Self::LENGTH && text.bytes().all(letters)
    }

    /// Returns the transaction of a token that was issued with any of the keys. Takes the same time
    /// for a nearly right code as for any other.
    pub(crate) fn verify(&self, token: &str) -> Option<TransactionId> {
        if !Self::is_like(token) {
            return None;
        }
        let token = token.to_ascii_lowercase();
        let (id, given) = token.split_at_checked(ID_LENGTH)?;
        let mut issued = false;
        for key in &self.keys {
            issued |= is_equal(code(key, id).as_bytes(), given.as_bytes());
        }
        issued.then(|| read(id)).flatten()
    }
}

/// Writes an id in base 32 (RFC 4648 section 6), without padding.
fn written(transaction: TransactionId) -> String {
    let bits = u128::from_be_bytes(transaction.octets());
    let digits = (0..ID_LENGTH).rev().map(|place| {
        // The first digit has the upper 3 bits: 26 digits of 5 bits are 130.
        let digit = usize::try_from((bits >> (5 * place)) & 31).unwrap_or_default();
        char::from(ALPHABET.get(digit).copied().unwrap_or(b'a'))
    });
    digits.collect()
}

fn read(id: &str) -> Option<TransactionId> {
    let mut bits: u128 = 0;
    for byte in id.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        bits = bits.checked_mul(32)?.checked_add(digit as u128)?;
    }
    TransactionId::from_octets(bits.to_be_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    #[test]
    fn a_token_is_recognised_by_every_key_of_the_ring_and_by_no_other() {
        let transaction = TransactionId::new();
        let before = ReturnTokens::new(vec![key(1)]);
        let rotated = ReturnTokens::new(vec![key(1), key(2)]);
        let token = before.issue(transaction).unwrap();
        assert_eq!(before.issue(transaction).as_ref(), Some(&token));
        assert_eq!(token.len(), ReturnTokens::LENGTH);
        assert!("b+".len() + token.len() <= 64, "{token}");
        assert_eq!(rotated.verify(&token), Some(transaction));
        assert_eq!(rotated.verify(&token.to_uppercase()), Some(transaction));
        let newer = rotated.issue(transaction).unwrap();
        assert_eq!(rotated.verify(&newer), Some(transaction));
        assert_eq!(before.verify(&newer), None);
        assert_eq!(ReturnTokens::new(vec![key(3)]).verify(&token), None);
        assert_eq!(ReturnTokens::new(Vec::new()).issue(transaction), None);
    }

    #[test]
    fn no_changed_character_is_recognised() {
        let tokens = ReturnTokens::new(vec![key(1)]);
        let token = tokens.issue(TransactionId::new()).unwrap();
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'q' { b'r' } else { b'q' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(tokens.verify(&forged), None, "{forged}");
        }
        for forged in ["", "a", &token[1..], &format!("{token}a"), "é"] {
            assert_eq!(tokens.verify(forged), None, "{forged}");
        }
    }
}
