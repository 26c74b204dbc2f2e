//! Reloads of the configuration.

use std::collections::BTreeMap;

use clap::Args;
use gatepost_config::Change;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::code::Code;
use crate::error::OperationError;

/// Request to read the configuration again and to activate it.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Reload {
    /// Check everything and show the changes, without making them.
    #[arg(long)]
    pub dry_run: bool,
}

/// Reload that a running relay is asked for, with the channel for its outcome.
pub struct PendingReload {
    /// Request.
    pub asked: Reload,
    /// Channel for the outcome.
    pub answer: oneshot::Sender<Reloaded>,
}

/// Outcome of a reload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Refusal {
    /// Line of the file, if it is about one.
    pub line: Option<usize>,
    /// Description of the problem.
    pub message: String,
    /// Advice on what to do.
    pub help: Option<String>,
}

/// Has the running relay read its configuration again, and activate it as a whole or not at all.
///
/// # Errors
/// No relay runs, or it is stopping. A configuration that cannot be activated is an outcome.
pub async fn reload(
    relay: Option<&mpsc::Sender<PendingReload>>,
    asked: Reload,
) -> Result<Reloaded, OperationError> {
    let relay = relay.ok_or_else(|| {
        let text = "no relay is running, so no configuration is active";
        OperationError::new(Code::RelayNotRunning, text)
    })?;
    let stopping = || {
        let text = "the relay is stopping and reads no configuration any more";
        OperationError::new(Code::RelayStopping, text)
    };
    let (answer, answered) = oneshot::channel();
    let sent = relay.send(PendingReload { asked, answer }).await;
    sent.map_err(|_| stopping())?;
    answered.await.map_err(|_| stopping())
}
