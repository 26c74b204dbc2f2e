//! Batches of events, and their requests.

use bytes::Bytes;
use gatepost_application::sign;
use gatepost_message::Millis;
use gatepost_model::StoredEvent;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request};
use serde::Serialize;

use crate::{BatchedEvents, WebhookSettings};

/// Events of one request: at least one.
#[derive(Debug)]
pub(crate) struct EventBatch {
    /// Id of the request, the same for each try.
    pub(crate) id: String,
    /// Numbers of the events.
    pub(crate) events: BatchedEvents,
    body: Bytes,
}

/// Body of a request, in the form that Standard Webhooks recommends.
#[derive(Serialize)]
struct BatchBody<'a> {
    r#type: &'static str,
    /// Time of the last event, so that each try has the same body.
    timestamp: String,
    data: &'a [StoredEvent],
}

impl EventBatch {
    /// Makes a batch of events; `None` of none.
    pub(crate) fn of(events: &[StoredEvent]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        let body = BatchBody {
            r#type: "events",
            timestamp: last.event.at.to_string(),
            data: events,
        };
        let body = serde_json::to_vec(&body).unwrap_or_else(|error| {
            // Plain data with text as its keys.
            unreachable!("an event is always JSON: {error}")
        });
        Some(Self {
            // Between two numbers there are always the same events.
            id: format!("events_{}_{}_{}", first.seq, last.seq, events.len()),
            events: BatchedEvents {
                first: first.seq,
                last: last.seq,
                count: events.len() as u64,
            },
            body: body.into(),
        })
    }

    /// Makes a request, signed now.
    ///
    /// # Errors
    /// The URL or the signature does not fit into a request.
    pub(crate) fn request(
        &self,
        settings: &WebhookSettings,
        now: Millis,
    ) -> Result<Request<Bytes>, http::Error> {
        let timestamp = now.0 / 1000;
        let body = [Ok::<_, std::convert::Infallible>(&self.body)];
        let signature = match sign(&settings.secrets, &self.id, timestamp, body) {
            Ok(signature) => signature,
            Err(never) => match never {},
        };
        Request::post(settings.url.uri().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", HeaderValue::try_from(signature)?)
            .body(self.body.clone())
    }
}
