//! The task of each webhook.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use gatepost_model::{Event, NoticeSubject};
use gatepost_spool::{EventFilter, EventLog, EventPage, SpoolError};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::answer::{AnswerVerdict, post};
use crate::batch::EventBatch;
use crate::{LastAnswer, WebhookPhase, WebhookSettings, WebhookState};

/// Wait after the store failed.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// Events that are not for a webhook, after which its cursor is stored all the same.
const FOR_OTHERS: u64 = 10_000;

/// Webhooks of a relay.
pub struct Webhooks {
    events: Arc<dyn EventLog>,
    running: Mutex<Vec<RunningWebhook>>,
}

/// A webhook with its task, which ends with this.
struct RunningWebhook {
    shared: Arc<ShownWebhook>,
    task: AbortHandle,
}

impl Drop for RunningWebhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Name of a webhook, and what its task shows of itself.
struct ShownWebhook {
    name: String,
    url: String,
    shown: Mutex<Shown>,
}

#[derive(Debug, Clone, Default)]
struct Shown {
    cursor: u64,
    phase: WebhookPhase,
    failures: u32,
    last_answer: Option<LastAnswer>,
}

impl Webhooks {
    /// Makes webhooks over the events of a store. None runs yet.
    pub fn new(events: Arc<dyn EventLog>) -> Self {
        Self {
            events,
            running: Mutex::default(),
        }
    }

