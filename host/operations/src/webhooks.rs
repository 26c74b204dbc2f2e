//! Webhooks of a running relay.

use clap::Args;
use gatepost_webhooks::{BatchedEvents, SkipError, WebhookState, Webhooks};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request for the states of all webhooks.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListWebhooks {}

/// Lists the webhooks, by name: how far each is behind, and what its endpoint said last.
///
/// # Errors
/// No relay is running.
pub fn list(on: &Runtime, _: ListWebhooks) -> Result<Vec<WebhookState>, OperationError> {
    Ok(running(on)?.states())
}

/// Request to have a webhook leave out the events that its endpoint does not take, and go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkipEvents {
    /// Name of the webhook.
    pub webhook: String,
}

/// Has a webhook skip the events of the request that its endpoint does not take. They stay in the
/// store for whoever reads events.
///
/// # Errors
/// No relay is running, there is no such webhook, or its endpoint refuses nothing now.
pub async fn skip(on: &Runtime, asked: SkipEvents) -> Result<BatchedEvents, OperationError> {
    let name = asked.webhook;
    let skipped = running(on)?.skip(&name).await;
    skipped.map_err(|error| match error {
        SkipError::Unknown => {
            OperationError::new(Code::UnknownWebhook, format!("there is no webhook {name}"))
        }
        SkipError::NothingWaits => OperationError::new(
            Code::NothingToSkip,
            format!("the webhook {name} does not wait to send events again"),
        ),
    })
}

fn running(on: &Runtime) -> Result<&Webhooks, OperationError> {
    on.webhooks.as_deref().ok_or_else(|| {
        let text = "no relay is running, so no webhook is";
        OperationError::new(Code::RelayNotRunning, text)
    })
}
