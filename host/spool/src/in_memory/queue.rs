//! Messages and their recipients, as changes of a state. What can fail is checked before anything
//! is changed.

mod correspondent;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
    time::Duration,
};

use gatepost_message::{Body, Message, Millis, TransactionId};
use gatepost_model::{Event, EventKind, EventSubject};
use gatepost_smtp::Reply;

use crate::{
    AttemptOutcome, BodyStore, Changed, Claim, ClaimCause, ClaimedRecipient, DestinationSummary,
    EXPIRE_AT_ONCE, Filter, InitialState, Keep, KeptSince, Lease, NewBody, NewMessage,
    NewRecipient, Owner, QueueDepth, Recipient, RecipientResult, RecipientState, Record, Recorded,
    Report, Selection, SpoolError, Status, Summary,
    direct::LeaseTerms,
    intervention::Intervention,
    message::minutes_late,
    schedule::{Pick, Schedule, ScheduleChange, WaitingPlace},
};

/// All messages, in order of their ids.
#[derive(Debug)]
pub(super) struct QueueState {
    messages: BTreeMap<TransactionId, Stored>,
    pub(super) schedule: Schedule,
    /// True if the state tells what it does itself.
    pub(super) records_events: bool,
    /// Events of that, to be written.
    pub(super) told: Vec<Event>,
}

impl Default for QueueState {
    fn default() -> Self {
        Self {
            messages: BTreeMap::new(),
            schedule: Schedule::default(),
            records_events: true,
            told: Vec::new(),
        }
    }
}

/// A stored message.
#[derive(Debug)]
pub(super) struct Stored {
    /// Message, without effects and recipients.
    message: NewMessage,
    body: Arc<dyn Body>,
    /// Recipients, in the order of their numbers.
    recipients: Vec<Recipient>,
    /// Times of attention, where they are not the end of the message's time.
    attention: BTreeMap<u32, Millis>,
    /// Time until which the message is kept since a recipient has failed.
    keep_until: Option<Millis>,
    /// Time since which it waits, while its account is still to be told that it is late.
    untold_since: Option<Millis>,
}

/// Part of the store that a listing is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Queue,
    Quarantine,
    /// Finished messages that are kept because a recipient failed.
    Kept,
}

/// Results of a report, before they are made.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) recorded: Recorded,
    /// Recipients after the attempt.
    recipients: Vec<Recipient>,
    /// Times of attention of the recipients that are queued again; `None` is the end of the
    /// message's time.
    attention: Vec<(u32, Option<Millis>)>,
    /// Numbers of the recipients that changed.
    changed: Vec<u32>,
    /// Time until which the message is kept from now on, if a recipient has failed.
    keep_until: Option<Millis>,
}

impl Recording {
    /// Returns true if a result of that recipient was applied.
    pub(super) fn applied(&self, number: u32) -> bool {
        self.changed.contains(&number)
    }
}

impl Stored {
    /// Takes a message; its due recipients are leased, if there is a lease.
    pub(super) fn new(
        mut message: NewMessage,
        lease: Option<Lease>,
        body_store: &Arc<dyn BodyStore>,
    ) -> Self {
        let recipients = mem::take(&mut message.recipients);
        let recipients = (0..).zip(recipients).map(|(number, recipient)| {
            let lease = lease.filter(|_| message.is_due(&recipient));
            stored_recipient(number, recipient, &message, lease)
        });
        let recipients: Vec<_> = recipients.collect();
        let untold_since = message.untold_since();
        let addresses = recipients.iter().map(|to| to.address.clone());
        message.transaction.recipients = addresses.collect();
        let body: Arc<dyn Body> = match &message.body {
            NewBody::Inline(bytes) => Arc::new(bytes.clone()),
            NewBody::Staged(staged) => {
                if let Some(bytes) = staged.bytes() {
                    bytes.keep();
                }
                body_store.open(&staged.stored())
            }
        };
        if let NewBody::Staged(staged) = &mut message.body {
            *staged = staged.without_bytes();
        }
        Self {
            message,
            body,
            recipients,
            attention: BTreeMap::new(),
            keep_until: None,
            untold_since,
        }
    }

    pub(super) fn id(&self) -> TransactionId {
        self.message.transaction.id
    }

    fn is_of(&self, account: &str) -> bool {
        self.message.transaction.account.as_deref() == Some(account)
    }

