//! The way of alerts: behind the events, by a cursor of their own.

use std::sync::Arc;
use std::time::Duration;

use gatepost_model::EventName;
use gatepost_spool::{EventFilter, EventLog, SpoolError};
use tokio::time::{Instant, sleep};

use crate::Administrators;

/// Name of the cursor.
const CURSOR: &str = "administrators";

/// Pause between two looks at the events, so that a busy relay is not asked for each of them.
const PAUSE: Duration = Duration::from_secs(1);

/// Pause before the store is asked again that failed, or takes no mail now.
const AGAIN: Duration = Duration::from_secs(5);

/// Events of one look.
const PAGE: usize = 100;

/// Time after which the cursor is stored though there was no alert.
const STORED_FOR: Duration = Duration::from_secs(60);

/// Cursor as it is stored.
struct StoredCursor {
    at: Option<u64>,
    since: Instant,
}

impl StoredCursor {
    /// Stores the number of the last event that was looked at: now, or else once the stored one is
    /// old.
    async fn keep(
        &mut self,
        events: &dyn EventLog,
        after: u64,
        now: bool,
    ) -> Result<(), SpoolError> {
        let is_old = self.at < Some(after) && self.since.elapsed() >= STORED_FOR;
        if now || is_old {
            events.set_cursor(CURSOR, Some(after)).await?;
            *self = Self {
                at: Some(after),
                since: Instant::now(),
            };
        }
        Ok(())
    }
}

impl Administrators {
    /// Writes the letters of all alerts, until the relay ends. What is appended while it does not run
    /// is told of at its next start.
    pub async fn follow(self: Arc<Self>, events: Arc<dyn EventLog>) {
        loop {
            if let Err(error) = self.follow_on(&*events).await {
                tracing::warn!(%error, "alerts for administrators wait");
            }
            sleep(AGAIN).await;
        }
    }

    async fn follow_on(&self, events: &dyn EventLog) -> Result<(), SpoolError> {
        let mut last = events.last();
        let stored = events.cursor(CURSOR).await?;
        // What was told before there was anybody to alert is told no more.
        let mut after = match stored {
            Some(after) => after,
            None => *last.borrow(),
        };
        let mut cursor = StoredCursor {
            at: stored,
            since: Instant::now(),
        };
        cursor.keep(events, after, stored.is_none()).await?;
        loop {
            let newest = *last.borrow_and_update();
            // Nobody is told of anything before an address is verified.
            if !self.directory.view().has_verified_administrator() {
                after = newest;
            }
            let mut more = after < newest;
            while more {
                let notices = EventFilter {
                    kinds: vec![EventName::Notice],
                    ..EventFilter::default()
                };
                let page = events.read(after, notices, PAGE).await?;
                let mut alerted = 0;
                for one in &page.events {
                    alerted += self.alert(&one.event).await?;
                }
                after = page.next.max(after);
                cursor.keep(events, after, alerted > 0).await?;
                more = page.more && after < newest;
            }
            cursor.keep(events, after, false).await?;
            sleep(PAUSE).await;
            if last.changed().await.is_err() {
                return Err(SpoolError::Closed);
            }
        }
    }
}
