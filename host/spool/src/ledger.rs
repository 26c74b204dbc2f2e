//! Ledgers of the store: events, suppressed addresses, learnt Message-IDs, answers under keys. Their
//! seams, and entries that are committed with a message or a result.

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{
    Event, EventName, KeyedAnswer, LearntId, StoredEvent, Suppression, SuppressionCause,
    SuppressionChange,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{Ticket, event_entry::EventEntry};

/// Entries for the ledgers, written in the commit of the message or the result that they come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Ledger {
    /// Events, in order.
    pub(crate) events: Vec<EventEntry>,
    /// Changes to suppression lists, in order.
    pub suppressions: Vec<SuppressionChange>,
    /// Message-IDs that were learnt.
    pub learnt: Vec<LearntId>,
    /// Answers to requests that were made under a key.
    pub answers: Vec<KeyedAnswer>,
}

/// Most entries of one kind that come with one message or result.
const MAX_ENTRIES: usize = 10_000;

impl Ledger {
    /// Makes the entries of events.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let mut ledger = Self::default();
        ledger.tell(events);
        ledger
    }

    /// Appends events, with each text cut to its bound.
    pub fn tell(&mut self, events: impl IntoIterator<Item = Event>) {
        self.events
            .extend(events.into_iter().filter_map(EventEntry::of));
    }

    /// Returns the events, in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.events.iter().map(EventEntry::event)
    }

    /// Returns true if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        self.events.len() + self.suppressions.len() + self.learnt.len() + self.answers.len()
    }

    /// Returns the octets of the answers, the only entries that may be as long as a message.
    pub(crate) fn answer_octets(&self) -> u64 {
        self.answers.iter().map(|of| of.answer.len() as u64).sum()
    }

    /// Appends other entries.
    pub fn extend(&mut self, other: Self) {
        self.events.extend(other.events);
        self.suppressions.extend(other.suppressions);
        self.learnt.extend(other.learnt);
        self.answers.extend(other.answers);
    }

    /// Cuts each text to its bound, and drops entries that no ledger takes.
    pub(crate) fn bound(&mut self) {
        let many = [
            self.events.len(),
            self.suppressions.len(),
            self.learnt.len(),
            self.answers.len(),
        ];
        if many.into_iter().any(|entries| entries > MAX_ENTRIES) {
            tracing::error!("too many entries of one message: the rest is dropped");
        }
        self.events.truncate(MAX_ENTRIES);
        let changes = std::mem::take(&mut self.suppressions).into_iter();
        self.suppressions = changes
            .take(MAX_ENTRIES)
            .filter_map(bounded_change)
            .collect();
        self.learnt.truncate(MAX_ENTRIES);
        self.learnt.retain(LearntId::is_storable);
        self.answers.truncate(MAX_ENTRIES);
        self.answers.retain(KeyedAnswer::is_storable);
    }
}

fn bounded_change(change: SuppressionChange) -> Option<SuppressionChange> {
    Some(match change {
        SuppressionChange::Suppress(entry) => SuppressionChange::Suppress(entry.bounded()?),
        SuppressionChange::Count {
            entry,
            limit,
            since,
        } => SuppressionChange::Count {
            entry: entry.bounded()?,
            limit,
            since,
        },
        SuppressionChange::Delivered { .. } => change,
    })
}

/// Events to read. A field that is `None` does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EventFilter {
    /// Restricts to one account.
    pub account: Option<String>,
    /// Restricts to these kinds; an empty list does not.
    #[serde(default)]
    pub kinds: Vec<EventName>,
    /// Restricts to one message.
    pub transaction: Option<TransactionId>,
}

impl EventFilter {
    /// Returns true if the event is wanted.
    pub fn wants(&self, event: &Event) -> bool {
        let account = self.account.as_ref();
        account.is_none_or(|account| event.account.as_ref() == Some(account))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind.name()))
            && (self.transaction).is_none_or(|id| event.transaction == Some(id))
    }
}

/// Events that one call has read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EventPage {
    /// Events, in order of their numbers.
    pub events: Vec<StoredEvent>,
    /// Number after which the next call goes on. Events before it that are not in the page were not
    /// wanted.
    pub next: u64,
    /// True if there may be more after that.
    pub more: bool,
}

/// Most events that one call looks at, wanted or not.
pub const READ_AT_ONCE: usize = 10_000;

/// Bounds of what a ledger keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Time of the oldest entry that is kept.
    pub since: Millis,
    /// Most entries; the oldest beyond that are dropped.
    pub most: u64,
}

/// Entries dropped from a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Number of entries.
    pub entries: u64,
    /// True if there may be more to drop than one call does; call it again soon.
    pub more: bool,
}

