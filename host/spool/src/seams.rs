//! The seams of a store: what a caller may ask of it, each trait for one kind of caller.
//!
//! - [`Queue`]: intake, which accepts mail, and delivery, which takes it away.
//! - [`QueueAdmin`]: operators and monitors.
//! - [`Counters`]: policies' effects, and what was remembered by them.
//! - [`BodyStore`]: the bytes of large messages.
//! - [`EventLog`], [`Suppressions`], [`LearntIds`], [`KeyedAnswers`]: the ledgers.
//! - [`Erasure`]: the removal of all that is kept of an account.
//!
//! All times are the caller's: a store has no clock of its own.

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use gatepost_counters::{KnownMachine, Memory, RememberedTotals};
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{DestinationKey, Effect, Scope};
use tokio::sync::Notify;

use crate::{
    BodyStore, Changed, Claim, CopyReport, DestinationSummary, Dropped, Erasure, EventLog, Expired,
    Filter, Forgotten, Keep, KeyedAnswers, LearntIds, Lease, NewMessage, Owner, Pace, QueueDepth,
    Record, Recorded, Report, Selection, SpoolError, Summary, Suppressions,
};

/// Future result of an operation. For one that changes the store it resolves after the change is as
/// durable as the store makes it: on the disk, if it has one. The operation runs whether or not the
/// ticket is awaited; dropping the ticket does not undo it.
pub type Ticket<T> = Pin<Box<dyn Future<Output = Result<T, SpoolError>> + Send>>;

/// Messages on their way: accepted, claimed, and done with.
pub trait Queue: Send + Sync + 'static {
    /// Returns `Err(SpoolError::Full)` while the store is below its watermark and intake is
    /// stopped. At most 100 ms old; never waits.
    fn room(&self) -> Result<(), SpoolError>;

    /// Stores a message with its effects, in one commit.
    ///
    /// A message without a recipient that is queued, held or quarantined is not stored; its effects
    /// are.
    ///
    /// # Errors
    /// [`SpoolError::Full`] (answer 452), [`SpoolError::Duplicate`] if the id is in the store;
    /// after any error nothing of this message is in the store.
    fn accept(&self, message: NewMessage) -> Ticket<()>;

    /// Attaches delivery for the direct hand-off: messages that are due when they are accepted are
    /// leased to this owner in the same commit, as long as not too many of them wait to be claimed.
    fn attach(&self, owner: Owner, lease: Duration);

    /// Leases recipients of up to `limit` messages. A claim has the recipients of one message that
    /// are due at one destination, or that have no route.
    ///
    /// Destinations that have room by their pace take turns; within one, the accounts take turns,
    /// and an account's messages come longest due first. Recipients without a route take part like
    /// those of one more destination, without a pace. Recipients whose
    /// [attention](crate::RecipientResult::attention_at) is due are claimed whatever the pace.
    ///
    /// A recipient whose lease ran out is due again, so `lease` must exceed the longest duration of
    /// an attempt.
    fn claim(&self, owner: Owner, now: Millis, limit: usize, lease: Duration)
    -> Ticket<Vec<Claim>>;

    /// Sets how much of a destination may be in hand; until it is set, [`Pace::default`] holds. It
    /// is kept in memory, and never waits. A destination that nobody uses may be forgotten with its
    /// pace once [`Pace::not_before`] has passed.
    fn set_pace(&self, destination: &DestinationKey, pace: Pace);

    /// Counts claimed recipients, without a route or with another, as in hand at this destination.
    ///
    /// Returns false, and changes nothing, if the destination has no room or is closed, if others
    /// that wait there are due and there is no room for both, or if the lease is not held. Delivery
    /// then [returns](crate::AttemptOutcome::Returned) them with their route. Time is that of the
    /// latest claim. Never waits.
    fn enter(
        &self,
        message: TransactionId,
        lease: Lease,
        numbers: &[u32],
        destination: &DestinationKey,
    ) -> bool;

    /// Sets a claim aside, without a commit: it waits in memory for room at the destination to which
    /// the report returns all its recipients, still leased. It has its turn as it would have it in
    /// the store, and is handed out by [`Queue::claim`] with its own lease. What an operator lists or
    /// changes goes back to the store before.
    ///
    /// # Errors
    /// The report, to be [recorded](Queue::record): it does more than to return all recipients to
    /// one destination, that destination is closed, or too many claims wait in memory.
    fn set_aside(&self, claim: &Claim, report: Report) -> Result<(), Box<Report>>;

    /// Records the results of an attempt, and the notices that report them, in one commit. Results
    /// for which the lease is no longer held are counted and otherwise ignored; the notices are
    /// stored only if at least one result was applied.
    ///
    /// # Errors
    /// After an error nothing of the report is in the store: it can be handed in again.
    fn record(&self, report: Report) -> Ticket<Recorded>;

    /// Returns the time at which the next recipient can be claimed: it is due at a destination that
    /// has room, its attention is due, or its lease runs out. `None` if nothing waits.
    fn next_due(&self) -> Ticket<Option<Millis>>;

    /// Returns the notifier that wakes one waiter after each commit that may have changed
    /// [`Queue::next_due`]. A wake-up that finds nobody waiting is kept for the next waiter.
    fn changed(&self) -> Arc<Notify>;
}

