//! Storing of accepted messages and of their effects.

use std::sync::Arc;

use gatepost_counters::CounterChange;
use gatepost_message::{Message, Millis};
use gatepost_model::Effect;
use rusqlite::{Connection, ffi, params};
use serde::Serialize;

use crate::{
    Claim, ClaimCause, ClaimedRecipient, InitialState, Lease, NewBody, NewMessage, Scope,
    SpoolError, StagedBody,
    journal::{CheckpointBatch, Journal, JournalEntry},
    schedule::{ScheduleChange, WaitingPlace},
};

use super::{
    codec::{account_key, from_millis, from_u64, to_json},
    deliver::row_number,
    ledger,
    operation::{OperationClass, OperationContext, Work},
};

/// Bytes that a message takes on the disk besides its octets: rows, indices, their pages in the
/// WAL.
const MESSAGE_OVERHEAD: u64 = 64 << 10;

/// Storing of a client's message, if there is room.
pub(super) struct Accept(pub(super) Arc<NewMessage>);

impl Accept {
    fn reserve(&self, context: &OperationContext<'_>) -> Result<(), SpoolError> {
        // Once in the WAL, once in the database.
        context.reserve(2 * self.octets() + MESSAGE_OVERHEAD)
    }

    /// Returns the octets of the message and its answer.
    fn octets(&self) -> u64 {
        self.0.inline_octets() + self.0.ledger.answer_octets()
    }
}

impl Work for Accept {
    type Value = ();
    const CLASS: OperationClass = OperationClass::Intake;

    fn weight(&self) -> usize {
        1 + self.0.effects.len() + self.0.ledger.len()
    }

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        match self.0.has_no_changes() {
            true => CheckpointBatch::default(),
            false => journal.all_changes(),
        }
    }

    /// Appends the message to the journal, if the ring has room for it and anything is left to do
    /// for it.
    fn in_journal(
        &mut self,
        context: &mut OperationContext<'_>,
        journal: &mut Journal,
    ) -> Result<Option<()>, SpoolError> {
        let message = &self.0;
        let id = message.transaction.id;
        if journal.holds(id) {
            return Err(SpoolError::Duplicate(id));
        }
        let staged = message.staged()?;
        if !journal.is_small_enough(self.octets()) || !message.is_open() {
            return Ok(None);
        }
        self.reserve(context)?;
        if row_number(context, id)?.is_some() {
            return Err(SpoolError::Duplicate(id));
        }
        let lease = direct_lease(context, message);
        let entry = JournalEntry {
            message: without_bytes(message),
            lease,
        };
        let first_event = context.number_events(message.ledger.events.len());
        if !journal
            .accept(entry, first_event)
            .map_err(SpoolError::io("encode a message for the journal"))?
        {
            return Ok(None);
        }
        context
            .after
            .keep
            .extend(staged.and_then(StagedBody::bytes).cloned());
        let changes = changes(&message.effects, message.transaction.time);
        context.after.changes.extend(changes);
        ledger::note(context, &message.ledger, first_event);
        follow(context, message, lease);
        Ok(Some(()))
    }

    fn in_database(&mut self, context: &mut OperationContext<'_>) -> Result<(), SpoolError> {
        self.reserve(context)?;
        context.after.only_in_wal |= self.0.is_open();
        store_with_effects(context, &self.0)
    }
}

/// Storing of effects that came without a message.
pub(super) struct ApplyEffects {
    pub(super) effects: Vec<(Scope, Effect)>,
    pub(super) time: Millis,
}

impl Work for ApplyEffects {
    type Value = ();
    const CLASS: OperationClass = OperationClass::Intake;

    fn weight(&self) -> usize {
        1 + self.effects.len()
    }

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        journal.all_changes()
    }

    fn in_database(&mut self, context: &mut OperationContext<'_>) -> Result<(), SpoolError> {
        context.reserve(MESSAGE_OVERHEAD)?;
        apply(context, &self.effects, self.time)
    }
}

/// Returns the message for the journal, where thousands may wait: without open files.
fn without_bytes(message: &Arc<NewMessage>) -> Arc<NewMessage> {
    let NewBody::Staged(staged) = &message.body else {
        return Arc::clone(message);
    };
    Arc::new(NewMessage {
        body: NewBody::Staged(staged.without_bytes()),
        ..NewMessage::clone(message)
    })
}

/// Stores a message with its effects, whether or not the disk is below its watermark. Notices are
/// stored so, too.
pub(super) fn store_with_effects(
    context: &mut OperationContext<'_>,
    message: &NewMessage,
) -> Result<(), SpoolError> {
    apply(context, &message.effects, message.transaction.time)?;
    ledger::write_all(context, &message.ledger)?;
    if !message.is_open() {
        return Ok(());
    }
    let lease = direct_lease(context, message);
    store(context, message, lease)?;
    follow(context, message, lease);
    Ok(())
}