    /// Returns the octets that the queue itself keeps.
    pub(super) fn inline_octets(&self) -> u64 {
        self.message.inline_octets()
    }

    /// Returns the message's id if its body is in the body store.
    pub(super) fn in_body_store(&self) -> Option<TransactionId> {
        matches!(self.message.body, NewBody::Staged(_)).then(|| self.id())
    }

    /// Returns true if a recipient is queued or leased.
    pub(super) fn is_due_ever(&self) -> bool {
        let mut recipients = self.recipients.iter();
        recipients.any(|to| matches!(to.state.status(), Status::Queued | Status::Leased))
    }

    /// Returns a recipient's state for the schedule.
    fn scheduled(&self, recipient: &Recipient) -> ScheduleChange {
        let (id, number) = (self.id(), recipient.number);
        let waiting = |due| WaitingPlace {
            due,
            attention_at: *(self.attention.get(&number)).unwrap_or(&self.message.expires_at),
            account: self.message.transaction.account.clone(),
            destination: recipient
                .route
                .as_ref()
                .map(|route| route.destination.key()),
        };
        match recipient.state {
            RecipientState::Queued { next_attempt } => {
                ScheduleChange::Waits(id, number, waiting(next_attempt))
            }
            RecipientState::Leased { owner, until } => {
                let at = recipient.last_attempt.unwrap_or_default();
                ScheduleChange::Leased(id, number, waiting(at), Lease { owner, until }, at)
            }
            _ => ScheduleChange::Ended(id, number),
        }
    }

    /// Makes an event for each of its recipients that is told of, if its account is.
    fn told(
        &self,
        at: Millis,
        kind: &EventKind,
        is_told: impl Fn(&Recipient) -> bool,
    ) -> Vec<Event> {
        let message = &self.message;
        let (content, metadata) = (self.content(), message.metadata.as_deref());
        let subject = EventSubject::of(&message.transaction, &content, metadata);
        let Some(subject) = subject else {
            return Vec::new();
        };
        let told = self.recipients.iter().filter(|to| is_told(to));
        told.map(|to| subject.event(&to.address, at, kind.clone()))
            .collect()
    }

    fn is_quarantined(recipient: &Recipient) -> bool {
        recipient.state == RecipientState::Quarantined
    }

    fn is_finished(&self) -> bool {
        let mut recipients = self.recipients.iter();
        recipients.all(|recipient| recipient.state.status().is_final())
    }

    fn section(&self) -> Section {
        match self.message.quarantine {
            _ if self.is_finished() => Section::Kept,
            Some(_) => Section::Quarantine,
            None => Section::Queue,
        }
    }

    /// Returns a recipient by its number. Numbers are left out where one was erased.
    fn recipient(&self, number: u32) -> Option<&Recipient> {
        self.recipients.iter().find(|to| to.number == number)
    }

    /// Returns the recipients that the schedule has picked, with the cause of each.
    fn picked<'a>(
        &'a self,
        picked: &'a [(u32, ClaimCause)],
    ) -> impl Iterator<Item = (&'a Recipient, ClaimCause)> {
        let picked = picked.iter();
        picked.filter_map(|(number, cause)| Some((self.recipient(*number)?, *cause)))
    }

    /// Returns true if the selection may concern the message, whatever its recipients.
    fn is_selected(&self, selection: &Selection) -> bool {
        let account = selection.account.as_ref();
        selection.id.is_none_or(|id| id == self.id())
            && account
                .is_none_or(|account| self.message.transaction.account.as_ref() == Some(account))
    }

    /// Makes the claim of the recipients that this lease holds since the message was accepted.
    pub(super) fn direct_claim(&self, lease: Lease) -> Claim {
        let held = self.recipients.iter();
        let held = held.filter(|recipient| recipient.state == leased(lease));
        let picked: Vec<_> = held.map(|to| (to.number, ClaimCause::Due)).collect();
        self.claim(lease, &picked)
    }

    /// Makes the claim of these recipients.
    fn claim(&self, lease: Lease, picked: &[(u32, ClaimCause)]) -> Claim {
        let message = &self.message;
        Claim {
            lease,
            transaction: message.transaction.clone(),
            smtputf8: message.smtputf8,
            dsn: message.dsn.clone(),
            sender: message.sender,
            message: self.content(),
            tags: message.tags.clone(),
            classification: message.classification,
            metadata: message.metadata.clone(),
            received_at: message.received_at,
            expires_at: message.expires_at,
            recipients: (self.picked(picked))
                .map(|(recipient, cause)| ClaimedRecipient {
                    number: recipient.number,
                    address: recipient.address.clone(),
                    dsn: recipient.dsn.clone(),
                    delay_told: recipient.delay_told,
                    attempts: recipient.attempts,
                    last_reply: recipient.last_reply.clone(),
                    last_server: recipient.last_server.clone(),
                    route: recipient.route.clone(),
                    cause,
                })
                .collect(),
        }
    }

    fn content(&self) -> Message {
        Message::from_parts(self.message.head.clone(), Arc::clone(&self.body))
    }

    fn summary(&self) -> Summary {
        let message = &self.message;
        Summary {
            id: self.id(),
            account: message.transaction.account.clone(),
            reverse_path: message.transaction.reverse_path.clone(),
            received_at: message.received_at,
            expires_at: message.expires_at,
            size: message.size(),
            tags: message.tags.clone(),
            quarantine: message.quarantine.clone(),
            recipients: self.recipients.clone(),
        }
    }

    fn record(&self) -> Record {
        let message = &self.message;
        Record {
            summary: self.summary(),
            transaction: message.transaction.clone(),
            classification: message.classification,
            judgements: message.judgements.clone(),
            smtputf8: message.smtputf8,
            dsn: message.dsn.clone(),
            metadata: message.metadata.clone(),
            message: self.content(),
        }
    }
}