/// Events of all accounts, in the order of their numbers.
///
/// A number is given in the commit that makes the event durable, and belongs to one event for ever.
/// Whoever has read an event has read, or could have read, all with lower numbers: none appears
/// later. Numbers may be left out.
pub trait EventLog: Send + Sync + 'static {
    /// Stores events that come with no message and no result; returns the number of the last.
    ///
    /// # Errors
    /// [`SpoolError::Full`](crate::SpoolError::Full) as for a message.
    fn append(&self, events: Vec<Event>) -> Ticket<u64>;

    /// Reads up to `limit` events with numbers above `after`. A call looks at no more than
    /// [`READ_AT_ONCE`] events, so a page may be empty while there are [more](EventPage::more).
    fn read(&self, after: u64, filter: EventFilter, limit: usize) -> Ticket<EventPage>;

    /// Returns the number of the oldest event that is kept; 0 if there is none. All events with
    /// lower numbers were dropped. Events of the last moments are not looked at.
    fn first(&self) -> Ticket<u64>;

    /// Returns the first event of a message. Events of the last moments may not be found yet: this
    /// costs no commit.
    fn first_of(&self, message: TransactionId) -> Ticket<Option<StoredEvent>>;

    /// Sets whether the store tells what it does itself, for operators and of late mail. It does
    /// unless it is told otherwise; events that are handed in are stored in any case.
    fn set_recording(&self, records: bool);

    /// Returns the number of the last event, to read and to wait for: it changes with each commit
    /// that holds events, and a change is never missed.
    fn last(&self) -> watch::Receiver<u64>;

    /// Returns a reader's durable cursor: the number after which it goes on.
    fn cursor(&self, name: &str) -> Ticket<Option<u64>>;

    /// Stores a reader's cursor; `None` deletes it.
    fn set_cursor(&self, name: &str, after: Option<u64>) -> Ticket<()>;

    /// Drops events that are too old or too many, a [bounded](crate::EXPIRE_AT_ONCE) number of them
    /// a call. The last event always stays: the next number follows from it.
    fn expire_events(&self, keep: Keep) -> Ticket<Dropped>;
}

/// Entries of suppression lists to list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SuppressionFilter {
    /// Restricts to one account.
    pub account: Option<String>,
    /// Restricts to one cause. Without one, addresses whose bounces are only counted are left out.
    pub cause: Option<SuppressionCause>,
    /// Account and address of the last entry of the previous page; the list goes on after it.
    pub after: Option<(String, String)>,
    /// Most entries.
    pub limit: usize,
}

impl Default for SuppressionFilter {
    /// Lists the first hundred of all entries.
    fn default() -> Self {
        Self {
            account: None,
            cause: None,
            after: None,
            limit: 100,
        }
    }
}

impl SuppressionFilter {
    /// Returns true if an entry is wanted, wherever it is in the order.
    pub(crate) fn wants(&self, entry: &Suppression) -> bool {
        let account = self.account.as_ref();
        account.is_none_or(|account| entry.account == *account)
            && match self.cause {
                Some(cause) => entry.cause == cause,
                None => entry.cause.suppresses(),
            }
    }
}

/// Most entries of one account's suppression list. Beyond that the oldest that no person has put
/// there makes room; if there is none, the new entry is not stored.
pub const MAX_SUPPRESSIONS: usize = 100_000;

/// Suppression lists. Addresses are in canonical form.
pub trait Suppressions: Send + Sync + 'static {
    /// Returns the entry of an address that is suppressed. If nothing is recorded of the address,
    /// the answer comes from memory.
    fn find(&self, account: &str, address: &str) -> Ticket<Option<Suppression>>;

    /// Adds entries; one that is there is replaced. Returns how many were stored.
    fn add(&self, entries: Vec<Suppression>) -> Ticket<u64>;

    /// Removes an entry; `false` if there is none.
    fn remove(&self, account: &str, address: &str) -> Ticket<bool>;

    /// Lists entries, in order of account and address.
    fn page(&self, filter: SuppressionFilter) -> Ticket<Vec<Suppression>>;

    /// Returns the number of entries of one account or of all, with those whose bounces are only
    /// counted. Never waits.
    fn count(&self, account: Option<&str>) -> u64;

    /// Drops addresses whose last counted bounce is before that time, and which are not suppressed.
    fn expire_counting(&self, before: Millis) -> Ticket<Dropped>;
}

/// Message-IDs that mail services gave our messages.
pub trait LearntIds: Send + Sync + 'static {
    /// Stores a Message-ID that was learnt without a message or a result. One that is known stays as
    /// it was learnt first, whatever comes with a message or a result.
    fn learn(&self, learnt: LearntId) -> Ticket<()>;

    /// Returns our Message-ID of the message that the account's service named so.
    fn ours_of(&self, account: &str, theirs: &str) -> Ticket<Option<String>>;

    /// Drops Message-IDs that are too old or too many.
    fn expire_learnt(&self, keep: Keep) -> Ticket<Dropped>;
}

/// Answers to programs that handed in a message under a key of their own.
///
/// An answer is stored in the commit of its message ([`Ledger::answers`]). The first one under a key
/// stays: whoever hands in a message looks for its key before, and lets nobody else use the key
/// meanwhile.
pub trait KeyedAnswers: Send + Sync + 'static {
    /// Returns the answer that this program of the account got under a key. If the key is not known,
    /// the answer comes from memory.
    fn answer_under(&self, account: &str, program: &str, key: &str) -> Ticket<Option<KeyedAnswer>>;

    /// Drops answers that are too old or too many, a [bounded](crate::EXPIRE_AT_ONCE) number of them
    /// a call. Their keys are as if they had never been used.
    fn expire_answers(&self, keep: Keep) -> Ticket<Dropped>;
}

/// Returns the name of a program's key among those of its account; no other program and key have it.
pub(crate) fn key_name(program: &str, key: &str) -> String {
    format!("{}:{program}:{key}", program.len())
}
