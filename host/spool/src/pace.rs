//! Destinations of the queue: how much of one may be in hand, and what waits there.

use gatepost_message::Millis;
use gatepost_model::DestinationKey;
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

/// Pace of one destination. The default sets no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Pace {
    /// Most messages in hand at once, each with all its claimed recipients there; 0 means none
    /// until the pace is changed.
    pub in_hand: u32,
    /// Time before which nothing is claimed.
    pub not_before: Millis,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            in_hand: u32::MAX,
            not_before: Millis(0),
        }
    }
}

/// A destination with what waits there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DestinationSummary {
    /// Destination; none for recipients without a route.
    pub destination: Option<DestinationKey>,
    /// Recipients that are queued, held or being attempted.
    pub recipients: u64,
    /// Messages of these recipients.
    pub messages: u64,
    /// Messages in hand.
    pub in_hand: u64,
    /// Time of reception of the oldest message.
    pub oldest: Option<Millis>,
    /// Time at which the first queued recipient is due; it is attempted when the pace allows it.
    pub next_attempt: Option<Millis>,
    /// Reply of the latest attempt.
    pub last_reply: Option<Reply>,
    /// Pace.
    pub pace: Pace,
}

impl DestinationSummary {
    /// Makes the summary of a destination where nothing is.
    pub(crate) fn of(destination: Option<DestinationKey>) -> Self {
        Self {
            destination,
            recipients: 0,
            messages: 0,
            in_hand: 0,
            oldest: None,
            next_attempt: None,
            last_reply: None,
            pace: Pace::default(),
        }
    }
}
