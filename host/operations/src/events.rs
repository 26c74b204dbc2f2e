//! Events: what became of mail, in the order of their numbers.

use std::time::Duration;

use clap::Args;
use gatepost_message::TransactionId;
use gatepost_model::{EventName, StoredEvent};
use gatepost_spool::{EventFilter, EventPage};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::error::OperationError;
use crate::message::PAGE;
use crate::runtime::Runtime;

/// Longest wait of one request for an event. Whoever follows asks again then.
const PATIENCE: Duration = Duration::from_secs(25);

/// Most events of one answer.
const MOST: usize = 1000;

/// Request for a page of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ReadEvents {
    /// Only events with numbers above this one.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub after: u64,
    /// Only events of this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Only events of this kind; may be given several times.
    #[arg(long = "kind", value_name = "KIND", value_parser = parse_kind)]
    pub kinds: Vec<EventName>,
    /// Only events of this message.
    #[arg(long, value_name = "ID")]
    pub transaction: Option<TransactionId>,
    /// Maximum number of events.
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE)]
    pub limit: usize,
    /// Waits for the next event if there is none.
    #[arg(long = "follow")]
    pub wait: bool,
}

impl Default for ReadEvents {
    /// Asks for the first hundred events.
    fn default() -> Self {
        Self {
            after: 0,
            account: None,
            kinds: Vec::new(),
            transaction: None,
            limit: PAGE,
            wait: false,
        }
    }
}

fn parse_kind(word: &str) -> Result<EventName, String> {
    EventName::from_word(word).ok_or_else(|| {
        let words = EventName::ALL.map(EventName::word).join(", ");
        format!("a kind is one of {words}")
    })
}

/// Page of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EventsAnswer {
    /// Events, in order of their numbers.
    pub events: Vec<StoredEvent>,
    /// Number after which the next request goes on.
    pub next: u64,
    /// True if there may be more after that.
    pub more: bool,
    /// True if a relay runs, so that there will be more.
    pub running: bool,
}

/// Reads events. If there is none and the request wants to wait, it is answered when there is one,
/// or after a while without one.
///
/// # Errors
/// The store cannot be read.
pub async fn read(on: &Runtime, asked: ReadEvents) -> Result<EventsAnswer, OperationError> {
    let filter = EventFilter {
        account: asked.account,
        kinds: asked.kinds,
        transaction: asked.transaction,
    };
    let limit = asked.limit.min(MOST);
    let running = on.reload.is_some();
    let waits = asked.wait && running;
    let mut last = on.events.last();
    let mut after = asked.after;
    loop {
        let page = on.events.read(after, filter.clone(), limit).await?;
        after = page.next;
        if !page.events.is_empty() || page.more || !waits {
            return Ok(answer(page, running));
        }
        let news = last.wait_for(|last| *last > after);
        match timeout(PATIENCE, news).await {
            Ok(Ok(_)) => {}
            // No news, or the store is closed.
            Err(_) | Ok(Err(_)) => return Ok(answer(page, running)),
        }
    }
}

fn answer(page: EventPage, running: bool) -> EventsAnswer {
    EventsAnswer {
        events: page.events,
        next: page.next,
        more: page.more,
        running,
    }
}
