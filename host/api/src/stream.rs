//! Events as they happen: server-sent events (WHATWG HTML section 9.2).
//!
//! The id of each is its number, so that a client that comes again with `Last-Event-ID` misses none.
//! While nothing happens, a comment says that the relay is there. A stream ends when the relay stops,
//! when its token is no longer in force, and with its connection.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use gatepost_directory::{ApiToken, Directory};
use gatepost_http_server::HttpClientFacts;
use gatepost_message::Millis;
use gatepost_operations::{Asker, Code, RequestHandler};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Response};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::fields::{FieldError, RequestFields};
use crate::problem::ApiProblem;
use crate::route::ApiRoute;

/// Name of the field with the number of the last event that a client has seen.
pub(crate) const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Most events that are sent at once.
const AT_ONCE: u64 = 100;

/// Most streams at a time.
pub(crate) const MOST_STREAMS: usize = 64;

/// Stream of events to one client.
pub(crate) struct EventStream {
    pub(crate) route: &'static ApiRoute,
    pub(crate) handler: RequestHandler,
    pub(crate) directory: Arc<Directory>,
    pub(crate) token: ApiToken,
    pub(crate) fields: RequestFields,
    /// Number of the last event that the client has.
    pub(crate) after: u64,
    pub(crate) client: HttpClientFacts<()>,
    /// Place among all streams, for as long as this one lives.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// Returns the number after which a stream begins: that of the client's last event, that of a cursor,
/// or that of the newest event.
///
/// # Errors
/// It is no number.
pub(crate) fn beginning(
    headers: &HeaderMap,
    fields: &RequestFields,
    newest: u64,
) -> Result<u64, FieldError> {
    let Some(last) = headers.get(LAST_EVENT_ID) else {
        return Ok(fields.number("after").unwrap_or(newest));
    };
    let last = last.to_str().ok().and_then(|of| of.trim().parse().ok());
    last.ok_or_else(|| FieldError::new("it is the number of an event").of(LAST_EVENT_ID))
}

impl EventStream {
    /// Returns the response, whose body ends with the stream.
    pub(crate) fn response(self) -> Response<Body> {
        // At once, so that the client knows that the stream has begun.
        let opened = stream::once(async { Ok(Bytes::from_static(b": events\n\n")) });
        let events = stream::unfold(self, |mut stream| async move {
            let text = stream.next().await?;
            Some((Ok::<_, std::io::Error>(Bytes::from(text)), stream))
        });
        let body = Body::from_stream(stream::StreamExt::chain(opened, events));
        let mut response = Response::new(body);
        let kind = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }

    /// Waits for the next events, and returns them as text; `None` when the stream ends.
    async fn next(&mut self) -> Option<String> {
        if !self.is_in_force() {
            return None;
        }
        let mut fields = self.fields.clone();
        fields.set("after", self.after.into());
        fields.set("limit", AT_ONCE.into());
        fields.set("wait", true.into());
        let asker = Asker::of_token(&self.token);
        let read = (self.route.execute)(&self.handler, fields, &asker);
        let answer = tokio::select! {
            answer = read => answer,
            () = self.client.closing() => return None,
        };
        let answer = answer.inspect_err(|problem| {
            tracing::warn!(code = %problem.code(), "a stream of events breaks off");
        });
        let answer = answer.ok()?;
        self.after = answer["next"].as_u64()?;
        let events = answer["events"].as_array()?;
        if events.is_empty() {
            return Some(": nothing new\n\n".to_owned());
        }
        let mut text = String::new();
        for event in events {
            push(&mut text, event);
        }
        Some(text)
    }

    fn is_in_force(&self) -> bool {
        let view = self.directory.view();
        let token = view.api_token(&self.token.id).map(|of| &of.token);
        let now = Millis::now();
        token.is_some_and(|token| token.expires.is_none_or(|expires| expires > now))
    }
}

/// Appends an event. JSON has no line ends of its own.
fn push(text: &mut String, event: &Value) {
    if let Some(id) = event["seq"].as_u64() {
        let _ = writeln!(text, "id: {id}");
    }
    if let Some(kind) = event["kind"].as_str() {
        let _ = writeln!(text, "event: {kind}");
    }
    let _ = write!(text, "data: {event}\n\n");
}

/// Refuses a stream too many.
pub(crate) fn too_many() -> ApiProblem {
    let text = format!("the relay sends {MOST_STREAMS} streams at a time");
    ApiProblem::new(Code::Overloaded, text)
}
