//! Claims of due messages, and the recording of results.

use std::{collections::BTreeSet, time::Duration};

use gatepost_message::{Millis, TransactionId};
use gatepost_smtp::Reply;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    AttemptOutcome, Claim, ClaimedRecipient, Lease, NewBody, Owner, Recorded, Report, SpoolError,
    journal::{CheckpointBatch, Journal, JournalEntry},
};

use super::{
    NEVER, accept,
    codec::{damaged, from_millis, to_json, to_millis},
    operation::{OperationClass, OperationContext, Work},
    stored::{self, COLUMNS, MessageRow},
};

/// ClaimDue of the due recipients of up to `limit` messages.
pub(super) struct ClaimDue {
    pub(super) owner: Owner,
    pub(super) now: Millis,
    pub(super) limit: usize,
    pub(super) lease: Duration,
}

impl Work for ClaimDue {
    type Value = Vec<Claim>;
    const CLASS: OperationClass = OperationClass::Work;

    /// Returns the due messages of the journal.
    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        journal.due(self.now)
    }

    fn in_database(
        &mut self,
        context: &mut OperationContext<'_>,
    ) -> Result<Vec<Claim>, SpoolError> {
        claim(context, self.owner, self.now, self.limit, self.lease)
    }
}

fn claim(
    context: &mut OperationContext<'_>,
    owner: Owner,
    now: Millis,
    limit: usize,
    length: Duration,
) -> Result<Vec<Claim>, SpoolError> {
    let until = Millis(context.lease_until((now + length).0));
    let lease = Lease { owner, until };
    let mut due = Vec::new();
    {
        let mut select = context.connection.prepare_cached(
            "SELECT message FROM recipients WHERE due <= ?1 ORDER BY due, message",
        )?;
        let mut rows = select.query([from_millis(now)])?;
        let mut seen = std::collections::HashSet::new();
        while due.len() < limit
            && let Some(row) = rows.next()?
        {
            let message: i64 = row.get(0)?;
            if seen.insert(message) {
                due.push(message);
            }
        }
    }
    let mut claims = Vec::with_capacity(due.len());
    for message in due {
        match claim_message(context, lease, now, message) {
            Ok(claim) => claims.push(claim),
            // One message that cannot be read must not stop the queue.
            Err(error @ SpoolError::Damaged { .. }) => hold_unreadable(context, message, &error)?,
            Err(error) => return Err(error),
        }
    }
    Ok(claims)
}

/// Returns the time in milliseconds at which the next recipient is due, or [`NEVER`].
pub(super) fn next_due(connection: &Connection) -> Result<u64, SpoolError> {
    let due: Option<i64> = connection
        .prepare_cached("SELECT min(due) FROM recipients WHERE due IS NOT NULL")?
        .query_row([], |row| row.get(0))?;
    Ok(due.map_or(NEVER, |due| to_millis(due).0))
}

/// Makes recipients due again that were leased and never attempted.
pub(super) fn return_unattempted(
    context: &mut OperationContext<'_>,
    claims: &[Claim],
) -> Result<(), SpoolError> {
    for claim in claims {
        let Some(message) = row_number(context, claim.transaction.id)? else {
            continue;
        };
        for recipient in &claim.recipients {
            let outcome = AttemptOutcome::Returned {
                next_attempt: claim.received_at,
                reply: None,
                server: None,
            };
            end_attempt(context, message, claim.lease, recipient.number, &outcome)?;
        }
    }
    Ok(())
}

/// Holds the due recipients of a message that cannot be read.
fn hold_unreadable(
    context: &OperationContext<'_>,
    message: i64,
    error: &SpoolError,
) -> Result<(), SpoolError> {
    metrics::gauge!("gatepost_store_damaged", "file" => "spool.db").set(1.0);
    tracing::error!(message, %error, "a message is held because it cannot be read");
    let reply = Reply::new(451, "4.3.0", "the message is damaged in the relay's store");
    let mut update = context.connection.prepare_cached(
        "UPDATE recipients SET state = 'held', due = NULL, owner = NULL, last_reply_json = ?2
         WHERE message = ?1 AND due IS NOT NULL",
    )?;
    update.execute(params![message, to_json(&reply)?])?;
    Ok(())
}

