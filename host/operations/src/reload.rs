//! Reloads of the configuration: the request to a running relay, and its answer.

use std::collections::BTreeMap;

use gatepost_config::Change;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Request to read the configuration again.
pub struct ReloadRequest {
    /// True if the changes are to be told and not made.
    pub dry_run: bool,
    /// Channel for the answer.
    pub answer: oneshot::Sender<Reloaded>,
}

/// Outcome of a reload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reloaded {
    /// File that was read.
    pub file: String,
    /// True if the configuration is active now.
    pub applied: bool,
    /// Changes against the configuration before.
    pub changes: Vec<Change>,
    /// Address of each listener, by name, and of `http`.
    pub listening: BTreeMap<String, String>,
    /// Reasons why it cannot be activated; then nothing has changed.
    pub problems: Vec<Refusal>,
}

/// Reason why a configuration cannot be activated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Line of the file, if it is about one.
    pub line: Option<usize>,
    /// Description of the problem.
    pub message: String,
    /// Advice on what to do.
    pub help: Option<String>,
}
