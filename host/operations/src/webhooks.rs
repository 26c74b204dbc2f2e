//! Webhooks of a running relay.

use clap::Args;
use gatepost_webhooks::WebhookState;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request for the states of all webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct ListWebhooks {}

/// Lists the webhooks, by name: how far each is behind, and what its endpoint said last.
///
/// # Errors
/// No relay is running.
pub fn list(on: &Runtime, _: ListWebhooks) -> Result<Vec<WebhookState>, OperationError> {
    let webhooks = on.webhooks.as_ref().ok_or_else(|| {
        let text = "no relay is running, so no webhook is";
        OperationError::new(Code::RelayNotRunning, text)
    })?;
    Ok(webhooks.states())
}