/// Listings and commands of operators, for the queue and for the quarantine.
pub trait QueueAdmin: Send + Sync + 'static {
    /// Lists the messages of the queue, in order of arrival. Quarantined ones are not among them.
    fn list(&self, filter: Filter) -> Ticket<Vec<Summary>>;

    /// Returns one message of the queue with all that the store holds of it.
    fn show(&self, id: TransactionId) -> Ticket<Option<Record>>;

    /// Returns up to `limit` destinations of the queue, those with most recipients first.
    fn destinations(&self, limit: usize) -> Ticket<Vec<DestinationSummary>>;

    /// Returns the pace of a destination. Never waits.
    fn pace(&self, destination: &DestinationKey) -> Pace;

    /// Makes queued recipients due at `now`. A destination that is closed stays closed.
    fn retry(&self, selection: Selection, now: Millis) -> Ticket<Changed>;

    /// Cancels queued and held recipients, without an attempt and without a bounce.
    fn cancel(&self, selection: Selection, now: Millis) -> Ticket<Changed>;

    /// Holds queued recipients: they are not attempted until they are released.
    fn hold(&self, selection: Selection) -> Ticket<Changed>;

    /// Releases held recipients: they are due at `now`.
    fn release(&self, selection: Selection, now: Millis) -> Ticket<Changed>;

    /// Lists the messages in quarantine, in order of arrival.
    fn quarantine_list(&self, filter: Filter) -> Ticket<Vec<Summary>>;

    /// Returns one message in quarantine with all that the store holds of it.
    fn quarantine_show(&self, id: TransactionId) -> Ticket<Option<Record>>;

    /// Moves a message from quarantine to the queue, due at `now` and with its whole time to live.
    /// `false` if there is no such message in quarantine.
    fn quarantine_release(&self, id: TransactionId, now: Millis) -> Ticket<bool>;

    /// Drops a message in quarantine without notice. `false` if there is none.
    fn quarantine_delete(&self, id: TransactionId, now: Millis) -> Ticket<bool>;

    /// Drops messages whose time in quarantine is over. To be called about once a minute; a call is
    /// [bounded](EXPIRE_AT_ONCE), so that other work gets its turn, and says whether there is
    /// [more](Expired::more).
    fn quarantine_expire(&self, now: Millis) -> Ticket<Expired>;

    /// Lists the messages that are kept because a recipient failed, in order of arrival.
    fn kept_list(&self, filter: Filter) -> Ticket<Vec<Summary>>;

    /// Returns one kept message with all that the store holds of it.
    fn kept_show(&self, id: TransactionId) -> Ticket<Option<Record>>;

    /// Queues recipients of a message again that have failed after an attempt, or only one of them:
    /// due at `now`, without a route, as if they had never been attempted, and with their whole
    /// time to live. The message may be kept or still in the queue.
    fn resend(&self, selection: Selection, now: Millis) -> Ticket<Changed>;

    /// Writes an event for each recipient that waits in the queue, of submitted messages that were
    /// accepted so long ago, and were not told of in this way. Returns the time at which the next
    /// message is late, as far as that is known.
    fn tell_late(&self, now: Millis, after: Duration) -> Ticket<Option<Millis>>;

    /// Drops kept messages that are too old or too many.
    fn expire_kept(&self, keep: Keep) -> Ticket<Dropped>;

    /// Returns the recipients by state, and the age of the queue. Kept messages are left out.
    fn depth(&self) -> Ticket<QueueDepth>;

    /// Copies the store into a folder that exists and is empty, while the store is used. The copy
    /// is of one moment between the call and its end: all that was accepted before the call is in
    /// it, unless it was finished since. Awaited on a tokio runtime, to the end.
    ///
    /// # Errors
    /// [`SpoolError::CopyUnderWay`], or those of writing the copy. A store in memory is not copied.
    fn copy_to(&self, _folder: PathBuf, _report: CopyReport) -> Ticket<()> {
        Box::pin(async { Err(SpoolError::NotCopied("it is in memory".to_owned())) })
    }

    /// Sets the watermark to so many bytes, as [`SpoolSettings::with_min_free`] would have at
    /// start. A store without a watermark does nothing.
    ///
    /// [`SpoolSettings::with_min_free`]: crate::SpoolSettings::with_min_free
    fn set_min_free(&self, _bytes: u64) {}
}

