//! Events for the application, and failed mail that is kept to be sent again.

use std::time::Duration;

use serde::Deserialize;

use super::units;
use super::webhooks::WrittenWebhooks;

/// Settings of events.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Events {
    /// Records what becomes of submitted mail.
    pub record: bool,
    /// Time for which events are kept.
    #[serde(deserialize_with = "units::duration")]
    pub keep: Duration,
    /// Maximum number of events; the oldest are dropped.
    pub most: u64,
    /// Time after acceptance at which an event tells that a message is not yet delivered.
    #[serde(deserialize_with = "units::duration")]
    pub late_after: Duration,
    /// Webhooks as they are written; [`Config::webhooks`](super::Config::webhooks) has them
    /// complete.
    pub(super) webhook: WrittenWebhooks,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            record: true,
            keep: Duration::from_secs(30 * 86_400),
            most: 1_000_000,
            late_after: Duration::from_secs(15 * 60),
            webhook: WrittenWebhooks::new(),
        }
    }
}

/// Settings of the queue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Queue {
    /// Time for which a message is kept after a recipient has failed or expired; zero keeps none.
    #[serde(deserialize_with = "units::duration")]
    pub keep_failed: Duration,
    /// Maximum number of messages that are kept so; the oldest are dropped.
    pub most_failed: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            keep_failed: Duration::from_secs(7 * 86_400),
            most_failed: 10_000,
        }
    }
}
