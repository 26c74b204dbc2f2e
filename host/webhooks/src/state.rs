//! State of a webhook, as operators see it.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use crate::BatchedEvents;

/// State of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WebhookState {
    /// Name in the configuration.
    pub name: String,
    /// Host and path of its URL, without the query.
    pub url: String,
    /// Number of the last event that it has taken, or that was not for it.
    pub cursor: u64,
    /// Events since then, those for others included.
    pub lag: u64,
    /// Present phase.
    pub phase: WebhookPhase,
    /// Tries of the present batch that failed.
    pub failures: u32,
    /// Time of the first of them.
    pub failing_since: Option<Millis>,
    /// True if they have gone on for so long that operators were told.
    pub is_stuck: bool,
    /// Events of the present batch, while it fails.
    pub batch: Option<BatchedEvents>,
    /// Numbers of events that were dropped before it was told of them, since it began to run.
    pub missed: u64,
    /// Last answer, or the reason why there was none.
    pub last_answer: Option<LastAnswer>,
}

/// Phase of a webhook.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookPhase {
    /// Waits for events.
    #[default]
    Idle,
    /// Posts events.
    Posting,
    /// Waits before it tries again.
    Waiting {
        /// Time of the next try.
        until: Millis,
    },
    /// Stopped: the endpoint said that it is gone.
    Gone,
}

impl WebhookPhase {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Posting => "posting",
            Self::Waiting { .. } => "waiting",
            Self::Gone => "gone",
        }
    }
}

/// Answer of an endpoint, or the reason why there was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LastAnswer {
    /// Time.
    pub at: Millis,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Words of the relay or of the endpoint; printable and bounded.
    pub words: String,
}
