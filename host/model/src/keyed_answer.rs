//! Answers to requests that a program may send again: each is found by the key that it chose.

use gatepost_message::{Millis, TransactionId};
use serde::{Deserialize, Serialize};

/// Answer to a program that handed in a message under a key of its own. Whoever sends the same
/// request again gets this answer, and no second message.
///
/// There is one for each account, program and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyedAnswer {
    /// Account in whose name the message was handed in.
    pub account: String,
    /// Program that handed it in: the id of its token.
    pub program: String,
    /// Key that the program chose for its request.
    pub key: String,
    /// SHA-256 of the request, which tells the same request from another under the same key.
    pub request: [u8; 32],
    /// Message that was accepted.
    pub id: TransactionId,
    /// Answer to the program, as JSON.
    pub answer: String,
    /// Time of the answer.
    pub at: Millis,
}

impl KeyedAnswer {
    /// Most octets of the name of a program.
    pub const LONGEST_PROGRAM: usize = 64;

    /// Most octets of a key.
    pub const LONGEST_KEY: usize = 255;

    /// Most octets of an answer: one that names a thousand recipients by addresses of the longest
    /// kind still fits.
    pub const LONGEST_ANSWER: usize = 512 << 10;

    /// Returns true if it can be stored: no text is empty or too long.
    pub fn is_storable(&self) -> bool {
        let fits = |text: &str, longest: usize| !text.is_empty() && text.len() <= longest;
        fits(&self.program, Self::LONGEST_PROGRAM)
            && fits(&self.key, Self::LONGEST_KEY)
            && fits(&self.answer, Self::LONGEST_ANSWER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(program: usize, key: usize, answer: usize) -> KeyedAnswer {
        KeyedAnswer {
            account: "acme".to_owned(),
            program: "p".repeat(program),
            key: "k".repeat(key),
            request: [7; 32],
            id: TransactionId::new(),
            answer: "a".repeat(answer),
            at: Millis(1),
        }
    }

    #[test]
    fn texts_are_storable_up_to_their_bounds() {
        assert!(answer(64, 255, 512 << 10).is_storable());
        for (program, key, text) in [
            (65, 1, 1),
            (1, 256, 1),
            (1, 1, (512 << 10) + 1),
            (0, 1, 1),
            (1, 0, 1),
            (1, 1, 0),
        ] {
            assert!(!answer(program, key, text).is_storable(), "{program} {key}");
        }
    }
}
