//! Erasure of a correspondent from the messages in memory.

use gatepost_message::TransactionId;
use gatepost_model::Judgement;
use gatepost_smtp::Reply;
use serde::{Serialize, de::DeserializeOwned};

use super::{QueueState, Stored};
use crate::{ErasedCorrespondent, ErasedRows, RecipientState, Status, schedule::ScheduleChange};

impl QueueState {
    /// Removes the messages of a correspondent, and the address from others; returns the messages.
    pub(in crate::in_memory) fn erase_correspondent(
        &mut self,
        of: &ErasedCorrespondent,
        erased: &mut ErasedRows,
    ) -> Vec<Stored> {
        let ids: Vec<_> = self.messages.keys().copied().collect();
        let mut gone = Vec::new();
        for id in ids {
            let Some(stored) = self.messages.get_mut(&id) else {
                continue;
            };
            if !of.is_of(stored.message.transaction.account.as_deref()) {
                continue;
            }
            if stored.is_taken_by(of) {
                gone.extend(self.take(id, erased));
                continue;
            }
            let theirs: Vec<u32> = (stored.recipients.iter())
                .filter(|to| of.address.is(to.address.as_str()))
                .map(|to| to.number)
                .collect();
            let is_theirs = |number: &u32| theirs.contains(number);
            let mut leased = stored.recipients.iter();
            if leased.any(|to| is_theirs(&to.number) && to.state.status() == Status::Leased) {
                erased.under_way += 1;
                continue;
            }
            stored.recipients.retain(|to| !is_theirs(&to.number));
            stored.attention.retain(|number, _| !is_theirs(number));
            (stored.message.transaction.recipients).retain(|to| !of.address.is(to.as_str()));
            erased.recipients += theirs.len() as u64;
            stored.erase_from_texts(of);
            let mut others = stored.recipients.iter();
            if !theirs.is_empty() && !others.any(|to| to.state == RecipientState::Failed) {
                stored.keep_until = None;
            }
            let is_finished = stored.is_finished() && stored.keep_until.is_none();
            for number in theirs {
                self.schedule.apply(ScheduleChange::Ended(id, number));
            }
            if is_finished {
                self.schedule.apply(ScheduleChange::Gone(id));
                gone.extend(self.messages.remove(&id));
            }
        }
        gone
    }

    /// Removes messages by their ids; returns them.
    pub(in crate::in_memory) fn erase_messages(
        &mut self,
        ids: &[TransactionId],
        erased: &mut ErasedRows,
    ) -> Vec<Stored> {
        let gone = ids.iter().filter_map(|id| self.take(*id, erased));
        gone.collect()
    }

    /// Removes a message, unless an attempt is under way, and counts it.
    fn take(&mut self, id: TransactionId, erased: &mut ErasedRows) -> Option<Stored> {
        let mut recipients = self.messages.get(&id)?.recipients.iter();
        if recipients.any(|to| to.state.status() == Status::Leased) {
            erased.under_way += 1;
            return None;
        }
        erased.messages += 1;
        self.schedule.apply(ScheduleChange::Gone(id));
        self.messages.remove(&id)
    }
}

impl Stored {
    fn is_taken_by(&self, of: &ErasedCorrespondent) -> bool {
        let transaction = &self.message.transaction;
        of.takes_message(
            Some(transaction.session.flow),
            transaction.reverse_path.as_str(),
            self.recipients.iter().map(|to| to.address.as_str()),
            &self.content(),
        )
    }

    /// Erases the address from what policies and servers have said.
    fn erase_from_texts(&mut self, of: &ErasedCorrespondent) {
        let message = &mut self.message;
        for tag in &mut message.tags {
            erase_from_text(of, tag);
        }
        if let Some(quarantine) = &mut message.quarantine {
            erase_from_text(of, &mut quarantine.reason);
        }
        if let Some(metadata) = &mut message.metadata
            && let Some(erased) = of.address.erased_from_json(metadata)
        {
            *metadata = erased;
        }
        if let Some(judgements) = without::<Vec<Judgement>>(of, &message.judgements) {
            message.judgements = judgements;
        }
        for recipient in &mut self.recipients {
            if let RecipientState::Suppressed { reason } = &mut recipient.state {
                erase_from_text(of, reason);
            }
            if let Some(reply) = &recipient.last_reply
                && let Some(erased) = without::<Reply>(of, reply)
            {
                recipient.last_reply = Some(erased);
            }
        }
    }
}

fn erase_from_text(of: &ErasedCorrespondent, text: &mut String) {
    if let Some(erased) = of.address.erased_from(text) {
        *text = erased;
    }
}

/// Returns a value without the address, if it was there.
fn without<T: Serialize + DeserializeOwned>(of: &ErasedCorrespondent, value: &T) -> Option<T> {
    let json = serde_json::to_string(value).ok()?;
    let erased = of.address.erased_from_json(&json)?;
    serde_json::from_str(&erased).ok()
}
