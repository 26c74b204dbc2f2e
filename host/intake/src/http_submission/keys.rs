//! Keys by which programs may send a request again: it is answered as the first time, and its message
//! is accepted once.
//!
//! The answer to a request is in the store from the commit of its message on
//! ([`KeyedAnswers`](gatepost_spool::KeyedAnswers)). Until then its key is held in memory. It is held
//! until the commit is over, even if the program has gone meanwhile: then a request that comes again
//! finds the answer, or the key is free because nothing was stored. A message that is refused leaves
//! its key free.

use std::collections::HashSet;
use std::sync::Arc;

use gatepost_message::{Millis, TransactionId};
use gatepost_model::KeyedAnswer;
use gatepost_smtp::Reply;
use parking_lot::Mutex;

use super::HttpProgram;
use super::answer::AnswerToKeep;
use crate::pipeline::local_error;

/// Key of a request, with what tells the request from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionKey {
    key: String,
    request: [u8; 32],
}

impl SubmissionKey {
    /// Makes the key of a request that has this SHA-256. The same hash has to mean the same envelope
    /// and message. `None` if the key is empty or has more than
    /// [255 octets](KeyedAnswer::LONGEST_KEY).
    pub fn new(key: impl Into<String>, request: [u8; 32]) -> Option<Self> {
        let key = key.into();
        let fits = !key.is_empty() && key.len() <= KeyedAnswer::LONGEST_KEY;
        fits.then_some(Self { key, request })
    }

    /// Returns the key.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// Returns true if the answer is to the same request.
    pub(super) fn is_of(&self, answer: &KeyedAnswer) -> bool {
        self.request == answer.request
    }
}

/// Account, program and key.
type KeyOfProgram = (String, String, String);

/// Keys of the requests that are under way, of all programs.
#[derive(Debug, Default)]
pub struct KeysInHand {
    held: Mutex<HashSet<KeyOfProgram>>,
}

impl KeysInHand {
    /// Holds a key for a request; `None` if another request of the program holds it.
    pub(super) fn hold(
        self: &Arc<Self>,
        program: &HttpProgram,
        key: &SubmissionKey,
    ) -> Option<HeldKey> {
        let of = (
            program.account.clone(),
            program.token.clone(),
            key.key.clone(),
        );
        if !self.held.lock().insert(of.clone()) {
            return None;
        }
        Some(HeldKey(Arc::new(KeyHold {
            keys: Arc::clone(self),
            of,
            request: key.request,
        })))
    }
}

/// Key that is held for one request until all clones are dropped.
#[derive(Debug, Clone)]
pub(crate) struct HeldKey(Arc<KeyHold>);

#[derive(Debug)]
struct KeyHold {
    keys: Arc<KeysInHand>,
    of: KeyOfProgram,
    request: [u8; 32],
}

impl Drop for KeyHold {
    fn drop(&mut self) {
        self.keys.held.lock().remove(&self.of);
    }
}

impl AnswerToKeep {
    /// Returns the entry of the ledger for a message that is accepted at this time.
    ///
    /// # Errors
    /// It cannot be kept, so the message must not be accepted.
    pub(crate) fn at(&self, id: TransactionId, at: Millis) -> Result<KeyedAnswer, Reply> {
        let Some(answer) = self.json.clone() else {
            // RFC 3463: X.5.3, too many recipients.
            let text = "Too many recipients for a request with a key: send it in parts";
            return Err(Reply::new(554, "5.5.3", text));
        };
        let KeyHold { of, request, .. } = &*self.key.0;
        let (account, program, key) = of.clone();
        let kept = KeyedAnswer {
            account,
            program,
            key,
            request: *request,
            id,
            answer,
            at,
        };
        if kept.is_storable() {
            return Ok(kept);
        }
        tracing::error!(program = kept.program, "the name of a program is too long");
        Err(local_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(account: &str, token: &str) -> HttpProgram {
        HttpProgram {
            account: account.to_owned(),
            token: token.to_owned(),
        }
    }

    #[test]
    fn a_key_is_held_by_one_request_until_its_last_holder_ends() {
        let keys = Arc::new(KeysInHand::default());
        let key = SubmissionKey::new("order 4711", [7; 32]).unwrap();
        let acme = program("acme", "token");
        let first = keys.hold(&acme, &key).unwrap();
        let commit = first.clone();
        drop(first);
        assert!(keys.hold(&acme, &key).is_none());
        assert!(keys.hold(&program("acme", "other"), &key).is_some());
        assert!(keys.hold(&program("other", "token"), &key).is_some());
        drop(commit);
        assert!(keys.hold(&acme, &key).is_some());
        assert!(keys.held.lock().is_empty());
    }

    #[test]
    fn a_key_has_one_to_255_octets() {
        for (octets, fits) in [(0, false), (1, true), (255, true), (256, false)] {
            let key = SubmissionKey::new("k".repeat(octets), [0; 32]);
            assert_eq!(key.is_some(), fits, "{octets}");
        }
    }
}