/// Most messages of the quarantine, marks, counts and machines, of each kind, that one call drops
/// because they have expired.
pub const EXPIRE_AT_ONCE: usize = 1000;

/// Counts, marks and machines. Look-ups ([`Memory`]) are answered from the memory of this process
/// and never wait.
pub trait Counters: Memory + 'static {
    /// Applies effects that belong to no message, in order, as those of a transaction of that time.
    /// They are as durable as a message would be.
    ///
    /// # Errors
    /// [`SpoolError::Full`] as for a message; after any error none of them is applied.
    fn apply(&self, effects: Vec<(Scope, Effect)>, time: Millis) -> Ticket<()>;

    /// Lists the machines known at `now`, of one account or of all, by account and address.
    fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine>;

    /// Deletes an address, in canonical form, from the account's machines. `false` if it was not
    /// known at `now`.
    fn forget_machine(&self, account: &str, address: &str, now: Millis) -> Ticket<bool>;

    /// Drops expired marks, counts and machines. To be called about once a minute; a call is
    /// [bounded](EXPIRE_AT_ONCE), so that other work gets its turn, and says whether there is
    /// [more](Forgotten::more).
    fn expire(&self, now: Millis) -> Ticket<Forgotten>;

    /// Returns the size of what is remembered. Never waits for the disk.
    fn remembered(&self) -> RememberedTotals;
}

/// The seams of one store, for whoever hands each of them to its callers.
#[derive(Clone)]
pub struct Stores {
    /// Queue, for intake and delivery.
    pub queue: Arc<dyn Queue>,
    /// Queue, for operators.
    pub admin: Arc<dyn QueueAdmin>,
    /// Counts, marks and machines.
    pub counters: Arc<dyn Counters>,
    /// Bytes of large messages.
    pub bodies: Arc<dyn BodyStore>,
    /// Events.
    pub events: Arc<dyn EventLog>,
    /// Suppression lists.
    pub suppressions: Arc<dyn Suppressions>,
    /// Message-IDs that mail services gave our messages.
    pub learnt: Arc<dyn LearntIds>,
    /// Answers to programs under their keys.
    pub answers: Arc<dyn KeyedAnswers>,
    /// Erasure of accounts.
    pub erasure: Arc<dyn Erasure>,
}

/// A store with all seams but that of bodies.
pub trait Store:
    Queue + QueueAdmin + Counters + EventLog + Suppressions + LearntIds + KeyedAnswers + Erasure
{
}

impl<S> Store for S where
    S: Queue + QueueAdmin + Counters + EventLog + Suppressions + LearntIds + KeyedAnswers + Erasure
{
}

impl Stores {
    /// Returns the seams of a store that has its bodies there.
    pub fn new<S: Store>(store: S, bodies: Arc<dyn BodyStore>) -> Self {
        let store = Arc::new(store);
        Self {
            queue: store.clone(),
            admin: store.clone(),
            counters: store.clone(),
            events: store.clone(),
            suppressions: store.clone(),
            erasure: store.clone(),
            learnt: store.clone(),
            answers: store,
            bodies,
        }
    }
}