/// Returns the recipient of a message as it is stored at first.
fn stored_recipient(
    number: u32,
    recipient: NewRecipient,
    message: &NewMessage,
    lease: Option<Lease>,
) -> Recipient {
    let quarantined = message.quarantine.is_some();
    let mut last_reply = None;
    let state = match recipient.state {
        InitialState::Queued { .. } | InitialState::Held if quarantined => {
            RecipientState::Quarantined
        }
        InitialState::Queued { next_attempt } => {
            lease.map_or(RecipientState::Queued { next_attempt }, leased)
        }
        InitialState::Held => RecipientState::Held,
        InitialState::Suppressed { reason } => RecipientState::Suppressed { reason },
        InitialState::Failed { reply } => {
            last_reply = Some(reply);
            RecipientState::Failed
        }
    };
    Recipient {
        number,
        address: recipient.address,
        state,
        attempts: 0,
        last_attempt: lease.map(|_| message.received_at),
        last_reply,
        last_server: None,
        dsn: recipient.dsn,
        delay_told: false,
        route: None,
    }
}

fn cancelled(why: &str) -> EventKind {
    EventKind::Cancelled {
        why: why.to_owned(),
    }
}

/// Returns the earlier of two times.
fn earlier(one: Option<Millis>, other: Option<Millis>) -> Option<Millis> {
    one.into_iter().chain(other).min()
}

fn leased(lease: Lease) -> RecipientState {
    RecipientState::Leased {
        owner: lease.owner,
        until: lease.until,
    }
}

/// Ends an attempt for a recipient; returns true if the lease was still held, so that it counts.
fn end_attempt(recipient: &mut Recipient, lease: Lease, result: &RecipientResult) -> bool {
    if recipient.state != leased(lease) {
        return false;
    }
    if let Some(route) = &result.route {
        recipient.route = Some(route.clone());
    }
    let mut attempted = |reply: &Reply, server: Option<&String>| {
        recipient.attempts += 1;
        recipient.last_reply = Some(reply.clone());
        recipient.last_server = server.cloned();
    };
    recipient.state = match &result.outcome {
        AttemptOutcome::Delivered { reply, server } => {
            attempted(reply, Some(server));
            RecipientState::Delivered
        }
        AttemptOutcome::Deferred {
            reply,
            server,
            next_attempt,
            delay_told,
        } => {
            attempted(reply, server.as_ref());
            recipient.delay_told |= delay_told;
            RecipientState::Queued {
                next_attempt: *next_attempt,
            }
        }
        AttemptOutcome::Failed { reply, server } => {
            attempted(reply, server.as_ref());
            RecipientState::Failed
        }
        AttemptOutcome::Held { reply } => {
            attempted(reply, None);
            RecipientState::Held
        }
        AttemptOutcome::Discarded { reason } => RecipientState::Suppressed {
            reason: reason.clone(),
        },
        AttemptOutcome::Returned {
            next_attempt,
            reply,
            server,
        } => {
            if let Some(reply) = reply {
                recipient.last_reply = Some(reply.clone());
                recipient.last_server = server.clone();
            }
            RecipientState::Queued {
                next_attempt: *next_attempt,
            }
        }
    };
    true
}

