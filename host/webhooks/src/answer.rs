//! Answers of endpoints, and what follows from them.

use std::time::Duration;

use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use tokio::time::timeout;

use crate::batch::EventBatch;
use crate::{LastAnswer, WebhookSettings};

/// Most bytes of an answer that are read.
const ANSWER: usize = 4096;

/// Longest text that is kept of an answer, in characters.
const LONGEST_WORDS: usize = 200;

/// Longest wait that an endpoint may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Consequence of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerVerdict {
    /// The events are taken.
    Taken,
    /// The same again, after the time that the endpoint names or else the webhook's wait.
    Again(Option<Duration>),
    /// The endpoint is gone.
    Gone,
}

/// Posts a batch once.
pub(crate) async fn post(
    client: &HttpClient,
    settings: &WebhookSettings,
    batch: &EventBatch,
    now: Millis,
) -> (AnswerVerdict, LastAnswer) {
    let answer = |status: Option<StatusCode>, words: &str| LastAnswer {
        at: now,
        status: status.map(|status| status.as_u16()),
        words: printable(words),
    };
    let request = match batch.request(settings, now) {
        Ok(request) => request,
        Err(error) => return (AnswerVerdict::Again(None), answer(None, &error.to_string())),
    };
    let exchange = async {
        let received = client.send(request).await?;
        let (status, wait) = (received.status(), retry_after(&received, now));
        // The status decides; an answer that is longer, or breaks off, has no words.
        let words = received.body(ANSWER).await.unwrap_or_default();
        Ok((status, wait, words))
    };
    match timeout(settings.timeout, exchange).await {
        Ok(Ok((status, wait, words))) => {
            let verdict = match status {
                _ if status.is_success() => AnswerVerdict::Taken,
                StatusCode::GONE => AnswerVerdict::Gone,
                _ => AnswerVerdict::Again(wait),
            };
            let words = String::from_utf8_lossy(&words);
            (verdict, answer(Some(status), &words))
        }
        Ok(Err(error)) => {
            let error: gatepost_http_client::HttpError = error;
            (AnswerVerdict::Again(None), answer(None, &error.to_string()))
        }
        Err(_) => (
            AnswerVerdict::Again(None),
            answer(None, "no answer in time"),
        ),
    }
}

/// Returns the wait that an answer asks for (RFC 9110 section 10.2.3).
fn retry_after(answer: &gatepost_http_client::Answer, now: Millis) -> Option<Duration> {
    answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| wait(value, now))
}

/// Reads Retry-After, in seconds or as a date.
fn wait(value: &HeaderValue, now: Millis) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?;
            let date = u64::try_from(date.timestamp().as_millisecond()).ok()?;
            Millis(date).since(now)
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Returns a text in printable characters, cut at the bound.
fn printable(words: &str) -> String {
    let plain = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    let words: String = plain.take(LONGEST_WORDS).collect();
    words.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Millis(784_111_777_000);
        for (text, seconds) in [
            ("120", Some(120)),
            ("86400", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let value = HeaderValue::from_str(text).unwrap();
            assert_eq!(
                wait(&value, now),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
