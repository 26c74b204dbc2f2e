//! State of a webhook that its task shows.

use gatepost_application::Url;
use gatepost_message::Millis;
use parking_lot::Mutex;

use crate::skip::BatchedEvents;
use crate::{LastAnswer, WebhookPhase, WebhookState};

/// Name of a webhook, and what its task shows of itself.
pub(crate) struct ShownWebhook {
    pub(crate) name: String,
    url: String,
    shown: Mutex<Shown>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    pub(crate) cursor: u64,
    pub(crate) phase: WebhookPhase,
    pub(crate) failures: u32,
    pub(crate) failing_since: Option<Millis>,
    pub(crate) is_stuck: bool,
    pub(crate) batch: Option<BatchedEvents>,
    pub(crate) missed: u64,
    pub(crate) last_answer: Option<LastAnswer>,
}

impl ShownWebhook {
    /// Makes the state of a webhook that has not begun. The query of a URL is often a secret.
    pub(crate) fn new(name: &str, url: &Url) -> Self {
        let uri = url.uri();
        let host = uri.host().unwrap_or_default();
        Self {
            name: name.to_owned(),
            url: format!("{host}{}", uri.path()),
            shown: Mutex::default(),
        }
    }

    /// Changes what is shown.
    pub(crate) fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.lock());
    }

    /// Returns the state, where this is the number of the last event.
    pub(crate) fn state(&self, last: u64) -> WebhookState {
        let shown = self.shown.lock().clone();
        WebhookState {
            name: self.name.clone(),
            url: self.url.clone(),
            cursor: shown.cursor,
            lag: last.saturating_sub(shown.cursor),
            phase: shown.phase,
            failures: shown.failures,
            failing_since: shown.failing_since,
            is_stuck: shown.is_stuck,
            batch: shown.batch,
            missed: shown.missed,
            last_answer: shown.last_answer,
        }
    }
}
