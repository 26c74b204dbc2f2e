//! Erasure of an account, or of one correspondent's address: all that the store holds of it, some at a
//! time. And what an account keeps for a shorter time than the site.
//!
//! Whoever erases walks over the store by a [cursor](EraseCursor), from its default until nothing is
//! [left](ErasureStep::next). Messages of which an attempt is under way are left where they are, and
//! counted: once the attempt has ended, another walk finds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatepost_message::{Body, Message, Millis, SoughtAddress, TransactionId};
use gatepost_model::{Event, Flow};
use serde::{Deserialize, Serialize};

use crate::Ticket;

/// Messages and events that one step of an erasure looks at, of any account.
pub const ERASE_AT_ONCE: usize = 2000;

/// Place in the store up to which an erasure has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EraseCursor {
    /// Place among the messages.
    pub(crate) message: u64,
    /// Number of an event.
    pub(crate) event: u64,
}

/// Numbers of what one step of an erasure has removed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct ErasedRows {
    /// Messages: queued, held, in quarantine and kept.
    pub messages: u64,
    /// Recipients of messages that stay with their other recipients.
    #[serde(default)]
    pub recipients: u64,
    /// Events.
    pub events: u64,
    /// Entries of the suppression list.
    pub suppressions: u64,
    /// Message-IDs that mail services gave.
    pub learnt_ids: u64,
    /// Answers to programs under their keys.
    pub keyed_answers: u64,
    /// Marks, counts and machines of policies.
    pub counters: u64,
    /// Messages that stay for now, because an attempt is under way.
    pub under_way: u64,
}

/// Step of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErasureStep {
    /// Rows that were removed.
    pub erased: ErasedRows,
    /// Place at which the next step goes on; `None` at the end of the store.
    pub next: Option<EraseCursor>,
}

impl ErasedRows {
    /// Adds the numbers of a step. Messages with an attempt under way are found by each walk anew, and
    /// are not added.
    pub fn add(&mut self, step: Self) {
        self.messages += step.messages;
        self.recipients += step.recipients;
        self.events += step.events;
        self.suppressions += step.suppressions;
        self.learnt_ids += step.learnt_ids;
        self.keyed_answers += step.keyed_answers;
        self.counters += step.counters;
    }
}

/// Octets of the body of a notice that are searched: a notice names its recipients at its beginning.
const SEARCHED: usize = 256 << 10;

/// Correspondent that is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedCorrespondent {
    /// Account whose correspondent it is; `None` for all accounts, and mail of none.
    pub account: Option<String>,
    /// The address.
    pub address: SoughtAddress,
    /// True if entries of suppression lists stay, as an operator's.
    pub keep_suppression: bool,
}

impl ErasedCorrespondent {
    /// Returns true if something of an account is looked at.
    pub(crate) fn is_of(&self, account: Option<&str>) -> bool {
        (self.account.as_deref()).is_none_or(|erased| account == Some(erased))
    }

    /// Returns true if a whole message goes: it is to nobody else, it comes from the address, or it is
    /// a notice of the relay that names it.
    pub(crate) fn takes_message<'a>(
        &self,
        flow: Option<Flow>,
        reverse_path: &str,
        recipients: impl IntoIterator<Item = &'a str>,
        message: &Message,
    ) -> bool {
        let mut recipients = recipients.into_iter().peekable();
        let is_to_nobody_else =
            recipients.peek().is_some() && recipients.all(|to| self.address.is(to));
        let is_author = || {
            let authors = ["From", "Sender"].map(|name| message.headers_named(name));
            let mut authors = authors.iter().flatten();
            authors.any(|author| self.address.is_in(author))
        };
        is_to_nobody_else
            || self.address.is(reverse_path)
            || match flow {
                Some(Flow::Internal) => self.is_named_in(message),
                Some(Flow::Submission) => false,
                Some(Flow::Inbound) | None => is_author(),
            }
    }

    fn is_named_in(&self, message: &Message) -> bool {
        let body = beginning(&**message.body());
        self.address.is_in(&String::from_utf8_lossy(message.head()))
            || self.address.is_in(&String::from_utf8_lossy(&body))
    }

    /// Returns true if an event goes: it is about mail to the address, or of it.
    pub(crate) fn takes_event(&self, event: &Event) -> bool {
        let mut addresses = [&event.recipient, &event.address].into_iter().flatten();
        addresses.any(|of| self.address.is(of.as_str()))
    }
}

/// Returns the first octets of a body; those before the first that cannot be read.
fn beginning(body: &dyn Body) -> Vec<u8> {
    let length = usize::try_from(body.len())
        .unwrap_or(SEARCHED)
        .min(SEARCHED);
    let (mut octets, mut read) = (vec![0; length], 0);
    while read < length {
        match body.read_at(read as u64, &mut octets[read..]) {
            Ok(some) if some > 0 => read += some,
            _ => break,
        }
    }
    octets.truncate(read);
    octets
}

/// Accounts, each with the time before which nothing of its mail is kept.
pub type KeptSince = BTreeMap<String, Millis>;

/// Removal of all that the store holds of an account, or of a correspondent.
pub trait Erasure: Send + Sync + 'static {
    /// Returns the transactions of the messages and events of the account that the step from this
    /// place would remove.
    fn erasable(&self, account: &str, from: EraseCursor) -> Ticket<Vec<TransactionId>>;

    /// Removes what the step from this place finds of the account: messages without a notice or an
    /// event, events, and with the first step what is not kept by message. The last event stays
    /// numbered: a notice without an account takes its place.
    ///
    /// # Errors
    /// The store cannot be read or written; nothing of the step was done.
    fn erase(&self, account: &str, from: EraseCursor) -> Ticket<ErasureStep>;

    /// Removes what the step from this place finds of a correspondent, without a notice or an event
    /// that tells of it:
    ///
    /// - messages to nobody else or from the address, and the relay's own notices that name it;
    /// - the address from the recipients of other messages;
    /// - events about it; with the first step entries of suppression lists, machines, and marks, counts
    ///   and Message-IDs whose key names it.
    ///
    /// In other events, in replies of other recipients and in answers to programs, the address gives way
    /// to [`ERASED_ADDRESS`](gatepost_message::ERASED_ADDRESS). Numbers of events go on as they do in
    /// [`Erasure::erase`].
    ///
    /// # Errors
    /// The store cannot be read or written; nothing of the step was done.
    fn erase_correspondent(
        &self,
        erased: &Arc<ErasedCorrespondent>,
        from: EraseCursor,
    ) -> Ticket<ErasureStep>;

    /// Removes what the step from this place finds of accounts whose time for it is over: events, but for
    /// the last one of all, and messages that are kept since they failed.
    ///
    /// # Errors
    /// The store cannot be read or written; nothing of the step was done.
    fn drop_older(&self, since: &Arc<KeptSince>, from: EraseCursor) -> Ticket<ErasureStep>;

    /// Removes these messages, but those of which an attempt is under way, without a notice or an event.
    ///
    /// # Errors
    /// The store cannot be read or written; nothing was done.
    fn erase_messages(&self, ids: Vec<TransactionId>) -> Ticket<ErasedRows>;

    /// Overwrites on the disk what was removed: free pages, logs and the journal hold nothing of it
    /// any more. Mail waits for it a moment.
    ///
    /// # Errors
    /// The store cannot be written.
    fn overwrite_erased(&self) -> Ticket<()>;
}
