//! The task of each webhook.

use std::{sync::Arc, time::Duration};

use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use gatepost_model::{Event, NoticeSubject};
use gatepost_spool::{EventFilter, EventLog, EventPage, SpoolError};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::answer::{AnswerVerdict, post};
use crate::batch::EventBatch;
use crate::shown::{Shown, ShownWebhook};
use crate::skip::{BatchedEvents, SkipRequest};
use crate::{WebhookPhase, WebhookSettings};

/// Wait after the store failed.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// Events that are not for a webhook, after which its cursor is stored all the same.
const FOR_OTHERS: u64 = 10_000;

/// Time after which its cursor is stored all the same, so that it is not taken for one that has
/// missed events when the relay starts again.
const STORED_FOR: Duration = Duration::from_secs(60 * 60);

/// End of the tries to post a batch.
enum Posted {
    /// The endpoint took the batch, or an operator has it skipped.
    Done,
    /// The endpoint is gone.
    Gone,
}

/// Task of a webhook.
pub(crate) struct WebhookTask {
    pub(crate) events: Arc<dyn EventLog>,
    pub(crate) client: HttpClient,
    pub(crate) settings: Arc<WebhookSettings>,
    pub(crate) shared: Arc<ShownWebhook>,
    /// Commands of operators to skip events.
    pub(crate) skips: mpsc::Receiver<SkipRequest>,
    /// Number of the last event that was dropped before its time, of those that were told of.
    pub(crate) missed_to: u64,
}

impl WebhookTask {
    pub(crate) async fn run(mut self) {
        // Shown before their first step, so that an alarm on growth sees it.
        self.taken().absolute(0);
        self.missed().absolute(0);
        self.stuck().set(0.0);
        for result in ["taken", "failed", "gone", "skipped"] {
            self.requests(result).absolute(0);
        }
        while let Err(error) = self.deliver().await {
            let name = &self.shared.name;
            tracing::error!(webhook = name, %error, "the events of a webhook cannot be read");
            sleep(STORE_WAIT).await;
        }
    }

