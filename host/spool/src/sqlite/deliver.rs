//! Claims of due messages, and the recording of results.

use std::{collections::BTreeSet, sync::Arc};

use gatepost_message::{Millis, TransactionId};
use gatepost_model::DestinationKey;
use gatepost_smtp::Reply;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::{
    AttemptOutcome, Claim, ClaimedRecipient, Lease, Ledger, NewBody, RecipientResult, Recorded,
    Report, SpoolError,
    journal::{CheckpointBatch, Journal, JournalEntry},
    schedule::{Pick, Schedule, ScheduleChange, WaitingPlace},
};

use super::{
    accept,
    codec::{damaged, from_millis, to_json, to_millis},
    ledger,
    operation::{OperationClass, OperationContext, Work},
    stored::{self, COLUMNS, MessageRow, RECIPIENT},
};

/// Storing of a claim that the schedule has made.
pub(super) struct StoreClaim {
    pub(super) schedule: Arc<Mutex<Schedule>>,
    pub(super) now: Millis,
    pub(super) lease: Lease,
    pub(super) picks: Vec<Pick>,
}

impl Work for StoreClaim {
    type Value = Vec<Claim>;
    const CLASS: OperationClass = OperationClass::Work;

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        journal.only(self.picks.iter().map(|pick| pick.message))
    }

    fn in_database(
        &mut self,
        context: &mut OperationContext<'_>,
    ) -> Result<Vec<Claim>, SpoolError> {
        let mut claims = Vec::with_capacity(self.picks.len());
        for pick in &self.picks {
            match claim_message(context, self.lease, self.now, pick) {
                Ok(claim) => claims.extend(claim),
                // One message that cannot be read must not stop the queue.
                Err(error @ SpoolError::Damaged { .. }) => {
                    if let Some(message) = row_number(context, pick.message)? {
                        hold_unreadable(context.connection, message, &error)?;
                    }
                    context
                        .after
                        .scheduled
                        .push(ScheduleChange::Gone(pick.message));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(claims)
    }

    fn failed(&self) {
        self.schedule.lock().give_back(self.lease, &self.picks);
    }
}

/// Makes recipients due again that were leased and never attempted.
pub(super) fn return_unattempted(
    context: &mut OperationContext<'_>,
    claims: &[Claim],
) -> Result<(), SpoolError> {
    for claim in claims {
        let Some(message) = Attempted::read(context, claim.transaction.id)? else {
            continue;
        };
        for recipient in &claim.recipients {
            let outcome = AttemptOutcome::Returned {
                next_attempt: claim.received_at,
                reply: None,
                server: None,
            };
            let result = RecipientResult::of(recipient.number, outcome);
            message.end(context, claim.lease, &result)?;
        }
    }
    Ok(())
}

/// Holds the due recipients of a message that cannot be read.
pub(super) fn hold_unreadable(
    connection: &Connection,
    message: i64,
    error: &SpoolError,
) -> Result<(), SpoolError> {
    metrics::gauge!("gatepost_store_damaged", "file" => "spool.db").set(1.0);
    tracing::error!(message, %error, "a message is held because it cannot be read");
    let reply = Reply::new(451, "4.3.0", "the message is damaged in the relay's store");
    let mut update = connection.prepare_cached(
        "UPDATE recipients SET state = 'held', due = NULL, owner = NULL, last_reply_json = ?2
         WHERE message = ?1 AND due IS NOT NULL",
    )?;
    update.execute(params![message, to_json(&reply)?])?;
    Ok(())
}

/// Leases the picked recipients of a message, and reads it. `None` if an operation that came
/// before has taken all of them; the schedule learns of that by it.
fn claim_message(
    context: &mut OperationContext<'_>,
    lease: Lease,
    now: Millis,
    pick: &Pick,
) -> Result<Option<Claim>, SpoolError> {
    let connection = context.connection;
    let mut select =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE id = ?1"))?;
    let mut rows = select.query([pick.message.to_string()])?;
    let Some(found) = rows.next()? else {
        context
            .after
            .scheduled
            .push(ScheduleChange::Gone(pick.message));
        return Ok(None);
    };
    let row = MessageRow::read(found)?;
    let number = row.number;
    let mut update = connection.prepare_cached(&format!(
        "UPDATE recipients SET state = 'leased', due = ?1, owner = ?2, last_attempt = ?3
         WHERE message = ?4 AND number = ?5
            AND (due <= ?3 OR (state = 'queued' AND ifnull(attention, ?6) <= ?3))
         RETURNING {RECIPIENT}"
    ))?;
    let (until, owner) = (from_millis(lease.until), lease.owner.to_string());
    let expires = from_millis(row.summary.expires_at);
    let mut recipients = Vec::with_capacity(pick.recipients.len());
    for (position, cause) in &pick.recipients {
        let mut leased = update.query(params![
            until,
            owner,
            from_millis(now),
            number,
            position,
            expires
        ])?;
        let Some(recipient) = leased.next()?.map(stored::recipient).transpose()? else {
            continue;
        };
        // The update ends with its last row.
        leased.next()?;
        recipients.push(ClaimedRecipient {
            number: recipient.number,
            address: recipient.address,
            dsn: recipient.dsn,
            delay_told: recipient.delay_told,
            attempts: recipient.attempts,
            last_reply: recipient.last_reply,
            last_server: recipient.last_server,
            route: recipient.route,
            cause: *cause,
        });
    }
    if recipients.is_empty() {
        return Ok(None);
    }
    let envelope = stored::addresses(connection, number)?;
    let contents = stored::contents(connection, context.body_reader, &row, envelope)?;
    let summary = row.summary;
    Ok(Some(Claim {
        lease,
        transaction: contents.transaction,
        smtputf8: contents.smtputf8,
        dsn: contents.dsn,
        sender: contents.sender,
        message: contents.message,
        tags: summary.tags,
        classification: contents.classification,
        metadata: contents.metadata,
        received_at: summary.received_at,
        expires_at: summary.expires_at,
        recipients,
    }))
}

/// Recording of an attempt's results.
pub(super) struct RecordReport(pub(super) Report);

impl Work for RecordReport {
    type Value = Recorded;
    const CLASS: OperationClass = OperationClass::Work;

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        let message = journal.only([self.0.message]);
        let mut notices = self.0.notices.iter();
        let mut results = self.0.results.iter();
        let without_changes = notices.all(|notice| notice.has_no_changes())
            && results.all(|result| result.ledger.is_empty());
        match without_changes {
            true => message,
            false => message.merge(journal.all_changes()),
        }
    }

    /// Appends a tombstone, if the report finishes the message by delivery to all its recipients.
    fn in_journal(
        &mut self,
        context: &mut OperationContext<'_>,
        journal: &mut Journal,
    ) -> Result<Option<Recorded>, SpoolError> {
        let report = &self.0;
        let Some(entry) = journal.entry(report.message) else {
            return Ok(None);
        };
        let applied = delivered_to_all(report, entry);
        let in_file = matches!(entry.message.body, NewBody::Staged(_));
        let mut ledger = Ledger::default();
        if applied.is_some() {
            let results = report.results.iter();
            results.for_each(|result| ledger.extend(result.ledger.clone()));
        }
        let first_event = context.number_events(ledger.events.len());
        let written = applied.is_some()
            && journal
                .add_tombstone(report.message, &ledger, first_event)
                .map_err(SpoolError::io("write to the journal"))?;
        if written {
            ledger::note(context, &ledger, first_event);
            context
                .after
                .scheduled
                .push(ScheduleChange::Gone(report.message));
            context
                .after
                .remove
                .extend(in_file.then_some(report.message));
        }
        Ok(applied.filter(|_| written).map(|applied| Recorded {
            applied,
            ignored: 0,
            finished: true,
        }))
    }

    fn in_database(&mut self, context: &mut OperationContext<'_>) -> Result<Recorded, SpoolError> {
        record(context, &self.0)
    }
}

/// Returns the number of recipients delivered to, if the report needs only a tombstone: it holds
/// the lease, has no notices, and delivers to all recipients that are not finished.
fn delivered_to_all(report: &Report, entry: &JournalEntry) -> Option<usize> {
    let mut delivered = BTreeSet::new();
    for result in &report.results {
        let counts = matches!(result.outcome, AttemptOutcome::Delivered { .. });
        if !counts || !delivered.insert(result.number) {
            return None;
        }
    }
    let recipients = (0..).zip(&entry.message.recipients);
    let open: BTreeSet<u32> = recipients
        .filter(|(_, recipient)| recipient.state.is_open())
        .map(|(number, _)| number)
        .collect();
    let suffices = Some(report.lease) == entry.lease && report.notices.is_empty();
    (suffices && open == delivered).then_some(open.len())
}

/// Records the results of an attempt.
fn record(context: &mut OperationContext<'_>, report: &Report) -> Result<Recorded, SpoolError> {
    let mut recorded = Recorded::default();
    let message = Attempted::read(context, report.message)?;
    if let Some(message) = &message
        && message.is_finished_by(context, report)?
    {
        for result in &report.results {
            ledger::write_all(context, &result.ledger)?;
        }
        drop_message(context, message.number)?;
        return Ok(Recorded {
            applied: report.results.len(),
            ignored: 0,
            finished: true,
        });
    }
    for result in &report.results {
        let held = match &message {
            Some(message) => message.end(context, report.lease, result)?,
            None => false,
        };
        if held {
            recorded.applied += 1;
            ledger::write_all(context, &result.ledger)?;
        } else {
            recorded.ignored += 1;
        }
    }
    if recorded.applied > 0
        && let Some(message) = message
    {
        for notice in &report.notices {
            accept::store_with_effects(context, notice)?;
        }
        keep_failed(context, message.number, report)?;
        recorded.finished = drop_if_finished(context, message.number)?;
    }
    Ok(recorded)
}

/// Returns the time until which the message is kept because of this report: a recipient has failed.
fn keep_until(report: &Report) -> Option<Millis> {
    let mut results = report.results.iter();
    let failed = results.any(|result| matches!(result.outcome, AttemptOutcome::Failed { .. }));
    report.keep_until.filter(|_| failed)
}

/// Notes how long a message is kept of which a recipient has failed.
fn keep_failed(
    context: &OperationContext<'_>,
    message: i64,
    report: &Report,
) -> Result<(), SpoolError> {
    if let Some(until) = keep_until(report) {
        (context.connection)
            .prepare_cached("UPDATE messages SET keep_until = ?1 WHERE number = ?2")?
            .execute([from_millis(until), message])?;
    }
    Ok(())
}

/// Columns of a recipient after an attempt.
#[derive(Default)]
struct RecipientColumns<'a> {
    state: &'a str,
    due: Option<Millis>,
    /// True if an attempt counts.
    attempted: bool,
    reply: Option<&'a Reply>,
    server: Option<&'a str>,
    /// Reason why nothing is delivered.
    reason: Option<&'a str>,
    /// True if a notice of the report tells the sender of the delay.
    delay_told: bool,
}

