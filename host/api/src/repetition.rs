//! Requests under a key of their asker (`Idempotency-Key`): a repetition is answered as the first one
//! was, and not executed.
//!
//! That a request begins is on disk before it is executed, and its answer, encrypted, before it is
//! sent. A crash in between leaves a request that was begun and has no answer: nobody knows whether it
//! was executed, so a repetition is told that, and is never executed.

use std::collections::HashSet;
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gatepost_directory::{Directory, DirectoryError, KnownRequest};
use gatepost_message::Millis;
use gatepost_operations::{Code, ErrorKind, OperationError};
use http::HeaderMap;
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};

use crate::answer::AnsweredRequest;
use crate::fields::FieldError;
use crate::problem::ApiProblem;
use crate::route::{ApiRoute, HttpMethod};

/// Name of the field.
pub(crate) const FIELD: &str = "Idempotency-Key";

/// Most characters of a key.
const LONGEST: usize = 255;

/// Reads the key of a request; `None` if it has none.
///
/// # Errors
/// It is no key.
pub(crate) fn key_of(headers: &HeaderMap) -> Result<Option<String>, FieldError> {
    let mut given = headers.get_all(FIELD).iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default().trim();
    // A string of structured fields (RFC 9651 section 3.3.3), or the bare key.
    let bare = key.strip_prefix('"').and_then(|of| of.strip_suffix('"'));
    let key = bare.unwrap_or(key);
    let is_key = (1..=LONGEST).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if !is_key || given.next().is_some() {
        let text = format_args!("it is one key of 1 to {LONGEST} visible ASCII characters");
        return Err(FieldError::new(text).of(FIELD));
    }
    Ok(Some(key.to_owned()))
}

/// Requests under keys that are executed now, by token and key.
pub(crate) type UnderWay = Arc<Mutex<HashSet<(String, String)>>>;

/// Key of a request, with what tells it from another one.
#[derive(Debug, Clone)]
pub(crate) struct RequestKey {
    token: String,
    key: String,
    digest: String,
}

impl RequestKey {
    /// Reads the key of a request for a route; `None` if it has none.
    ///
    /// # Errors
    /// It is no key.
    pub(crate) fn read(
        route: &ApiRoute,
        headers: &HeaderMap,
        token: &str,
        request: &str,
    ) -> Result<Option<Self>, FieldError> {
        let Some(key) = key_of(headers)? else {
            return Ok(None);
        };
        if route.method != HttpMethod::Post {
            let text = "this request may be repeated without a key";
            return Err(FieldError::new(text).of(FIELD));
        }
        Ok(Some(Self {
            token: token.to_owned(),
            key,
            digest: URL_SAFE_NO_PAD.encode(digest(&SHA256, request.as_bytes())),
        }))
    }

    /// Executes a request once, or returns the answer to the first one under its key.
    ///
    /// # Errors
    /// Another request was made under the key, it is under way, its outcome is unknown, or those of
    /// the request.
    pub(crate) async fn execute(
        self,
        directory: &Arc<Directory>,
        under_way: &UnderWay,
        execute: impl Future<Output = Result<AnsweredRequest, ApiProblem>>,
    ) -> Result<AnsweredRequest, ApiProblem> {
        let _turn = Turn::take(under_way, &self)?;
        let asked = self.clone();
        let begin = move |directory: &Directory| {
            directory.begin_request(&asked.token, &asked.key, &asked.digest, Millis::now())
        };
        match blocking(directory, begin).await? {
            KnownRequest::New => {}
            KnownRequest::Answered(answer) => {
                let read = serde_json::from_slice(&answer);
                return Ok(read.map_err(|error| OperationError::new(Code::StoreDamaged, error))?);
            }
            KnownRequest::Begun(at) => {
                let text = format!(
                    "a request under this key was begun at {at}, and the relay ended before it \
                     recorded what became of it"
                );
                return Err(ApiProblem::new(Code::OutcomeUnknown, text));
            }
            KnownRequest::Other => {
                let text = "another request was made under this key within a day";
                return Err(ApiProblem::new(Code::KeyReused, text));
            }
            KnownRequest::TooMany { limit } => {
                let text = format!("{limit} requests of the token are kept under keys already");
                return Err(ApiProblem::new(Code::TooManyKeys, text));
            }
        }
        let executed = execute.await;
        match &executed {
            Ok(answered) => self.record(directory, answered).await?,
            // It may have been done in part.
            Err(problem) if problem.code().kind() == ErrorKind::Internal => {}
            // Nothing was done: the same request may be made again.
            Err(_) => {
                let forget =
                    move |directory: &Directory| directory.forget_request(&self.token, &self.key);
                blocking(directory, forget).await?;
            }
        }
        executed
    }

    async fn record(
        &self,
        directory: &Arc<Directory>,
        answered: &AnsweredRequest,
    ) -> Result<(), ApiProblem> {
        let answer = serde_json::to_vec(answered);
        let answer = answer.map_err(|error| OperationError::new(Code::Internal, error))?;
        let Self { token, key, digest } = self.clone();
        let record = move |directory: &Directory| {
            directory.record_answer(&token, &key, &digest, Millis::now(), &answer)
        };
        blocking(directory, record).await
    }
}

/// Turn of a request under a key, which others under the same key do not get meanwhile.
struct Turn {
    under_way: UnderWay,
    of: (String, String),
}

impl Turn {
    fn take(under_way: &UnderWay, key: &RequestKey) -> Result<Self, ApiProblem> {
        let of = (key.token.clone(), key.key.clone());
        if !under_way.lock().insert(of.clone()) {
            let text = "a request under this key is being executed";
            return Err(ApiProblem::new(Code::UnderWay, text));
        }
        Ok(Self {
            under_way: Arc::clone(under_way),
            of,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.of);
    }
}

async fn blocking<T: Send + 'static>(
    directory: &Arc<Directory>,
    work: impl FnOnce(&Directory) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, ApiProblem> {
    let directory = Arc::clone(directory);
    let done = tokio::task::spawn_blocking(move || work(&directory)).await;
    Ok(done
        .map_err(OperationError::from)?
        .map_err(OperationError::from)?)
}
