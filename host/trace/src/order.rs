//! The order in which the events of a transaction are read.
//!
//! Two tasks record what becomes of a message. Delivery may begin as soon as the message is in the
//! store, and so may be on record before the task that took the message has recorded that it did.

use crate::{Event, Kind};

/// Puts what the task that took the message recorded in front of what delivery recorded. Within each
/// of the two the order stays.
pub(crate) fn taken_before_delivered(mut events: Vec<Event>) -> Vec<Event> {
    if let Some(delivery) = events.iter().position(|event| is_of_delivery(&event.kind)) {
        events[delivery..].sort_by_key(|event| !is_of_taking(&event.kind));
    }
    events
}

/// Returns true for an event that is recorded when the message is taken, after it is in the store.
fn is_of_taking(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Recipient { .. }
            | Kind::Queued { .. }
            | Kind::Suppressed { .. }
            | Kind::Quarantined { .. }
            | Kind::Replied { .. }
    )
}

/// Returns true for an event of an attempt.
fn is_of_delivery(kind: &Kind) -> bool {
    match kind {
        Kind::Attempt { .. } => true,
        Kind::Judged { judgement } => matches!(judgement.hook.as_str(), "route" | "outcome"),
        _ => false,
    }
}