impl QueueState {
    /// Checks that a message can be stored.
    pub(super) fn check(&self, message: &NewMessage) -> Result<(), SpoolError> {
        message.staged()?;
        let id = message.transaction.id;
        match self.messages.contains_key(&id) {
            true => Err(SpoolError::Duplicate(id)),
            false => Ok(()),
        }
    }

    /// Stores a message that was checked.
    pub(super) fn insert(&mut self, stored: Stored) {
        for recipient in &stored.recipients {
            self.schedule.apply(stored.scheduled(recipient));
        }
        self.messages.insert(stored.id(), stored);
    }

    /// Makes the lease of a message that is handed off as soon as it is stored.
    pub(super) fn direct_lease(&mut self, message: &NewMessage, terms: LeaseTerms) -> Lease {
        (self.schedule).lease(terms.owner, message.received_at, terms.lease)
    }

    /// Leases recipients of up to `limit` messages, as the schedule picks them.
    pub(super) fn claim(
        &mut self,
        owner: Owner,
        now: Millis,
        limit: usize,
        length: Duration,
    ) -> Vec<Claim> {
        let chosen = self.schedule.claim(owner, now, limit, length);
        let mut claims = chosen.set_aside;
        let Some(lease) = chosen.lease else {
            return claims;
        };
        let claim = |pick: Pick| {
            let stored = self.messages.get_mut(&pick.message)?;
            for (number, _) in &pick.recipients {
                let mut recipients = stored.recipients.iter_mut();
                if let Some(recipient) = recipients.find(|to| to.number == *number) {
                    recipient.state = leased(lease);
                    recipient.last_attempt = Some(now);
                }
            }
            Some(stored.claim(lease, &pick.recipients))
        };
        claims.extend(chosen.picks.into_iter().filter_map(claim));
        claims
    }

    /// Makes recipients due again that were leased and never attempted; returns true if any is.
    pub(super) fn return_unattempted(&mut self, claims: &[Claim]) -> bool {
        let mut returned = false;
        for claim in claims {
            let Some(stored) = self.messages.get_mut(&claim.transaction.id) else {
                continue;
            };
            let outcome = AttemptOutcome::Returned {
                next_attempt: claim.received_at,
                reply: None,
                server: None,
            };
            for number in 0..stored.recipients.len() {
                let recipient = &mut stored.recipients[number];
                let result = RecipientResult::of(recipient.number, outcome.clone());
                if end_attempt(recipient, claim.lease, &result) {
                    returned = true;
                    self.schedule
                        .apply(stored.scheduled(&stored.recipients[number]));
                }
            }
        }
        returned
    }

    /// Makes all leased recipients due as they were when they were leased, and a new schedule.
    pub(super) fn end_leases(&mut self) {
        self.schedule = Schedule::default();
        for stored in self.messages.values_mut() {
            for recipient in &mut stored.recipients {
                if let RecipientState::Leased { .. } = recipient.state {
                    recipient.state = RecipientState::Queued {
                        next_attempt: recipient.last_attempt.unwrap_or_default(),
                    };
                }
            }
            for recipient in &stored.recipients {
                self.schedule.apply(stored.scheduled(recipient));
            }
        }
    }

    /// Returns the results of a report, and checks that its notices can be stored.
    pub(super) fn prepare(&self, report: &Report) -> Result<Recording, SpoolError> {
        let stored = self.messages.get(&report.message);
        let recipients = stored.map(|stored| stored.recipients.clone());
        let mut recording = Recording {
            recorded: Recorded::default(),
            recipients: recipients.unwrap_or_default(),
            attention: Vec::new(),
            changed: Vec::new(),
            keep_until: None,
        };
        for result in &report.results {
            let recipient = (recording.recipients.iter_mut())
                .find(|recipient| recipient.number == result.number);
            if recipient.is_some_and(|to| end_attempt(to, report.lease, result)) {
                recording.recorded.applied += 1;
                recording.changed.push(result.number);
                if let AttemptOutcome::Failed { .. } = result.outcome {
                    recording.keep_until = report.keep_until;
                }
                recording
                    .attention
                    .push((result.number, result.attention_at));
            } else {
                recording.recorded.ignored += 1;
            }
        }
        if recording.recorded.applied > 0 {
            let mut recipients = recording.recipients.iter();
            recording.recorded.finished =
                recipients.all(|recipient| recipient.state.status().is_final());
            let mut ids = BTreeSet::new();
            for notice in &report.notices {
                self.check(notice)?;
                if !ids.insert(notice.transaction.id) {
                    return Err(SpoolError::Duplicate(notice.transaction.id));
                }
            }
        }
        Ok(recording)
    }

