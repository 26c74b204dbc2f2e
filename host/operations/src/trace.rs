//! Trace: what happened to a message.

use std::sync::Arc;

use clap::Args;
use gatepost_message::TransactionId;
use gatepost_trace::{Event, Trace};
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::code::Code;
use crate::error::OperationError;

/// Request for the events of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct ShowTrace {
    /// Transaction id, as in the reply to the client, the Received field and the log.
    pub id: TransactionId,
}

/// Shows what happened to a message, in order.
///
/// # Errors
/// Nothing is known of the transaction, or the trace cannot be read.
pub async fn show(trace: &Arc<Trace>, asked: ShowTrace) -> Result<Vec<Event>, OperationError> {
    let ShowTrace { id } = asked;
    let trace = Arc::clone(trace);
    match blocking(move || trace.of(id)).await? {
        events if events.is_empty() => {
            let text = format!("nothing is known of transaction {id}");
            Err(OperationError::new(Code::UnknownTransaction, text))
        }
        events => Ok(events),
    }
}