/// Lets schedule and direct hand-off know of an accepted message after the commit.
fn follow(context: &mut OperationContext<'_>, message: &NewMessage, lease: Option<Lease>) {
    let transaction = &message.transaction;
    let numbered = (0..).zip(&message.recipients);
    for (number, recipient) in numbered.filter(|_| message.quarantine.is_none()) {
        let InitialState::Queued { next_attempt } = recipient.state else {
            continue;
        };
        let waiting = WaitingPlace {
            due: next_attempt,
            attention_at: message.expires_at,
            account: transaction.account.clone(),
            destination: None,
        };
        let change = match lease.filter(|_| message.is_due(recipient)) {
            Some(lease) => {
                ScheduleChange::Leased(transaction.id, number, waiting, lease, message.received_at)
            }
            None => ScheduleChange::Waits(transaction.id, number, waiting),
        };
        context.after.scheduled.push(change);
    }
    if let Some(lease) = lease {
        let claim = direct_claim(context, message, lease);
        context.after.direct_claims.push(claim);
    }
}

/// Writes effects to the database, and to memory after the commit.
fn apply(
    context: &mut OperationContext<'_>,
    effects: &[(Scope, Effect)],
    time: Millis,
) -> Result<(), SpoolError> {
    for change in changes(effects, time) {
        write_change(context.connection, &change)?;
        context.after.changes.push(change);
    }
    Ok(())
}

/// Returns the changes that effects of a transaction of that time make, in order.
fn changes(effects: &[(Scope, Effect)], time: Millis) -> impl Iterator<Item = CounterChange> {
    let effects = effects.iter();
    effects.map(move |(scope, effect)| CounterChange::of(scope, effect, time))
}

/// Stores a message without its effects; its due recipients are leased, if there is a lease.
pub(super) fn store(
    context: &mut OperationContext<'_>,
    message: &NewMessage,
    lease: Option<Lease>,
) -> Result<(), SpoolError> {
    let number = insert_message(context, message)?;
    insert_recipients(context, message, number, lease)
}

/// Makes the lease for the direct hand-off, if the message is due at once and may be handed off.
fn direct_lease(context: &OperationContext<'_>, message: &NewMessage) -> Option<Lease> {
    if !message.is_due_at_once() {
        return None;
    }
    let terms = context.hand_off_terms(message.size())?;
    let mut schedule = context.schedule.lock();
    Some(schedule.lease(terms.owner, message.received_at, terms.lease))
}

/// Makes the claim of a message from memory.
fn direct_claim(context: &OperationContext<'_>, message: &NewMessage, lease: Lease) -> Claim {
    let numbered = (0..).zip(&message.recipients);
    let recipients = numbered
        .filter(|(_, recipient)| message.is_due(recipient))
        .map(|(number, recipient)| ClaimedRecipient {
            number,
            address: recipient.address.clone(),
            dsn: recipient.dsn.clone(),
            delay_told: false,
            attempts: 0,
            last_reply: None,
            last_server: None,
            route: None,
            cause: ClaimCause::Due,
        });
    let mut transaction = message.transaction.clone();
    let envelope = message.recipients.iter();
    transaction.recipients = envelope.map(|to| to.address.clone()).collect();
    let body = match &message.body {
        NewBody::Inline(bytes) => Arc::new(bytes.clone()),
        NewBody::Staged(staged) => context.body_reader.stored(&staged.stored()),
    };
    Claim {
        lease,
        transaction,
        smtputf8: message.smtputf8,
        dsn: message.dsn.clone(),
        sender: message.sender,
        message: Message::from_parts(message.head.clone(), body),
        tags: message.tags.clone(),
        classification: message.classification,
        metadata: message.metadata.clone(),
        received_at: message.received_at,
        expires_at: message.expires_at,
        recipients: recipients.collect(),
    }
}

