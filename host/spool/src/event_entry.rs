//! Events as the store keeps them.

use std::sync::Arc;

use gatepost_model::Event;
use serde::Deserialize;

/// Event with its texts cut to their bounds, and its JSON. The JSON is made once, by whoever hands
/// the event in, and not by the store's writer: the journal and the table hold the same text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Event")]
pub(crate) struct EventEntry(Arc<Encoded>);

#[derive(Debug, PartialEq, Eq)]
struct Encoded {
    event: Event,
    json: String,
}

impl EventEntry {
    /// Makes the entry of an event; `None`, and an error in the log, if it has no JSON.
    pub(crate) fn of(event: Event) -> Option<Self> {
        let entry = Self::try_from(event);
        entry
            .inspect_err(|error| tracing::error!(%error, "an event cannot be stored"))
            .ok()
    }

    /// Returns the event.
    pub(crate) fn event(&self) -> &Event {
        &self.0.event
    }

    /// Returns the event as JSON.
    pub(crate) fn json(&self) -> &str {
        &self.0.json
    }
}

impl TryFrom<Event> for EventEntry {
    type Error = serde_json::Error;

    fn try_from(event: Event) -> Result<Self, Self::Error> {
        let event = event.bounded();
        let json = serde_json::to_string(&event)?;
        Ok(Self(Arc::new(Encoded { event, json })))
    }
}