    /// Runs these webhooks, and no others: each from its cursor on. A request that is under way
    /// ends, and its batch comes again. Needs a tokio runtime.
    pub fn activate(&self, client: &HttpClient, webhooks: &BTreeMap<String, Arc<WebhookSettings>>) {
        let started = webhooks.iter().map(|(name, settings)| {
            let uri = settings.url.uri();
            let host = uri.host().unwrap_or_default();
            let shared = Arc::new(ShownWebhook {
                name: name.clone(),
                url: format!("{host}{}", uri.path()),
                shown: Mutex::default(),
            });
            let task = WebhookTask {
                events: Arc::clone(&self.events),
                client: client.clone(),
                settings: Arc::clone(settings),
                shared: Arc::clone(&shared),
            };
            let task = tokio::spawn(task.run()).abort_handle();
            RunningWebhook { shared, task }
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
        let states = running.iter().map(|webhook| {
            let ShownWebhook { name, url, shown } = &*webhook.shared;
            let shown = shown.lock().clone();
            WebhookState {
                name: name.clone(),
                url: url.clone(),
                cursor: shown.cursor,
                lag: last.saturating_sub(shown.cursor),
                phase: shown.phase,
                failures: shown.failures,
                last_answer: shown.last_answer,
            }
        });
        states.collect()
    }
}

struct WebhookTask {
    events: Arc<dyn EventLog>,
    client: HttpClient,
    settings: Arc<WebhookSettings>,
    shared: Arc<ShownWebhook>,
}

impl WebhookTask {
    async fn run(self) {
        // Shown before their first step, so that an alarm on growth sees it.
        self.taken().absolute(0);
        for result in ["taken", "failed", "gone"] {
            self.requests(result).absolute(0);
        }
        while let Err(error) = self.deliver().await {
            let name = &self.shared.name;
            tracing::error!(webhook = name, %error, "the events of a webhook cannot be read");
            sleep(STORE_WAIT).await;
        }
    }

    /// Delivers events until the endpoint is gone.
    async fn deliver(&self) -> Result<(), SpoolError> {
        let mut last = self.events.last();
        let newest = *last.borrow_and_update();
        let mut cursor = self.begin(newest).await?;
        let mut stored = cursor;
        // End of a batch that was posted before the relay ended.
        let mut end = self.events.cursor(&self.end_name()).await?;
        loop {
            self.show(|shown| shown.cursor = cursor);
            let page = self.read(cursor).await?;
            let mut wanted = page.events;
            wanted.retain(|stored| self.is_wanted(&stored.event));
            if let Some(end) = end.take().filter(|end| *end > cursor) {
                wanted.retain(|event| event.seq <= end);
            }
            let Some(batch) = EventBatch::of(&wanted) else {
                cursor = page.next.max(cursor);
                if cursor - stored >= FOR_OTHERS {
                    self.store(cursor).await?;
                    stored = cursor;
                }
                if !page.more {
                    self.show(|shown| shown.cursor = cursor);
                    // The store is closed: the relay ends.
                    if last.changed().await.is_err() {
                        return Ok(());
                    }
                }
                continue;
            };
            (self.events)
                .set_cursor(&self.end_name(), Some(batch.last))
                .await?;
            if !self.post(&batch).await {
                return Ok(());
            }
            cursor = batch.last;
            self.store(cursor).await?;
            stored = cursor;
        }
    }

    /// Returns the cursor. A new webhook begins behind the last event.
    async fn begin(&self, last: u64) -> Result<u64, SpoolError> {
        match self.events.cursor(&self.cursor_name()).await? {
            // A store from a backup may have fewer events.
            Some(cursor) => Ok(cursor.min(last)),
            None => {
                self.store(last).await?;
                Ok(last)
            }
        }
    }

    async fn store(&self, cursor: u64) -> Result<(), SpoolError> {
        (self.events)
            .set_cursor(&self.cursor_name(), Some(cursor))
            .await
    }

    async fn read(&self, after: u64) -> Result<EventPage, SpoolError> {
        let account = match &self.settings.accounts[..] {
            [account] => Some(account.clone()),
            _ => None,
        };
        let filter = EventFilter {
            account,
            kinds: self.settings.kinds.clone(),
            transaction: None,
        };
        self.events.read(after, filter, self.settings.batch).await
    }

    fn is_wanted(&self, event: &Event) -> bool {
        let accounts = &self.settings.accounts;
        let account = event.account.as_ref();
        accounts.is_empty() || account.is_some_and(|account| accounts.contains(account))
    }

    /// Posts a batch until it is taken; returns false if the endpoint is gone.
    async fn post(&self, batch: &EventBatch) -> bool {
        let name = self.shared.name.as_str();
        let mut failures = 0_u32;
        loop {
            self.show(|shown| {
                shown.phase = WebhookPhase::Posting;
                shown.failures = failures;
            });
            let (verdict, answer) = post(&self.client, &self.settings, batch, Millis::now()).await;
            let (status, words) = (answer.status, answer.words.clone());
            self.count(verdict);
            self.show(|shown| shown.last_answer = Some(answer));
            let wait = match verdict {
                AnswerVerdict::Taken => {
                    if failures > 0 {
                        tracing::info!(webhook = name, failures, "a webhook takes events again");
                    }
                    self.taken().increment(batch.len as u64);
                    self.show(|shown| {
                        shown.phase = WebhookPhase::Idle;
                        shown.failures = 0;
                    });
                    return true;
                }
                AnswerVerdict::Gone => {
                    self.gone().await;
                    return false;
                }
                AnswerVerdict::Again(asked) => asked.unwrap_or_else(|| self.wait(failures)),
            };
            // Told at the first failure, and then now and then.
            if failures.is_power_of_two() || failures == 0 {
                tracing::warn!(
                    webhook = name,
                    id = batch.id,
                    status,
                    words,
                    wait = wait.as_secs(),
                    "a webhook did not take events: they are sent again"
                );
            }
            failures = failures.saturating_add(1);
            let until = Millis::now() + wait;
            self.show(|shown| {
                shown.phase = WebhookPhase::Waiting { until };
                shown.failures = failures;
            });
            sleep(wait).await;
        }
    }

    /// Stops, and says so loudly.
    async fn gone(&self) {
        let name = &self.shared.name;
        self.show(|shown| shown.phase = WebhookPhase::Gone);
        tracing::error!(
            webhook = name,
            "a webhook answers that it is gone (410): it is stopped, and its events are kept; take \
             it out of the configuration, or have it answer otherwise and reload"
        );
        let text = format!("the webhook {name} answers that it is gone (410): it is stopped");
        let notice = Event::notice(None, NoticeSubject::Webhook, text, Millis::now());
        if let Err(error) = self.events.append(vec![notice]).await {
            tracing::error!(%error, "the end of a webhook was not noted as an event");
        }
    }

    /// Returns the wait after so many failures before this one.
    fn wait(&self, failures: u32) -> Duration {
        let waits = &self.settings.retry;
        let at = usize::try_from(failures).unwrap_or(usize::MAX);
        let wait = waits.get(at).or(waits.last());
        wait.copied().unwrap_or(STORE_WAIT)
    }

    fn count(&self, verdict: AnswerVerdict) {
        let result = match verdict {
            AnswerVerdict::Taken => "taken",
            AnswerVerdict::Again(_) => "failed",
            AnswerVerdict::Gone => "gone",
        };
        self.requests(result).increment(1);
    }

    fn requests(&self, result: &'static str) -> metrics::Counter {
        metrics::counter!(
            "gatepost_webhook_requests_total",
            "webhook" => self.shared.name.clone(), "result" => result
        )
    }

    fn taken(&self) -> metrics::Counter {
        metrics::counter!("gatepost_webhook_events_total", "webhook" => self.shared.name.clone())
    }

    fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shared.shown.lock());
    }

    fn cursor_name(&self) -> String {
        format!("webhook {}", self.shared.name)
    }

    /// Returns the name of the cursor that has the end of the batch under way.
    fn end_name(&self) -> String {
        format!("webhook {} batch", self.shared.name)
    }
}