    /// Makes the results of a report; returns the message if it is finished and not kept.
    pub(super) fn record(&mut self, id: TransactionId, recording: Recording) -> Option<Stored> {
        let stored = self.messages.get_mut(&id)?;
        stored.recipients = recording.recipients;
        for (number, at) in recording.attention {
            match at {
                Some(at) => drop(stored.attention.insert(number, at)),
                None => drop(stored.attention.remove(&number)),
            }
        }
        for number in recording.changed {
            if let Some(recipient) = stored.recipient(number) {
                self.schedule.apply(stored.scheduled(recipient));
            }
        }
        stored.keep_until = recording.keep_until.or(stored.keep_until);
        if !recording.recorded.finished {
            return None;
        }
        match stored.keep_until {
            Some(_) => {
                self.schedule.apply(ScheduleChange::Gone(id));
                None
            }
            None => self.messages.remove(&id),
        }
    }

    /// Queues recipients again that have failed after an attempt.
    pub(super) fn resend(&mut self, selection: &Selection, now: Millis) -> Changed {
        let wanted = selection.canonical_recipient();
        let mut changed = Changed::default();
        let (mut scheduled, mut told) = (Vec::new(), Vec::new());
        let messages = self.messages.values_mut();
        for stored in messages.filter(|stored| stored.is_selected(selection)) {
            let mut numbers = Vec::new();
            for recipient in &mut stored.recipients {
                let failed = recipient.state == RecipientState::Failed && recipient.attempts > 0;
                if failed
                    && Selection::concerns(wanted.as_deref(), &recipient.address)
                    && selection.leads_to(recipient.route.as_ref())
                {
                    recipient.state = RecipientState::Queued { next_attempt: now };
                    recipient.attempts = 0;
                    recipient.delay_told = false;
                    recipient.route = None;
                    numbers.push(recipient.number);
                }
            }
            if numbers.is_empty() {
                continue;
            }
            stored.keep_until = None;
            let message = &mut stored.message;
            message.expires_at = now + message.expires_at.since(message.received_at);
            message.received_at = now;
            changed.changed += numbers.len() as u64;
            let is_told = |to: &Recipient| numbers.contains(&to.number);
            told.extend(stored.told(now, &EventKind::Queued, is_told));
            for number in numbers {
                stored.attention.remove(&number);
                scheduled.extend(stored.recipient(number).map(|to| stored.scheduled(to)));
            }
        }
        scheduled
            .into_iter()
            .for_each(|change| self.schedule.apply(change));
        self.tell(told);
        changed
    }

    /// Notes events, if they are recorded.
    fn tell(&mut self, events: Vec<Event>) {
        if self.records_events {
            self.told.extend(events);
        }
    }

    /// Tells of late messages; returns the time at which the next is late.
    pub(super) fn tell_late(&mut self, now: Millis, after: Duration) -> Option<Millis> {
        let (mut events, mut next) = (Vec::new(), None);
        for stored in self.messages.values_mut() {
            match stored.untold_since {
                None => {}
                Some(since) if since + after > now => next = earlier(next, Some(since + after)),
                Some(since) => {
                    stored.untold_since = None;
                    let minutes = minutes_late(since, now);
                    let waits = |to: &Recipient| {
                        matches!(to.state.status(), Status::Queued | Status::Leased)
                    };
                    events.extend(stored.told(now, &EventKind::Late { minutes }, waits));
                }
            }
        }
        self.tell(events);
        next
    }

    /// Drops kept messages that are too old or too many.
    pub(super) fn expire_kept(&mut self, keep: Keep) -> Vec<Stored> {
        let kept = self.messages.values();
        let kept = kept.filter(|stored| stored.section() == Section::Kept);
        let mut kept: Vec<_> = kept
            .map(|stored| (stored.keep_until, stored.id()))
            .collect();
        kept.sort_unstable();
        let most = usize::try_from(keep.most).unwrap_or(usize::MAX);
        let over = kept.len().saturating_sub(most);
        let kept = kept.into_iter().enumerate();
        let dropped = kept.filter(|(rank, (until, _))| {
            *rank < over || until.is_none_or(|until| until < keep.since)
        });
        let dropped = dropped.take(EXPIRE_AT_ONCE);
        dropped
            .filter_map(|(_, (_, id))| self.messages.remove(&id))
            .collect()
    }

