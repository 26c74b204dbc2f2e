//! Skipping of events that an endpoint refuses.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Events that are posted in one request, or were skipped instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BatchedEvents {
    /// Number of the first.
    pub first: u64,
    /// Number of the last.
    pub last: u64,
    /// Number of events; those between that were not for the webhook do not count.
    pub count: u64,
}

/// Reason why nothing is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipError {
    /// There is no webhook of that name.
    Unknown,
    /// Its endpoint refuses nothing now.
    NothingWaits,
}

/// Request to skip a batch.
pub(crate) struct SkipRequest {
    /// Batch, as the operator was shown it.
    pub(crate) batch: BatchedEvents,
    /// Receives the batch once it is skipped.
    pub(crate) reply: oneshot::Sender<BatchedEvents>,
}
