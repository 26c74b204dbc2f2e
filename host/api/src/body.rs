//! Bodies of requests: JSON objects, bounded in size and time.

use std::time::Duration;

use axum::body::Body;
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

/// Reads the members of a body. An empty body has none.
///
/// # Errors
/// The body is too large (413), too slow (408), of another media type (415), or no JSON object (400).
pub(crate) async fn members(
    headers: &HeaderMap,
    body: Body,
) -> Result<Map<String, Value>, ApiProblem> {
    let read = timeout(PATIENCE, Limited::new(body, MOST).collect()).await;
    let read = read.map_err(|_| {
        let text = format!(
            "the body did not come within {} seconds",
            PATIENCE.as_secs()
        );
        ApiProblem::new(Code::TooSlow, text)
    })?;
    let bytes = read.map_err(|error| match error.is::<LengthLimitError>() {
        true => ApiProblem::new(Code::TooLarge, format!("a body has at most {MOST} bytes")),
        false => ApiProblem::new(Code::NotUnderstood, "the body broke off"),
    })?;
    let bytes = bytes.to_bytes();
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
