//! Bodies of requests: JSON objects, bounded in size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use gatepost_operations::Code;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::problem::ApiProblem;

/// Most bytes of a body.
pub(crate) const MOST: usize = 4 << 20;

/// Longest time for a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a body whole, of so many bytes at most, if it comes within this time.
///
/// # Errors
/// The body is too large (413), too slow (408), or breaks off (400).
pub(crate) async fn read(body: Body, most: usize, patience: Duration) -> Result<Bytes, ApiProblem> {
    let read = timeout(patience, Limited::new(body, most).collect()).await;
    let read = read.map_err(|_| {
        let text = format!(
            "the body did not come within {} seconds",
            patience.as_secs()
        );
        ApiProblem::new(Code::TooSlow, text)
    })?;
    let read = read.map_err(|error| match error.is::<LengthLimitError>() {
        true => too_large(most),
        false => ApiProblem::new(Code::NotUnderstood, "the body broke off"),
    })?;
    Ok(read.to_bytes())
}

/// Refuses a body of more bytes than these.
pub(crate) fn too_large(most: usize) -> ApiProblem {
    let text = format!("a body has at most {most} bytes here");
    ApiProblem::new(Code::TooLarge, text)
}

/// Reads the members of a body. An empty body has none.
///
/// # Errors
/// Those of [`read`]; or the body is of another media type (415), or no JSON object (400).
pub(crate) async fn members(
    headers: &HeaderMap,
    body: Body,
) -> Result<Map<String, Value>, ApiProblem> {
    let bytes = read(body, MOST, PATIENCE).await?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !is_json(headers) {
        return Err(ApiProblem::new(
            Code::NotJson,
            "the body is not JSON by its media type",
        ));
    }
    let parsed = serde_json::from_slice(&bytes).map_err(|error| {
        let text = format!("the body is no JSON: {error}");
        ApiProblem::new(Code::NotUnderstood, text)
    })?;
    match parsed {
        Value::Object(members) => Ok(members),
        _ => Err(ApiProblem::new(
            Code::NotUnderstood,
            "the body is no JSON object",
        )),
    }
}

/// Returns true if the media type is `application/json`, with whatever parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|of| of.to_str().ok());
    let essence = given.and_then(|of| of.split(';').next());
    essence.is_some_and(|of| of.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http::StatusCode;

    use super::*;

    /// Reads a body of four bytes at most.
    async fn status_of(body: Body, patience: Duration) -> StatusCode {
        let read = read(body, 4, patience).await;
        read.map_or_else(|problem| problem.status(), |_| StatusCode::OK)
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_in_time_is_too_slow() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let status = status_of(never, Duration::from_millis(1)).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_is_whole_and_within_its_bound_or_refused() {
        let broken = stream::iter([Ok(Bytes::from("ab")), Err(std::io::Error::other("gone"))]);
        for (body, expected) in [
            (Body::from("abcd"), StatusCode::OK),
            (Body::from("abcde"), StatusCode::PAYLOAD_TOO_LARGE),
            (Body::from_stream(broken), StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(status_of(body, PATIENCE).await, expected);
        }
    }
}