impl<'a> RecipientColumns<'a> {
    fn of(outcome: &'a AttemptOutcome) -> Self {
        let attempt = |state, reply, server| Self {
            state,
            attempted: true,
            reply: Some(reply),
            server,
            ..Self::default()
        };
        match outcome {
            AttemptOutcome::Delivered { reply, server } => {
                attempt("delivered", reply, Some(server.as_str()))
            }
            AttemptOutcome::Deferred {
                reply,
                server,
                next_attempt,
                delay_told,
            } => Self {
                due: Some(*next_attempt),
                delay_told: *delay_told,
                ..attempt("queued", reply, server.as_deref())
            },
            AttemptOutcome::Failed { reply, server } => attempt("failed", reply, server.as_deref()),
            AttemptOutcome::Held { reply } => attempt("held", reply, None),
            AttemptOutcome::Discarded { reason } => Self {
                state: "suppressed",
                reason: Some(reason),
                ..Self::default()
            },
            AttemptOutcome::Returned {
                next_attempt,
                reply,
                server,
            } => Self {
                state: "queued",
                due: Some(*next_attempt),
                reply: reply.as_ref(),
                server: server.as_deref(),
                ..Self::default()
            },
        }
    }
}

/// A message whose recipients are attempted.
struct Attempted {
    id: TransactionId,
    number: i64,
    account: Option<String>,
    expires_at: Millis,
    /// True if a recipient has failed, so that the message is kept when it is finished.
    is_kept: bool,
}

