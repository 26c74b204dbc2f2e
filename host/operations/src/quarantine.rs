//! Quarantine: its messages are listed, shown, released and deleted.

use clap::Args;
use gatepost_message::{Millis, TransactionId};
use gatepost_spool::{Filter, QueueAdmin, Selection, Summary};
use gatepost_trace::{Event, Kind, Trace};
use serde::{Deserialize, Serialize};

use crate::caused;
use crate::code::Code;
use crate::error::OperationError;
use crate::message::{MessageDetails, PAGE};

/// Request for a page of the quarantine, oldest message first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuarantine {
    /// Only messages of this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Only messages to this address, or to this domain.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    pub recipient: Option<String>,
    /// Only messages that came after this one.
    #[arg(long, value_name = "ID")]
    pub after: Option<TransactionId>,
    /// Maximum number of messages.
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE)]
    pub limit: usize,
    /// Only messages whose reason has this text.
    #[arg(long, value_name = "TEXT")]
    pub cause: Option<String>,
}

impl Default for ListQuarantine {
    /// Asks for the first hundred messages.
    fn default() -> Self {
        Self {
            account: None,
            recipient: None,
            after: None,
            limit: PAGE,
            cause: None,
        }
    }
}

/// Request for the details of a message in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowQuarantined {
    /// Transaction id of the message.
    pub id: TransactionId,
}

/// Request to release a message into the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseQuarantined {
    /// Transaction id of the message.
    pub id: TransactionId,
}

/// Request to drop a message; nobody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteQuarantined {
    /// Transaction id of the message.
    pub id: TransactionId,
}

pub(crate) fn unknown() -> OperationError {
    let text = "there is no such message; `gatepost trace ID` says what became of it";
    OperationError::new(Code::NotQuarantined, text)
}

/// Lists messages in quarantine, in order of arrival.
///
/// # Errors
/// The store cannot be read.
pub async fn list(
    queue: &dyn QueueAdmin,
    asked: ListQuarantine,
) -> Result<Vec<Summary>, OperationError> {
    let filter = Filter {
        selection: Selection {
            account: asked.account,
            recipient: asked.recipient,
            ..Selection::default()
        },
        status: None,
        after: asked.after,
        limit: asked.limit,
    };
    match asked.cause {
        None => Ok(queue.quarantine_list(filter).await?),
        Some(cause) => {
            let page = |filter| queue.quarantine_list(filter);
            caused::list(filter, &cause, reason, page).await
        }
    }
}

fn reason(message: &Summary) -> Vec<String> {
    let quarantine = message.quarantine.iter();
    quarantine.map(|of| of.reason.clone()).collect()
}

/// Shows one message in quarantine.
///
/// # Errors
/// The quarantine has no such message, or the store cannot be read.
pub async fn show(
    queue: &dyn QueueAdmin,
    asked: ShowQuarantined,
) -> Result<MessageDetails, OperationError> {
    let found = queue.quarantine_show(asked.id).await?;
    found.map(MessageDetails::from).ok_or_else(unknown)
}

/// Releases a message into the queue.
///
/// # Errors
/// The quarantine has no such message, or the store cannot be changed.
pub async fn release(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    asked: ReleaseQuarantined,
) -> Result<(), OperationError> {
    let found = queue.quarantine_release(asked.id, Millis::now()).await?;
    record(trace, found, asked.id, Kind::Released)
}

/// Drops a message without telling anybody.
///
/// # Errors
/// The quarantine has no such message, or the store cannot be changed.
pub async fn delete(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    asked: DeleteQuarantined,
) -> Result<(), OperationError> {
    let found = queue.quarantine_delete(asked.id, Millis::now()).await?;
    record(trace, found, asked.id, Kind::Discarded)
}

fn record(trace: &Trace, found: bool, id: TransactionId, kind: Kind) -> Result<(), OperationError> {
    if !found {
        return Err(unknown());
    }
    trace.record(Event::now(id, kind));
    Ok(())
}
