//! Answers to messages of the application, which its account is told of.

use std::sync::Arc;

use gatepost_message::{Message, Millis};
use gatepost_model::{Event, EventKind, Flow, Transaction};
use gatepost_trace::Sent;

use super::Pipeline;
use crate::integrity;

/// Returns the event of an inbound message that answers one that its account has sent, as
/// In-Reply-To and References say.
pub(super) async fn event(
    pipeline: &Pipeline,
    transaction: &Transaction,
    message: &Message,
) -> Option<Event> {
    if !pipeline.config.events.record || transaction.session.flow != Flow::Inbound {
        return None;
    }
    let account = transaction.account.clone()?;
    let answers = integrity::answered(message);
    if answers.is_empty() {
        return None;
    }
    let sent = answered_of(pipeline, account, answers).await?;
    // Nobody is kept waiting for what the application said of a message long ago.
    let first = pipeline.events.first_of(sent.id).await.ok().flatten();
    let id = sent
        .message_id
        .trim_start_matches('<')
        .trim_end_matches('>');
    Some(Event {
        account: Some(sent.account),
        address: transaction.recipients.first().cloned(),
        transaction: Some(sent.id),
        message_id: Some(id.to_owned()),
        recipient: transaction.reverse_path.address().cloned(),
        metadata: first.and_then(|first| first.event.metadata),
        at: Millis::now(),
        kind: EventKind::Replied {
            answer: transaction.id,
        },
    })
}

/// Finds the first of these messages that the account has sent.
async fn answered_of(pipeline: &Pipeline, account: String, answers: Vec<String>) -> Option<Sent> {
    let trace = Arc::clone(&pipeline.trace);
    let found = tokio::task::spawn_blocking(move || {
        for id in &answers {
            match trace.sent_by_message_id(id)? {
                Some(sent) if sent.account == account => return Ok(Some(sent)),
                _ => {}
            }
        }
        Ok::<_, gatepost_trace::TraceError>(None)
    });
    match found.await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::warn!(%error, "it cannot be told whether a message is an answer");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "it cannot be told whether a message is an answer");
            None
        }
    }
}
