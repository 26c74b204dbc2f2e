//! Answers to messages of the application, which its account is told of.

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Event, EventKind, Transaction};

use super::Pipeline;

/// Returns the event of an inbound message that answers this one of its account.
pub(super) async fn event(
    pipeline: &Pipeline,
    transaction: &Transaction,
    answered: TransactionId,
) -> Option<Event> {
    if !pipeline.config.events.record {
        return None;
    }
    // Nobody is kept waiting for what the application said of a message long ago.
    let first = pipeline.events.first_of(answered).await.ok().flatten();
    let first = first.map(|first| first.event);
    Some(Event {
        account: transaction.account.clone(),
        address: transaction.recipients.first().cloned(),
        transaction: Some(answered),
        message_id: first.as_ref().and_then(|first| first.message_id.clone()),
        recipient: transaction.reverse_path.address().cloned(),
        metadata: first.and_then(|first| first.metadata),
        at: Millis::now(),
        kind: EventKind::Replied {
            answer: transaction.id,
        },
    })
}