fn insert_message(
    context: &mut OperationContext<'_>,
    message: &NewMessage,
) -> Result<i64, SpoolError> {
    let transaction = &message.transaction;
    let staged = message.staged()?;
    let inline = match &message.body {
        NewBody::Inline(bytes) => Some(&bytes[..]),
        NewBody::Staged(_) => None,
    };
    let checksum = staged.map(StagedBody::checksum);
    let checksum = checksum.or_else(|| inline.map(crc32fast::hash));
    let quarantine = message.quarantine.as_ref();
    let mut insert = context.connection.prepare_cached(
        "INSERT INTO messages (id, account, reverse_path, began_at, received_at, expires_at,
            quarantine_reason, quarantine_expires, tags_json, body_offset, size, body_checksum,
            untold_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let inserted = insert.insert(params![
        transaction.id.to_string(),
        transaction.account,
        transaction.reverse_path.as_str(),
        from_millis(transaction.time),
        from_millis(message.received_at),
        from_millis(message.expires_at),
        quarantine.map(|quarantine| &quarantine.reason),
        quarantine.map(|quarantine| from_millis(quarantine.expires)),
        to_json(&message.tags)?,
        staged.map(|staged| from_u64(staged.offset())),
        from_u64(message.size()),
        checksum,
        message.untold_since().map(from_millis),
    ]);
    let number = inserted.map_err(|error| match &error {
        rusqlite::Error::SqliteFailure(failure, _)
            if failure.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE =>
        {
            SpoolError::Duplicate(transaction.id)
        }
        _ => error.into(),
    })?;
    let mut insert = context.connection.prepare_cached(
        "INSERT INTO contents (message, session_json, classification_json, judgements_json, head,
            body, smtputf8, dsn_json, sender_json, head_checksum, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    insert.execute(params![
        number,
        to_json(&transaction.session)?,
        message.classification.as_ref().map(to_json).transpose()?,
        to_json(&message.judgements)?,
        &message.head[..],
        inline,
        message.smtputf8,
        encoded_request(&message.dsn)?,
        to_json(&message.sender)?,
        crc32fast::hash(&message.head),
        message.metadata,
    ])?;
    context
        .after
        .keep
        .extend(staged.and_then(StagedBody::bytes).cloned());
    context.after.bytes += (message.head.len() + inline.map_or(0, <[u8]>::len)) as u64;
    Ok(number)
}

fn insert_recipients(
    context: &mut OperationContext<'_>,
    message: &NewMessage,
    number: i64,
    lease: Option<Lease>,
) -> Result<(), SpoolError> {
    let owner = lease.map(|lease| lease.owner.to_string());
    let mut insert = context.connection.prepare_cached(
        "INSERT INTO recipients (message, number, address, state, due, last_reply_json, reason,
            dsn_json, owner, last_attempt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (position, recipient) in message.recipients.iter().enumerate() {
        let quarantined = message.quarantine.is_some();
        let lease = lease.filter(|_| message.is_due(recipient));
        let (state, due, reply, reason) = match &recipient.state {
            InitialState::Queued { .. } | InitialState::Held if quarantined => {
                ("quarantined", None, None, None)
            }
            InitialState::Queued { .. } if let Some(lease) = lease => {
                ("leased", Some(from_millis(lease.until)), None, None)
            }
            InitialState::Queued { next_attempt } => {
                ("queued", Some(from_millis(*next_attempt)), None, None)
            }
            InitialState::Held => ("held", None, None, None),
            InitialState::Suppressed { reason } => ("suppressed", None, None, Some(reason)),
            InitialState::Failed { reply } => ("failed", None, Some(to_json(reply)?), None),
        };
        insert.execute(params![
            number,
            position as i64,
            recipient.address.as_str(),
            state,
            due,
            reply,
            reason,
            encoded_request(&recipient.dsn)?,
            lease.and(owner.as_deref()),
            lease.map(|_| from_millis(message.received_at)),
        ])?;
    }
    Ok(())
}

/// Encodes a request for delivery status notifications; `None` if it is the default.
fn encoded_request<T: Default + PartialEq + Serialize>(
    request: &T,
) -> Result<Option<String>, SpoolError> {
    Some(request)
        .filter(|request| **request != T::default())
        .map(to_json)
        .transpose()
}

/// Writes a change to the database.
pub(super) fn write_change(
    connection: &Connection,
    change: &CounterChange,
) -> Result<(), SpoolError> {
    match change {
        CounterChange::Mark { scope, key, until } => {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO marks (policy, account, key, until) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
            )?;
            upsert.execute(params![
                scope.policy,
                account_key(scope),
                key,
                from_millis(*until)
            ])?;
        }
        CounterChange::Count {
            scope,
            key,
            bucket,
            amount,
        } => {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO counts (policy, account, key, minute, amount)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
            )?;
            upsert.execute(params![
                scope.policy,
                account_key(scope),
                key,
                from_u64(*bucket),
                from_u64(*amount)
            ])?;
        }
        CounterChange::ForgetCount { scope, key } => {
            let mut delete = connection.prepare_cached(
                "DELETE FROM counts WHERE policy = ?1 AND account = ?2 AND key = ?3",
            )?;
            delete.execute([&scope.policy, account_key(scope), key])?;
        }
        CounterChange::Machine {
            account,
            address,
            machine,
        } => {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO machines (account, address, evidence, since, until)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET evidence = excluded.evidence, until = excluded.until,
                    since = iif(until > excluded.since, since, excluded.since)",
            )?;
            upsert.execute(params![
                account,
                address,
                machine.evidence,
                from_millis(machine.since),
                from_millis(machine.until)
            ])?;
        }
        CounterChange::ForgetMachine { account, address } => {
            let mut delete = connection
                .prepare_cached("DELETE FROM machines WHERE account = ?1 AND address = ?2")?;
            delete.execute([account, address])?;
        }
        CounterChange::Unmark { scope, key } => {
            let mut delete = connection.prepare_cached(
                "DELETE FROM marks WHERE policy = ?1 AND account = ?2 AND key = ?3",
            )?;
            delete.execute([&scope.policy, account_key(scope), key])?;
        }
        CounterChange::ForgetAccount { account } => {
            for table in ["marks", "counts", "machines"] {
                let delete = format!("DELETE FROM {table} WHERE account = ?1");
                connection.prepare_cached(&delete)?.execute([account])?;
            }
        }
        // Expiry deletes buckets itself.
        CounterChange::DropBucket { .. } => {}
    }
    Ok(())
}
