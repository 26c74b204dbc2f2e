//! Erasure of a correspondent from the ledgers in memory.

use gatepost_model::{Event, EventKind, StoredEvent, SuppressionCause};

use super::{Key, Ledgers, key};
use crate::{ErasedCorrespondent, ErasedRows};

impl Ledgers {
    /// Returns true if the last event goes with a correspondent.
    pub(in crate::in_memory) fn is_last_taken(&self, of: &ErasedCorrespondent) -> bool {
        let last = self.events.back();
        last.is_some_and(|stored| takes(of, &stored.event))
    }

    /// Removes what is about a correspondent, erases the address from the rest, and counts what was
    /// removed.
    pub(in crate::in_memory) fn erase_correspondent(
        &mut self,
        of: &ErasedCorrespondent,
        erased: &mut ErasedRows,
    ) {
        let (gone, stay) = std::mem::take(&mut self.events)
            .into_iter()
            .partition::<Vec<_>, _>(|stored| takes(of, &stored.event));
        erased.events = gone.len() as u64;
        let stay = stay.into_iter().map(|stored| StoredEvent {
            event: without(of, stored.event),
            ..stored
        });
        self.events = stay.collect();
        for stored in &gone {
            erased.learnt_ids += u64::from(self.forget_given_id(&stored.event));
        }
        self.erase_suppressions(of, erased);
        let before = self.learnt.len();
        self.learnt.retain(|(account, _), learnt| {
            let ids = [&learnt.ours, &learnt.theirs];
            !of.is_of(Some(account)) || !ids.into_iter().any(|id| of.address.is_in(id))
        });
        erased.learnt_ids += (before - self.learnt.len()) as u64;
        let before = self.answers.len();
        (self.answers)
            .retain(|_, answer| !of.is_of(Some(&answer.account)) || !of.address.is_in(&answer.key));
        erased.keyed_answers = (before - self.answers.len()) as u64;
        for answer in self.answers.values_mut() {
            if of.is_of(Some(&answer.account))
                && let Some(text) = of.address.erased_from_json(&answer.answer)
            {
                answer.answer = text;
                erased.keyed_answers += 1;
            }
        }
    }

    /// Forgets the Message-ID that a service gave a message, unless it went to others, too.
    fn forget_given_id(&mut self, event: &Event) -> bool {
        let EventKind::Delivered {
            remote_message_id: Some(theirs),
            ..
        } = &event.kind
        else {
            return false;
        };
        let mut events = self.events.iter().map(|stored| &stored.event);
        let went_to_others = events.any(|other| {
            other.transaction == event.transaction
                && matches!(other.kind, EventKind::Delivered { .. })
        });
        let account = event.account.as_deref().unwrap_or_default();
        !went_to_others && self.learnt.remove(&key(account, theirs)).is_some()
    }

    fn erase_suppressions(&mut self, of: &ErasedCorrespondent, erased: &mut ErasedRows) {
        let named = self.suppressions.keys();
        let named =
            named.filter(|(account, address)| of.is_of(Some(account)) && of.address.is(address));
        let named: Vec<Key> = named.cloned().collect();
        for key in named {
            self.failures.remove(&key);
            match self.suppressions.get_mut(&key) {
                Some(entry) if of.keep_suppression && entry.cause.suppresses() => {
                    entry.cause = SuppressionCause::Operator;
                    entry.evidence = String::new();
                    entry.by = None;
                    entry.count = 0;
                }
                _ => {
                    self.suppressions.remove(&key);
                    erased.suppressions += 1;
                }
            }
        }
        for entry in self.suppressions.values_mut() {
            if of.is_of(Some(&entry.account))
                && let Some(evidence) = of.address.erased_from(&entry.evidence)
            {
                entry.evidence = evidence;
            }
        }
    }
}

fn takes(of: &ErasedCorrespondent, event: &Event) -> bool {
    of.is_of(event.account.as_deref()) && of.takes_event(event)
}

/// Returns an event without the address.
fn without(of: &ErasedCorrespondent, event: Event) -> Event {
    if !of.is_of(event.account.as_deref()) {
        return event;
    }
    let json = serde_json::to_string(&event).unwrap_or_default();
    let erased = of.address.erased_from_json(&json);
    let erased = erased.and_then(|json| serde_json::from_str(&json).ok());
    erased.unwrap_or(event)
}
