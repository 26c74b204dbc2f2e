//! Events about a message at its acceptance or refusal.

use gatepost_message::{Address, Message, Millis};
use gatepost_model::{AttemptFacts, Event, EventKind, EventSubject, Transaction};
use gatepost_smtp::Reply;

use super::Pipeline;
use super::judge::{Disposition, RecipientDisposition};

/// Returns the events that tell an account what becomes of its message; none for mail of others.
///
/// A refusal for now is not told: the application has the reply, and tries again.
pub(super) fn events(
    pipeline: &Pipeline,
    transaction: &Transaction,
    message: &Message,
    metadata: Option<&str>,
    disposition: &Disposition,
) -> Vec<Event> {
    let subject = EventSubject::of(transaction, message, metadata);
    let Some(subject) = subject.filter(|_| pipeline.config.events.record) else {
        return Vec::new();
    };
    let now = Millis::now();
    let event = |address: &Address, kind| subject.event(address, now, kind);
    let all = |kind: EventKind| {
        let recipients = transaction.recipients.iter();
        recipients
            .map(|address| event(address, kind.clone()))
            .collect()
    };
    match disposition {
        Disposition::Refused(reply) if reply.is_transient() => Vec::new(),
        Disposition::Recorded => Vec::new(),
        Disposition::Refused(reply) => all(EventKind::Refused {
            reply: reply.clone(),
        }),
        Disposition::Discarded => all(EventKind::Suppressed {
            why: "a policy discarded the message".to_owned(),
        }),
        Disposition::Accepted {
            recipients,
            quarantine,
        } => {
            let told = recipients.iter().map(|(address, disposition)| {
                event(address, kind(disposition, quarantine.as_deref()))
            });
            told.collect()
        }
    }
}

/// Returns the kind of event about a recipient of an accepted message.
fn kind(disposition: &RecipientDisposition, quarantine: Option<&str>) -> EventKind {
    match (disposition, quarantine) {
        (RecipientDisposition::Delivered, None) => EventKind::Queued,
        (RecipientDisposition::Delivered, Some(reason)) => {
            let reply = Reply::new(450, "4.7.0", format!("in quarantine: {reason}"));
            EventKind::Held(AttemptFacts::local(reply))
        }
        (RecipientDisposition::Suppressed(why), _) => EventKind::Suppressed { why: why.clone() },
        (RecipientDisposition::Rejected(reply), _) => EventKind::Refused {
            reply: reply.clone(),
        },
    }
}

/// Stores events of a message that is not stored itself. The client has the reply, whatever becomes
/// of them.
pub(super) async fn store(pipeline: &Pipeline, events: Vec<Event>) {
    if events.is_empty() {
        return;
    }
    if let Err(error) = pipeline.events.append(events).await {
        tracing::error!(%error, "events of a refused message were not stored");
    }
}
