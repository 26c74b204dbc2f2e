//! Requests of the HTTP API that are kept under keys of their askers.

use gatepost_message::Millis;

use crate::kept_request::{KEPT_FOR, MOST};
use crate::{Directory, DirectoryChange, DirectoryError, KeptRequest, KnownRequest};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Records that a request begins, unless one was made under its key within a day. It is on disk
    /// before this returns.
    ///
    /// # Errors
    /// The store failed, or the answer that is recorded cannot be decrypted.
    pub fn begin_request(
        &self,
        token: &str,
        key: &str,
        digest: &str,
        now: Millis,
    ) -> Result<KnownRequest> {
        self.change(|_, state| {
            let since = Millis(now.0.saturating_sub(KEPT_FOR));
            let found = state.store.kept_request(token, key)?;
            let known = match found.filter(|found| found.at > since) {
                Some(found) if found.digest != digest => KnownRequest::Other,
                Some(KeptRequest {
                    answer: Some(answer),
                    ..
                }) => {
                    let answer = state.ring.open_answer(&row_of(token, key), &answer)?;
                    KnownRequest::Answered(answer.to_vec())
                }
                Some(found) => KnownRequest::Begun(found.at),
                None if state.store.kept_requests_since(token, since)? >= MOST => {
                    KnownRequest::TooMany { limit: MOST }
                }
                None => KnownRequest::New,
            };
            let changes = match known {
                KnownRequest::New => vec![DirectoryChange::KeepRequest(Box::new(KeptRequest {
                    token: token.to_owned(),
                    key: key.to_owned(),
                    at: now,
                    digest: digest.to_owned(),
                    answer: None,
                }))],
                _ => Vec::new(),
            };
            Ok::<_, DirectoryError>((known, changes))
        })
    }

    /// Records the answer to a request that has begun, encrypted.
    ///
    /// # Errors
    /// The store failed, or there is no randomness.
    pub fn record_answer(
        &self,
        token: &str,
        key: &str,
        digest: &str,
        at: Millis,
        answer: &[u8],
    ) -> Result<()> {
        self.change(|_, state| {
            let answer = state.ring.seal_answer(&row_of(token, key), answer)?;
            let kept = KeptRequest {
                token: token.to_owned(),
                key: key.to_owned(),
                at,
                digest: digest.to_owned(),
                answer: Some(answer),
            };
            let changes = vec![DirectoryChange::KeepRequest(Box::new(kept))];
            Ok::<_, DirectoryError>(((), changes))
        })
    }

    /// Forgets a request that was refused, so that its key may be used again.
    ///
    /// # Errors
    /// The store failed.
    pub fn forget_request(&self, token: &str, key: &str) -> Result<()> {
        let (token, key) = (token.to_owned(), key.to_owned());
        self.change(|_, _| {
            let changes = vec![DirectoryChange::ForgetRequest { token, key }];
            Ok::<_, DirectoryError>(((), changes))
        })
    }

    /// Forgets the requests that were kept for a day.
    ///
    /// # Errors
    /// The store failed.
    pub fn expire_requests(&self, now: Millis) -> Result<()> {
        let before = Millis(now.0.saturating_sub(KEPT_FOR));
        self.change(|_, _| {
            let changes = vec![DirectoryChange::ForgetRequests(before)];
            Ok::<_, DirectoryError>(((), changes))
        })
    }
}

/// Returns the name of a row that an answer is encrypted for. No id of a token has a space.
fn row_of(token: &str, key: &str) -> String {
    format!("{token} {key}")
}