impl Attempted {
    /// Reads a message; `None` if it has no row.
    fn read(context: &OperationContext<'_>, id: TransactionId) -> Result<Option<Self>, SpoolError> {
        let mut select = context.connection.prepare_cached(
            "SELECT number, account, expires_at, keep_until IS NOT NULL
             FROM messages WHERE id = ?1",
        )?;
        let read = |row: &Row<'_>| {
            Ok(Self {
                id,
                number: row.get(0)?,
                account: row.get(1)?,
                expires_at: to_millis(row.get(2)?),
                is_kept: row.get(3)?,
            })
        };
        Ok(select.query_row([id.to_string()], read).optional()?)
    }

    /// Returns true if nothing is left of the message after the report: what is about to be deleted
    /// need not be updated before.
    fn is_finished_by(
        &self,
        context: &OperationContext<'_>,
        report: &Report,
    ) -> Result<bool, SpoolError> {
        let mut ended = BTreeSet::new();
        for result in &report.results {
            if !result.outcome.is_final() || !ended.insert(result.number) {
                return Ok(false);
            }
        }
        let is_kept = self.is_kept || keep_until(report).is_some();
        if ended.is_empty() || is_kept || !report.notices.is_empty() {
            return Ok(false);
        }
        let mut select = context.connection.prepare_cached(
            "SELECT number, ifnull(state = 'leased' AND owner = ?2 AND due = ?3, 0),
                state IN ('queued', 'leased', 'held', 'quarantined')
             FROM recipients WHERE message = ?1",
        )?;
        let owner = report.lease.owner.to_string();
        let until = from_millis(report.lease.until);
        let mut rows = select.query(params![self.number, owner, until])?;
        while let Some(row) = rows.next()? {
            let (is_held, is_open): (bool, bool) = (row.get(1)?, row.get(2)?);
            match ended.remove(&row.get(0)?) {
                true if is_held => {}
                false if !is_open => {}
                _ => return Ok(false),
            }
        }
        Ok(ended.is_empty())
    }

    /// Records the end of an attempt; returns true if the lease was still held, so that it counts.
    fn end(
        &self,
        context: &mut OperationContext<'_>,
        lease: Lease,
        result: &RecipientResult,
    ) -> Result<bool, SpoolError> {
        let columns = RecipientColumns::of(&result.outcome);
        let route = result.route.as_ref();
        let mut update = context.connection.prepare_cached(
            "UPDATE recipients SET state = :state, due = :due, owner = NULL,
                attempts = attempts + :attempted,
                last_reply_json = ifnull(:reply, last_reply_json),
                last_server = iif(:reply IS NULL, last_server, :server),
                reason = ifnull(:reason, reason), delay_told = max(delay_told, :delay_told),
                destination = ifnull(:destination, destination),
                route_json = ifnull(:route, route_json), attention = :attention
             WHERE message = :message AND number = :number AND state = 'leased'
                AND owner = :owner AND due = :until
             RETURNING destination",
        )?;
        let destination: Option<Option<String>> = update
            .query_row(
                named_params! {
                    ":state": columns.state,
                    ":due": columns.due.map(from_millis),
                    ":attempted": columns.attempted,
                    ":reply": columns.reply.map(to_json).transpose()?,
                    ":server": columns.server,
                    ":reason": columns.reason,
                    ":delay_told": columns.delay_told,
                    ":destination": route.map(|route| route.destination.to_string()),
                    ":route": route.map(to_json).transpose()?,
                    ":attention": result.attention_at.map(from_millis),
                    ":message": self.number,
                    ":number": result.number,
                    ":owner": lease.owner.to_string(),
                    ":until": from_millis(lease.until),
                },
                |row| row.get(0),
            )
            .optional()?;
        let Some(destination) = destination else {
            return Ok(false);
        };
        context.after.scheduled.push(match columns.due {
            Some(due) => {
                let waiting = WaitingPlace {
                    due,
                    attention_at: result.attention_at.unwrap_or(self.expires_at),
                    account: self.account.clone(),
                    destination: destination.map(|key| DestinationKey::new(&key)),
                };
                ScheduleChange::Waits(self.id, result.number, waiting)
            }
            None => ScheduleChange::Ended(self.id, result.number),
        });
        Ok(true)
    }
}