    /// Delivers events until the endpoint is gone.
    async fn deliver(&mut self) -> Result<(), SpoolError> {
        let mut last = self.events.last();
        let newest = *last.borrow_and_update();
        let mut cursor = self.begin(newest).await?;
        let (mut stored, mut stored_at) = (cursor, Instant::now());
        // End of a batch that was posted before the relay ended.
        let mut end = self.events.cursor(&self.end_name()).await?;
        loop {
            self.show(|shown| shown.cursor = cursor);
            let page = self.read(cursor).await?;
            let first = page.events.first().map(|stored| stored.seq);
            self.note_missed(cursor, first.unwrap_or(page.next + 1))
                .await?;
            let mut wanted = page.events;
            wanted.retain(|stored| self.is_wanted(&stored.event));
            if let Some(end) = end.take().filter(|end| *end > cursor) {
                wanted.retain(|event| event.seq <= end);
            }
            let Some(batch) = EventBatch::of(&wanted) else {
                cursor = page.next.max(cursor);
                let is_old = cursor > stored && stored_at.elapsed() >= STORED_FOR;
                if cursor - stored >= FOR_OTHERS || is_old {
                    self.store(cursor).await?;
                    (stored, stored_at) = (cursor, Instant::now());
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
                .set_cursor(&self.end_name(), Some(batch.events.last))
                .await?;
            if let Posted::Gone = self.post(&batch).await? {
                return Ok(());
            }
            cursor = batch.events.last;
            self.store(cursor).await?;
            (stored, stored_at) = (cursor, Instant::now());
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

    /// Says so if events behind the cursor were dropped before the webhook was told of them. Those
    /// from `there` on are not missed.
    async fn note_missed(&mut self, cursor: u64, there: u64) -> Result<(), SpoolError> {
        let from = cursor.max(self.missed_to);
        // Without a gap nothing is missing.
        if there <= from + 1 {
            return Ok(());
        }
        let to = self.events.first().await?.min(there).saturating_sub(1);
        if to <= from {
            return Ok(());
        }
        self.missed_to = to;
        let (name, first, numbers) = (&self.shared.name, from + 1, to - from);
        self.missed().increment(numbers);
        self.show(|shown| shown.missed += numbers);
        tracing::warn!(
            webhook = name,
            first,
            last = to,
            "events were dropped before a webhook was told of them: `keep` and `most` of [events] \
             say how many are kept"
        );
        self.notice(format!(
            "events {first} to {to} were dropped before the webhook {name} was told of those that \
             are for it"
        ))
        .await;
        Ok(())
    }

    /// Posts a batch until it is taken or skipped.
    async fn post(&mut self, batch: &EventBatch) -> Result<Posted, SpoolError> {
        let shared = Arc::clone(&self.shared);
        let name = shared.name.as_str();
        let mut failures = 0_u32;
        let begun = Instant::now();
        let since = Millis::now();
        let mut is_stuck = false;
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
                    self.taken().increment(batch.events.count);
                    self.rest(is_stuck).await;
                    return Ok(Posted::Done);
                }
                AnswerVerdict::Gone => {
                    self.gone().await;
                    return Ok(Posted::Gone);
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
                shown.failing_since = Some(since);
                shown.batch = Some(batch.events);
            });
            // What waits behind the batch may be dropped in the meantime.
            if failures.is_power_of_two() {
                self.note_missed(batch.events.last, u64::MAX).await?;
            }
            let again = Instant::now() + wait;
            if !is_stuck {
                let alarm = begun + self.settings.alarm_after;
                if self.skipped_before(alarm.min(again), batch).await? {
                    return Ok(Posted::Done);
                }
                is_stuck = Instant::now() >= alarm;
                if is_stuck {
                    self.tell_stuck(batch, failures, status, &words).await;
                }
            }
            if self.skipped_before(again, batch).await? {
                return Ok(Posted::Done);
            }
        }
    }

    /// Waits until this time, or until an operator has the batch skipped; returns true then.
    async fn skipped_before(
        &mut self,
        until: Instant,
        batch: &EventBatch,
    ) -> Result<bool, SpoolError> {
        loop {
            let asked = tokio::select! {
                asked = self.skips.recv() => asked,
                () = sleep_until(until) => return Ok(false),
            };
            let Some(asked) = asked else {
                // Nobody can ask any more: the task is about to end.
                sleep_until(until).await;
                return Ok(false);
            };
            if asked.batch == batch.events {
                self.store(batch.events.last).await?;
                self.skip(batch.events).await;
                // Whoever asked may have gone.
                let _ = asked.reply.send(batch.events);
                return Ok(true);
            }
        }
    }

    /// Tells of events that an operator has skipped.
    async fn skip(&self, events: BatchedEvents) {
        let (name, BatchedEvents { first, last, count }) = (&self.shared.name, events);
        self.requests("skipped").increment(1);
        tracing::warn!(
            webhook = name,
            first,
            last,
            count,
            "events of a webhook are skipped by an operator's command"
        );
        self.rest(false).await;
        self.notice(format!(
            "an operator had the webhook {name} skip {count} events, {first} to {last}"
        ))
        .await;
    }

    /// Shows that no batch is under way.
    async fn rest(&self, was_stuck: bool) {
        self.show(|shown| {
            shown.phase = WebhookPhase::Idle;
            shown.failures = 0;
            shown.failing_since = None;
            shown.is_stuck = false;
            shown.batch = None;
        });
        self.stuck().set(0.0);
        if was_stuck {
            let name = &self.shared.name;
            self.notice(format!("the webhook {name} goes on")).await;
        }
    }

    /// Tells that the endpoint has refused a batch for long.
    async fn tell_stuck(
        &self,
        batch: &EventBatch,
        failures: u32,
        status: Option<u16>,
        words: &str,
    ) {
        let (name, BatchedEvents { first, last, .. }) = (&self.shared.name, batch.events);
        self.show(|shown| shown.is_stuck = true);
        self.stuck().set(1.0);
        tracing::error!(
            webhook = name,
            id = batch.id,
            failures,
            status,
            words,
            "a webhook has not taken the same events for long, and gets no others: mend its \
             endpoint, or leave them out with `gatepost events skip`"
        );
        let answer = status.map_or_else(|| words.to_owned(), |status| format!("{status} {words}"));
        self.notice(format!(
            "the webhook {name} has not taken events {first} to {last} in {failures} tries, and \
             gets no others: {answer}"
        ))
        .await;
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
        self.notice(format!(
            "the webhook {name} answers that it is gone (410): it is stopped"
        ))
        .await;
    }

    /// Tells the site by an event.
    async fn notice(&self, text: String) {
        let notice = Event::notice(None, NoticeSubject::Webhook, text, Millis::now());
        if let Err(error) = self.events.append(vec![notice]).await {
            tracing::error!(%error, "the state of a webhook was not noted as an event");
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

    fn missed(&self) -> metrics::Counter {
        metrics::counter!("gatepost_webhook_missed_total", "webhook" => self.shared.name.clone())
    }

    fn stuck(&self) -> metrics::Gauge {
        metrics::gauge!("gatepost_webhook_stuck", "webhook" => self.shared.name.clone())
    }

    fn show(&self, change: impl FnOnce(&mut Shown)) {
        self.shared.show(change);
    }

    fn cursor_name(&self) -> String {
        format!("webhook {}", self.shared.name)
    }

    /// Returns the name of the cursor that has the end of the batch under way.
    fn end_name(&self) -> String {
        format!("webhook {} batch", self.shared.name)
    }
}
