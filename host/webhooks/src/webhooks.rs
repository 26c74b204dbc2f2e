//! The webhooks of a relay, as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatepost_http_client::HttpClient;
use gatepost_spool::EventLog;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::shown::ShownWebhook;
use crate::skip::{BatchedEvents, SkipError, SkipRequest};
use crate::task::WebhookTask;
use crate::{WebhookPhase, WebhookSettings, WebhookState};

/// Webhooks of a relay.
pub struct Webhooks {
    events: Arc<dyn EventLog>,
    running: Mutex<Vec<RunningWebhook>>,
}

/// A webhook with its task, which ends with this.
struct RunningWebhook {
    shared: Arc<ShownWebhook>,
    skips: mpsc::Sender<SkipRequest>,
    task: AbortHandle,
}

impl Drop for RunningWebhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Webhooks {
    /// Makes webhooks over the events of a store. None runs yet.
    pub fn new(events: Arc<dyn EventLog>) -> Self {
        Self {
            events,
            running: Mutex::default(),
        }
    }

    /// Runs these webhooks, and no others: each from its cursor on, by the client for its name. A
    /// request that is under way ends, and its batch comes again. Needs a tokio runtime.
    pub fn activate(
        &self,
        client: impl Fn(&str) -> HttpClient,
        webhooks: &BTreeMap<String, Arc<WebhookSettings>>,
    ) {
        let started = webhooks.iter().map(|(name, settings)| {
            let shared = Arc::new(ShownWebhook::new(name, &settings.url));
            let (skips, skip_requests) = mpsc::channel(1);
            let task = WebhookTask {
                events: Arc::clone(&self.events),
                client: client(name),
                settings: Arc::clone(settings),
                shared: Arc::clone(&shared),
                skips: skip_requests,
                missed_to: 0,
            };
            let task = tokio::spawn(task.run()).abort_handle();
            RunningWebhook {
                shared,
                skips,
                task,
            }
        });
        let mut running = self.running.lock();
        // The former ones end before the first of these may read its cursor.
        running.clear();
        *running = started.collect();
    }

    /// Stops all webhooks.
    pub fn stop(&self) {
        self.running.lock().clear();
    }

    /// Returns the states of all webhooks, by name.
    pub fn states(&self) -> Vec<WebhookState> {
        let last = *self.events.last().borrow();
        let running = self.running.lock();
        let states = running.iter().map(|webhook| webhook.shared.state(last));
        states.collect()
    }

    /// Skips the events that a webhook was posted in vain and waits to be posted again. They stay in
    /// the store.
    ///
    /// # Errors
    /// There is no such webhook, or it does not wait.
    pub async fn skip(&self, name: &str) -> Result<BatchedEvents, SkipError> {
        let (reply, skipped) = oneshot::channel();
        {
            let running = self.running.lock();
            let webhook = running.iter().find(|webhook| webhook.shared.name == name);
            let webhook = webhook.ok_or(SkipError::Unknown)?;
            let state = webhook.shared.state(0);
            let (WebhookPhase::Waiting { .. }, Some(batch)) = (state.phase, state.batch) else {
                return Err(SkipError::NothingWaits);
            };
            let asked = SkipRequest { batch, reply };
            (webhook.skips)
                .try_send(asked)
                .map_err(|_| SkipError::NothingWaits)?;
        }
        // The task drops a request that is about a batch of before.
        skipped.await.map_err(|_| SkipError::NothingWaits)
    }
}