/// Returns the number of a message's row, if it has one.
pub(super) fn row_number(
    context: &OperationContext<'_>,
    id: TransactionId,
) -> Result<Option<i64>, SpoolError> {
    let mut select = context
        .connection
        .prepare_cached("SELECT number FROM messages WHERE id = ?1")?;
    Ok(select
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?)
}

/// Ends a message if all its recipients are finished: deletes it, or keeps it if a recipient has
/// failed. Returns true if it did.
pub(super) fn drop_if_finished(
    context: &mut OperationContext<'_>,
    message: i64,
) -> Result<bool, SpoolError> {
    let mut select = context.connection.prepare_cached(
        "SELECT 1 FROM recipients WHERE message = ?1
            AND state IN ('queued', 'leased', 'held', 'quarantined') LIMIT 1",
    )?;
    if select.exists([message])? {
        return Ok(false);
    }
    let kept = context
        .connection
        .prepare_cached(
            "UPDATE messages SET kept = 1 WHERE number = ?1 AND keep_until IS NOT NULL
             RETURNING id",
        )?
        .query_row([message], |row| row.get::<_, String>(0))
        .optional()?;
    match kept {
        Some(id) => {
            let id = id.parse().map_err(damaged("transaction id"))?;
            context.after.scheduled.push(ScheduleChange::Gone(id));
        }
        None => drop_message(context, message)?,
    }
    Ok(true)
}

/// Deletes a message with all that belongs to it; its file after the commit.
pub(super) fn drop_message(
    context: &mut OperationContext<'_>,
    message: i64,
) -> Result<(), SpoolError> {
    for sql in [
        "DELETE FROM recipients WHERE message = ?1",
        "DELETE FROM contents WHERE message = ?1",
    ] {
        context.connection.prepare_cached(sql)?.execute([message])?;
    }
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM messages WHERE number = ?1 RETURNING id, body_offset IS NOT NULL",
    )?;
    let (id, in_file): (String, bool) =
        delete.query_row([message], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let id = id.parse().map_err(damaged("transaction id"))?;
    context.after.scheduled.push(ScheduleChange::Gone(id));
    context.after.remove.extend(in_file.then_some(id));
    Ok(())
}