    /// Removes kept messages of accounts whose time is over, and returns them.
    pub(super) fn drop_older(&mut self, since: &KeptSince) -> Vec<Stored> {
        let kept = self.messages.values();
        let kept = kept.filter(|stored| stored.section() == Section::Kept);
        let older = kept.filter(|stored| {
            let message = &stored.message;
            let account = message.transaction.account.as_deref();
            let since = account.and_then(|account| since.get(account));
            since.is_some_and(|since| message.received_at < *since)
        });
        let ids: Vec<_> = older.map(Stored::id).collect();
        let removed = ids.iter().filter_map(|id| self.messages.remove(id));
        removed.collect()
    }

    /// Returns the ids of an account's messages.
    pub(super) fn ids_of(&self, account: &str) -> Vec<TransactionId> {
        let messages = self.messages.values();
        let own = messages.filter(|stored| stored.is_of(account));
        own.map(Stored::id).collect()
    }

    /// Removes the messages of an account, but those of which an attempt is under way; returns them,
    /// and the number of those that stay.
    pub(super) fn erase(&mut self, account: &str) -> (Vec<Stored>, u64) {
        let (mut erased, mut under_way) = (Vec::new(), 0);
        for id in self.ids_of(account) {
            let is_leased = |stored: &Stored| {
                let mut recipients = stored.recipients.iter();
                recipients.any(|to| to.state.status() == Status::Leased)
            };
            match self.messages.get(&id).is_some_and(is_leased) {
                true => under_way += 1,
                false => {
                    self.schedule.apply(ScheduleChange::Gone(id));
                    erased.extend(self.messages.remove(&id));
                }
            }
        }
        (erased, under_way)
    }

    pub(super) fn list(&self, section: Section, filter: &Filter) -> Vec<Summary> {
        let selection = &filter.selection;
        let wanted = selection.canonical_recipient();
        let is_listed = |recipient: &Recipient| {
            (filter.status).is_none_or(|status| recipient.state.status() == status)
                && Selection::concerns(wanted.as_deref(), &recipient.address)
                && selection.leads_to(recipient.route.as_ref())
        };
        let messages = self.messages.values();
        messages
            .filter(|stored| stored.section() == section && stored.is_selected(selection))
            .filter(|stored| filter.after.is_none_or(|after| stored.id() > after))
            .filter(|stored| stored.recipients.iter().any(is_listed))
            .take(filter.limit)
            .map(Stored::summary)
            .collect()
    }

    pub(super) fn show(&self, section: Section, id: TransactionId) -> Option<Record> {
        let stored = self.messages.get(&id)?;
        (stored.section() == section).then(|| stored.record())
    }

    /// Applies a command to all selected recipients of the queue; returns the messages that it
    /// finished.
    pub(super) fn intervene(
        &mut self,
        selection: &Selection,
        intervention: Intervention,
    ) -> (Changed, Vec<Stored>) {
        let wanted = selection.canonical_recipient();
        let mut changed = Changed::default();
        let (mut scheduled, mut told) = (Vec::new(), Vec::new());
        let messages = self.messages.values_mut();
        let selected = messages
            .filter(|stored| stored.section() == Section::Queue && stored.is_selected(selection));
        for stored in selected {
            let mut numbers = Vec::new();
            for number in 0..stored.recipients.len() {
                let recipient = &mut stored.recipients[number];
                if !Selection::concerns(wanted.as_deref(), &recipient.address)
                    || !selection.leads_to(recipient.route.as_ref())
                {
                    continue;
                }
                let status = recipient.state.status();
                if intervention.applies_to(status) {
                    recipient.state = intervention.state();
                    numbers.push(recipient.number);
                    changed.changed += 1;
                    scheduled.push(stored.scheduled(&stored.recipients[number]));
                } else if intervention.is_stopped_by(status) {
                    changed.in_progress += 1;
                }
            }
            if let Intervention::Cancel(now) = intervention {
                let is_told = |to: &Recipient| numbers.contains(&to.number);
                told.extend(stored.told(now, &cancelled("by an operator"), is_told));
            }
        }
        self.tell(told);
        scheduled
            .into_iter()
            .for_each(|change| self.schedule.apply(change));
        let finished = self.messages.extract_if(.., |_, stored| {
            stored.is_finished() && stored.keep_until.is_none()
        });
        (changed, finished.map(|(_, stored)| stored).collect())
    }