fn claim_message(
    context: &OperationContext<'_>,
    lease: Lease,
    now: Millis,
    number: i64,
) -> Result<Claim, SpoolError> {
    let connection = context.connection;
    let mut update = connection.prepare_cached(
        "UPDATE recipients SET state = 'leased', due = ?1, owner = ?2, last_attempt = ?3
         WHERE message = ?4 AND +due <= ?3 RETURNING number",
    )?;
    let mut leased = update
        .query_map(
            params![
                from_millis(lease.until),
                lease.owner.to_string(),
                from_millis(now),
                number
            ],
            |row| row.get(0),
        )?
        .collect::<Result<Vec<u32>, _>>()?;
    leased.sort_unstable();

    let mut select =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE number = ?1"))?;
    let mut rows = select.query([number])?;
    let Some(found) = rows.next()? else {
        return Err(damaged("recipient")("its message is missing"));
    };
    let mut row = MessageRow::read(found)?;
    row.summary.recipients = stored::recipients(connection, number)?;
    let contents = stored::contents(connection, context.body_reader, &row)?;
    let summary = row.summary;
    Ok(Claim {
        lease,
        transaction: contents.transaction,
        smtputf8: contents.smtputf8,
        dsn: contents.dsn,
        sender: contents.sender,
        message: contents.message,
        tags: summary.tags,
        classification: contents.classification,
        received_at: summary.received_at,
        expires_at: summary.expires_at,
        recipients: summary
            .recipients
            .into_iter()
            .filter(|recipient| leased.binary_search(&recipient.number).is_ok())
            .map(|recipient| ClaimedRecipient {
                number: recipient.number,
                address: recipient.address,
                dsn: recipient.dsn,
                delay_told: recipient.delay_told,
                attempts: recipient.attempts,
                last_reply: recipient.last_reply,
                last_server: recipient.last_server,
                route: recipient.route,
                cause: crate::ClaimCause::Due,
            })
            .collect(),
    })
}

/// Recording of an attempt's results.
pub(super) struct RecordReport(pub(super) Report);

impl Work for RecordReport {
    type Value = Recorded;
    const CLASS: OperationClass = OperationClass::Work;

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        let message = journal.only(self.0.message);
        let mut notices = self.0.notices.iter();
        match notices.all(|notice| notice.effects.is_empty()) {
            true => message,
            false => message.merge(journal.all_effects()),
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
        let written = applied.is_some()
            && journal
                .add_tombstone(report.message)
                .map_err(SpoolError::io("write to the journal"))?;
        if written && in_file {
            context.after.remove.push(report.message);
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
    let message = row_number(context, report.message)?;
    for result in &report.results {
        let held = match message {
            Some(message) => end_attempt(
                context,
                message,
                report.lease,
                result.number,
                &result.outcome,
            )?,
            None => false,
        };
        if held {
            recorded.applied += 1;
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
        recorded.finished = drop_if_finished(context, message)?;
    }
    Ok(recorded)
}

/// RecipientColumns of a recipient after an attempt.
struct RecipientColumns<'a> {
    state: &'a str,
    due: Option<Millis>,
    /// Reply and server; `None` if no attempt was made.
    attempt: Option<(&'a Reply, Option<&'a str>)>,
    /// True if a notice of the report tells the sender of the delay.
    delay_told: bool,
}

impl<'a> RecipientColumns<'a> {
    fn of(outcome: &'a AttemptOutcome) -> Self {
        let (state, due, attempt) = match outcome {
            AttemptOutcome::Delivered { reply, server } => {
                ("delivered", None, Some((reply, Some(server.as_str()))))
            }
            AttemptOutcome::Deferred {
                reply,
                server,
                next_attempt,
                delay_told: _,
            } => (
                "queued",
                Some(*next_attempt),
                Some((reply, server.as_deref())),
            ),
            AttemptOutcome::Failed { reply, server } => {
                ("failed", None, Some((reply, server.as_deref())))
            }
            AttemptOutcome::Held { reply } => ("held", None, Some((reply, None))),
            AttemptOutcome::Discarded { .. } => ("suppressed", None, None),
            AttemptOutcome::Returned { next_attempt, .. } => ("queued", Some(*next_attempt), None),
        };
        Self {
            state,
            due,
            attempt,
            delay_told: matches!(
                outcome,
                AttemptOutcome::Deferred {
                    delay_told: true,
                    ..
                }
            ),
        }
    }
}

/// Records the end of an attempt; returns true if the lease was still held, so that it counts.
fn end_attempt(
    context: &mut OperationContext<'_>,
    message: i64,
    lease: Lease,
    number: u32,
    outcome: &AttemptOutcome,
) -> Result<bool, SpoolError> {
    let columns = RecipientColumns::of(outcome);
    let due = columns.due.map(from_millis);
    let (until, owner) = (from_millis(lease.until), lease.owner.to_string());
    let changed = match columns.attempt {
        Some((reply, server)) => context
            .connection
            .prepare_cached(
                "UPDATE recipients SET state = ?1, due = ?2, owner = NULL,
                    attempts = attempts + 1, last_reply_json = ?3, last_server = ?4,
                    delay_told = max(delay_told, ?5)
                 WHERE message = ?6 AND number = ?7 AND state = 'leased' AND owner = ?8
                    AND due = ?9",
            )?
            .execute(params![
                columns.state,
                due,
                to_json(reply)?,
                server,
                columns.delay_told,
                message,
                number,
                owner,
                until
            ])?,
        None => context
            .connection
            .prepare_cached(
                "UPDATE recipients SET state = ?1, due = ?2, owner = NULL
                 WHERE message = ?3 AND number = ?4 AND state = 'leased' AND owner = ?5
                    AND due = ?6",
            )?
            .execute(params![columns.state, due, message, number, owner, until])?,
    };
    context.after.due |= changed > 0 && due.is_some();
    Ok(changed > 0)
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

/// Deletes a message if all its recipients are finished; returns true if it did.
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
    drop_message(context, message)?;
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
    if in_file {
        context
            .after
            .remove
            .push(id.parse().map_err(damaged("transaction id"))?);
    }
    Ok(())
}
