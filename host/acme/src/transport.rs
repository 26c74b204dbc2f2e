//! Requests to the authority, by the relay's own client.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use gatepost_http_client::HttpClient;
use http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use instant_acme::{BodyWrapper, BytesResponse, Error};
use parking_lot::Mutex;
use tokio::time::timeout;

use crate::AcmeError;

/// Longest answer, in octets: chains have a few kilobytes.
const ANSWER: usize = 256 << 10;

/// Longest time for one answer.
const TIME: Duration = Duration::from_secs(30);

/// Client of one order. Clones share what they have heard.
#[derive(Clone)]
pub(crate) struct AcmeTransport {
    client: HttpClient,
    demanded: Arc<Mutex<Option<Duration>>>,
}

impl AcmeTransport {
    pub(crate) fn new(client: HttpClient) -> Self {
        Self {
            client,
            demanded: Arc::default(),
        }
    }

    /// Returns the wait that the authority demanded with its last refusal.
    pub(crate) fn demanded(&self) -> Option<Duration> {
        *self.demanded.lock()
    }

    async fn send(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, AcmeError> {
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let request = Request::from_parts(parts, body.to_bytes());
        let unreachable = |error: gatepost_http_client::HttpError| {
            AcmeError::Unreachable(crate::error::bounded(&error.to_string()))
        };
        let answer = self.client.send(request).await.map_err(unreachable)?;
        let (status, fields) = (answer.status(), answer.headers().clone());
        let body = answer.body(ANSWER).await.map_err(unreachable)?;
        if !status.is_success() {
            if let Some(wait) = retry_after(&fields, SystemTime::now()) {
                *self.demanded.lock() = Some(wait);
            }
            let kind = fields.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            if !kind.is_some_and(|kind| kind.starts_with("application/problem+json")) {
                // A proxy on the way, or a server that is being repaired.
                return Err(AcmeError::Unreachable(format!("it answers with {status}")));
            }
        }
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = fields;
        Ok(BytesResponse {
            parts: response.into_parts().0,
            body: Box::new(body),
        })
    }
}

impl instant_acme::HttpClient for AcmeTransport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let sent = self.clone().send(request);
        Box::pin(async move {
            let late = || AcmeError::Unreachable("no answer in time".to_owned());
            let answer = timeout(TIME, sent).await.map_err(|_| late());
            let answer = answer.and_then(std::convert::identity);
            answer.map_err(|error| Error::Other(Box::new(error)))
        })
    }
}

/// Returns the wait that an answer asks for: seconds, or a date (RFC 9110 section 10.2.3).
fn retry_after(fields: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = fields.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    SystemTime::from(date).duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds_or_by_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, wait) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", None),
            ("soon", None),
        ] {
            let fields = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            let wait = wait.map(Duration::from_secs);
            assert_eq!(retry_after(&fields, now), wait, "{text}");
        }
    }
}