    /// Moves a message from quarantine to the queue.
    pub(super) fn release_from_quarantine(&mut self, id: TransactionId, now: Millis) -> bool {
        let stored = self.messages.get_mut(&id);
        let stored = stored.filter(|stored| stored.section() == Section::Quarantine);
        let Some(stored) = stored else {
            return false;
        };
        let told = stored.told(now, &EventKind::Queued, Stored::is_quarantined);
        let message = &mut stored.message;
        message.quarantine = None;
        message.expires_at = now + message.expires_at.since(message.received_at);
        for recipient in &mut stored.recipients {
            if recipient.state == RecipientState::Quarantined {
                recipient.state = RecipientState::Queued { next_attempt: now };
            }
        }
        for recipient in &stored.recipients {
            self.schedule.apply(stored.scheduled(recipient));
        }
        self.tell(told);
        true
    }

    /// Drops a message in quarantine.
    pub(super) fn delete_from_quarantine(
        &mut self,
        id: TransactionId,
        now: Millis,
    ) -> Option<Stored> {
        let stored = self.messages.get(&id)?;
        if stored.section() != Section::Quarantine {
            return None;
        }
        let kind = cancelled("deleted from quarantine by an operator");
        self.tell(stored.told(now, &kind, Stored::is_quarantined));
        self.messages.remove(&id)
    }

    /// Drops messages whose time in quarantine is over, the oldest first.
    pub(super) fn expire_quarantine(&mut self, now: Millis) -> Vec<Stored> {
        let messages = self.messages.values();
        let over = messages.filter_map(|stored| {
            let expires = stored.message.quarantine.as_ref()?.expires;
            (expires <= now).then(|| (expires, stored.id()))
        });
        let over: BTreeSet<_> = over.collect();
        let over = over.into_iter().take(EXPIRE_AT_ONCE);
        let dropped = over.filter_map(|(_, id)| self.messages.remove(&id));
        let dropped: Vec<_> = dropped.collect();
        let kind = cancelled("its time in quarantine was over");
        for stored in &dropped {
            self.tell(stored.told(now, &kind, Stored::is_quarantined));
        }
        dropped
    }

    /// Returns up to `limit` destinations, those with most recipients first.
    pub(super) fn destinations(&self, limit: usize) -> Vec<DestinationSummary> {
        let mut found = BTreeMap::new();
        let messages = self.messages.values();
        for stored in messages.filter(|stored| stored.section() == Section::Queue) {
            let mut seen = BTreeSet::new();
            let open = stored.recipients.iter();
            for recipient in open.filter(|to| !to.state.status().is_final()) {
                let key = recipient
                    .route
                    .as_ref()
                    .map(|route| route.destination.key());
                let (summary, last_attempt) = found
                    .entry(key.clone())
                    .or_insert_with(|| (DestinationSummary::of(key.clone()), None));
                summary.recipients += 1;
                summary.messages += u64::from(seen.insert(key));
                summary.oldest = earlier(summary.oldest, Some(stored.message.received_at));
                if let RecipientState::Queued { next_attempt } = recipient.state {
                    summary.next_attempt = earlier(summary.next_attempt, Some(next_attempt));
                }
                if recipient.last_reply.is_some() && recipient.last_attempt >= *last_attempt {
                    *last_attempt = recipient.last_attempt;
                    summary.last_reply = recipient.last_reply.clone();
                }
            }
        }
        let found = found.into_values().map(|(summary, _)| summary);
        self.schedule.summaries(found.collect(), limit)
    }

    pub(super) fn depth(&self) -> QueueDepth {
        let mut depth = QueueDepth::default();
        for stored in self.messages.values() {
            match stored.section() {
                Section::Kept => continue,
                Section::Quarantine => depth.quarantined += 1,
                Section::Queue => {
                    depth.messages += 1;
                    let received = stored.message.received_at;
                    depth.oldest = Some(depth.oldest.map_or(received, |at| at.min(received)));
                }
            }
            for recipient in &stored.recipients {
                *depth
                    .recipients
                    .entry(recipient.state.status())
                    .or_default() += 1;
            }
        }
        depth
    }
}
