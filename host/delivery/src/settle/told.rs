//! Events that tell accounts of attempts at delivery.

use gatepost_model::{AttemptFacts, Event, EventKind, EventSubject};
use gatepost_smtp::Reply;
use gatepost_spool::AttemptOutcome;

use super::SettledRecipient;
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;

/// Returns the event of a result. There is none of mail that the account did not submit, and none if
/// no attempt was made.
pub(super) fn event(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    settled: &SettledRecipient,
) -> Option<Event> {
    let claim = &in_hand.claim;
    let metadata = claim.metadata.as_deref();
    let subject = EventSubject::of(&claim.transaction, &claim.message, metadata);
    let subject = subject.filter(|_| delivery.settings.events);
    let recipient = in_hand.recipient(settled.attempt.index);
    let attempts = recipient.attempts + 1;
    let (subject, kind) = subject.zip(kind(settled, attempts))?;
    Some(subject.event(&recipient.address, delivery.now(), kind))
}

/// Returns the kind of event; `None` if no attempt was made.
fn kind(settled: &SettledRecipient, attempts: u32) -> Option<EventKind> {
    let facts = |reply: &Reply, server: Option<&String>| AttemptFacts {
        stage: settled.attempt.stage(),
        step: settled.step.as_ref().map(ToString::to_string),
        server: server.cloned(),
        reply: reply.clone(),
        tls: settled.attempt.tls.clone(),
        sent_as: settled.sent_as.clone(),
    };
    Some(match &settled.outcome {
        AttemptOutcome::Delivered { reply, server } => EventKind::Delivered {
            attempt: facts(reply, Some(server)),
            remote_message_id: settled.attempt.given_ids.first().cloned(),
        },
        AttemptOutcome::Deferred {
            reply,
            server,
            next_attempt,
            ..
        } => EventKind::Deferred {
            attempt: facts(reply, server.as_ref()),
            next_attempt: *next_attempt,
            attempts,
        },
        AttemptOutcome::Failed { reply, server } => match settled.is_expired() {
            true => EventKind::Expired(facts(reply, server.as_ref())),
            false => EventKind::Failed(facts(reply, server.as_ref())),
        },
        AttemptOutcome::Held { reply } => EventKind::Held(facts(reply, None)),
        AttemptOutcome::Discarded { reason } => EventKind::Suppressed {
            why: reason.clone(),
        },
        AttemptOutcome::Returned { .. } => return None,
    })
}
