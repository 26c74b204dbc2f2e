//! Diagnosis of a message: all that the relay knows of it, for whoever is asked for help. It has the
//! header section while the message is stored, and never the body.

use std::sync::Arc;

use clap::Args;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::StoredEvent;
use gatepost_spool::EventFilter;
use gatepost_trace::{Event, TracedMessage};
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::code::Code;
use crate::error::OperationError;
use crate::message::MessageDetails;
use crate::quarantine::{self, ShowQuarantined};
use crate::queue::{self, ShowQueued};
use crate::runtime::Runtime;
use crate::trace;

/// Most events of a diagnosis.
const MOST_EVENTS: usize = 1000;

/// Request for the diagnosis of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiagnoseMessage {
    /// Transaction id, as in the reply to the client, the Received field and the log.
    pub id: TransactionId,
}

/// All that the relay knows of a message, but its body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MessageDiagnosis {
    /// Version of the relay.
    pub version: String,
    /// Time of the diagnosis.
    pub at: Millis,
    /// Transaction.
    pub id: TransactionId,
    /// Sender, recipients, subject and outcome; `None` if there was no message.
    pub message: Option<TracedMessage>,
    /// Message in the queue, in quarantine, or kept since it failed; `None` if it is stored no more.
    pub stored: Option<MessageDetails>,
    /// Trace: all that happened, in order, with the judgements of policies and their reasons.
    pub trace: Vec<Event>,
    /// Events that the application was told, in order: a thousand at most.
    pub events: Vec<StoredEvent>,
}

/// Makes the diagnosis of a message.
///
/// # Errors
/// Nothing is known of the transaction, or the store or the trace cannot be read.
pub async fn diagnose(
    on: &Runtime,
    asked: DiagnoseMessage,
) -> Result<MessageDiagnosis, OperationError> {
    let DiagnoseMessage { id } = asked;
    let about = Arc::clone(&on.trace);
    let (message, trace) = blocking(move || {
        Ok::<_, gatepost_trace::TraceError>((about.message_of(id)?, about.of(id)?))
    })
    .await?;
    let stored = stored(on, id).await?;
    let filter = EventFilter {
        transaction: Some(id),
        ..EventFilter::default()
    };
    let events = on.events.read(0, filter, MOST_EVENTS).await?.events;
    if message.is_none() && trace.is_empty() && stored.is_none() && events.is_empty() {
        return Err(trace::unknown(id));
    }
    Ok(MessageDiagnosis {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: Millis::now(),
        id,
        message,
        stored,
        trace,
        events,
    })
}

async fn stored(on: &Runtime, id: TransactionId) -> Result<Option<MessageDetails>, OperationError> {
    let queued = queue::show(&*on.queue, on.closing_reply.as_ref(), ShowQueued { id }).await;
    let shown = match queued {
        Err(error) if error.code == Code::NotQueued => {
            quarantine::show(&*on.queue, ShowQuarantined { id }).await
        }
        queued => queued,
    };
    match shown {
        Err(error) if error.code == Code::NotQuarantined => Ok(None),
        shown => shown.map(Some),
    }
}
