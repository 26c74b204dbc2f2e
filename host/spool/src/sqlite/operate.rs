//! An operator's commands, and expiry.

use std::collections::BTreeMap;

use gatepost_counters::{CounterChange, LONGEST_WINDOW, first_bucket};
use gatepost_message::{Millis, TransactionId};
use gatepost_model::EventKind;
use rusqlite::{OptionalExtension, ToSql, named_params};

use crate::{
    Changed, Dropped, EXPIRE_AT_ONCE, Expired, Forgotten, Keep, RestoredQueue, Selection,
    SpoolError, copy::held_by_restore, intervention::Intervention,
};

use super::{
    codec::{account_key, damaged, from_millis, from_u64, to_json, to_millis, to_scope, to_u64},
    deliver::{drop_if_finished, drop_message},
    ledger,
    operation::OperationContext,
    scheduled,
    told::{ToldRecipients, tell},
};

/// A selection as SQL conditions and their parameters.
pub(super) struct SelectionSql {
    id: Option<String>,
    account: Option<String>,
    recipient: Option<String>,
    destination: Option<String>,
}

impl SelectionSql {
    pub(super) fn new(selection: &Selection) -> Self {
        Self {
            id: selection.id.map(|id| id.to_string()),
            account: selection.account.clone(),
            recipient: selection.canonical_recipient(),
            destination: selection.destination.as_ref().map(ToString::to_string),
        }
    }

    /// Returns a condition on a row of `messages`, written so that one id is found by its index.
    pub(super) fn messages(&self) -> String {
        let id = if self.id.is_some() {
            "id = :id"
        } else {
            ":id IS NULL"
        };
        format!("{id} AND (:account IS NULL OR account = :account)")
    }

    /// Condition on a row of `recipients`: the address, or the domain; the destination.
    pub(super) const RECIPIENTS: &'static str = "(:recipient IS NULL OR address = :recipient
        OR substr(address, -length(:recipient) - 1) = '@' || :recipient)
        AND (:destination IS NULL OR destination = :destination)";

    /// Returns the parameters of both conditions.
    pub(super) fn parameters(&self) -> [(&'static str, &dyn ToSql); 4] {
        [
            (":id", &self.id),
            (":account", &self.account),
            (":recipient", &self.recipient),
            (":destination", &self.destination),
        ]
    }
}

/// Applies a command to all selected recipients of the queue.
pub(super) fn intervene(
    context: &mut OperationContext<'_>,
    selection: &Selection,
    intervention: Intervention,
) -> Result<Changed, SpoolError> {
    let selected = SelectionSql::new(selection);
    let from = intervention.from().iter();
    let from: Vec<_> = from.map(|status| format!("'{}'", status.word())).collect();
    let to = intervention.state().status().word();
    let due = intervention.due().map(from_millis);
    let which = format!(
        "message IN (SELECT number FROM messages WHERE quarantine_reason IS NULL AND kept = 0 AND {}) AND {}",
        selected.messages(),
        SelectionSql::RECIPIENTS
    );
    let mut parameters = selected.parameters().to_vec();
    let in_progress = if intervention.means_leased() {
        context
            .connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM recipients WHERE state = 'leased' AND {which}"
            ))?
            .query_row(&parameters[..], |row| row.get(0))
            .map(to_u64)?
    } else {
        0
    };
    parameters.push((":to", &to));
    parameters.push((":due", &due));
    let mut update = context.connection.prepare_cached(&format!(
        "UPDATE recipients SET state = :to, due = :due WHERE state IN ({}) AND {which}
         RETURNING message, number",
        from.join(", ")
    ))?;
    let recipients = update
        .query_map(&parameters[..], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(i64, u32)>, _>>()?;
    for (message, number) in &recipients {
        let change = scheduled::one(context.connection, *message, *number)?;
        context.after.scheduled.extend(change);
    }
    if let Intervention::Cancel(now) = intervention {
        for (message, numbers) in by_message(&recipients) {
            let told = ToldRecipients::Numbered(&numbers);
            tell(context, message, told, now, &cancelled("by an operator"))?;
            drop_if_finished(context, message)?;
        }
    }
    Ok(Changed {
        changed: recipients.len() as u64,
        in_progress,
    })
}

/// Returns the numbers of recipients by their messages.
fn by_message(recipients: &[(i64, u32)]) -> BTreeMap<i64, Vec<u32>> {
    let mut messages: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for (message, number) in recipients {
        messages.entry(*message).or_default().push(*number);
    }
    messages
}

fn cancelled(why: &str) -> EventKind {
    EventKind::Cancelled {
        why: why.to_owned(),
    }
}

/// Queues recipients again that have failed after an attempt.
pub(super) fn resend(
    context: &mut OperationContext<'_>,
    selection: &Selection,
    now: Millis,
) -> Result<Changed, SpoolError> {
    let selected = SelectionSql::new(selection);
    let now = from_millis(now);
    let mut parameters = selected.parameters().to_vec();
    parameters.push((":now", &now));
    let mut update = context.connection.prepare_cached(&format!(
        "UPDATE recipients SET state = 'queued', due = :now, attempts = 0, delay_told = 0,
            destination = NULL, route_json = NULL, attention = NULL
         WHERE state = 'failed' AND attempts > 0
            AND message IN (SELECT number FROM messages WHERE {}) AND {}
         RETURNING message, number",
        selected.messages(),
        SelectionSql::RECIPIENTS
    ))?;
    let recipients = update
        .query_map(&parameters[..], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(i64, u32)>, _>>()?;
    let mut update = context.connection.prepare_cached(
        "UPDATE messages SET kept = 0, keep_until = NULL,
            expires_at = ?1 + max(expires_at - received_at, 0), received_at = ?1
         WHERE number = ?2",
    )?;
    for (message, numbers) in by_message(&recipients) {
        update.execute([now, message])?;
        let told = ToldRecipients::Numbered(&numbers);
        tell(context, message, told, to_millis(now), &EventKind::Queued)?;
    }
    for (message, number) in &recipients {
        let change = scheduled::one(context.connection, *message, *number)?;
        context.after.scheduled.extend(change);
    }
    Ok(Changed {
        changed: recipients.len() as u64,
        in_progress: 0,
    })
}

/// Events that a relay is thought to tell in a second at most, and in all before it tells of the
/// first: by these the numbers of a restored store go on behind those that were given since.
const EVENTS_A_SECOND: u64 = 10_000;
const LEAST_GAP: u64 = 1_000_000;

/// Makes a store that was opened from a copy go on. Returns the number of recipients that are held.
pub(super) fn restored(
    context: &mut OperationContext<'_>,
    copied: Millis,
    now: Millis,
    queue: RestoredQueue,
) -> Result<u64, SpoolError> {
    let age = now.since(copied);
    let expire = "UPDATE messages SET expires_at = expires_at + ?1
        WHERE quarantine_reason IS NULL AND kept = 0";
    let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    (context.connection).execute(expire, [from_u64(millis)])?;
    let gap = LEAST_GAP.saturating_add(EVENTS_A_SECOND.saturating_mul(age.as_secs()));
    leave_gap(context, gap)?;
    if queue == RestoredQueue::Due {
        return Ok(0);
    }
    let mut update = context.connection.prepare_cached(
        "UPDATE recipients SET state = 'held', due = NULL, owner = NULL, last_server = NULL,
            last_reply_json = ?1
         WHERE state IN ('queued', 'leased') RETURNING message, number",
    )?;
    let recipients = update
        .query_map([to_json(&held_by_restore())?], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(i64, u32)>, _>>()?;
    for (message, number) in &recipients {
        let change = scheduled::one(context.connection, *message, *number)?;
        context.after.scheduled.extend(change);
    }
    Ok(recipients.len() as u64)
}

/// Moves the last event behind a gap, with those who have read it. Without any event nobody was told
/// of one before the copy.
fn leave_gap(context: &mut OperationContext<'_>, gap: u64) -> Result<(), SpoolError> {
    let last = ledger::last_event(context.connection)?;
    if last == 0 {
        return Ok(());
    }
    for table in ["cursors", "events"] {
        let update = format!("UPDATE {table} SET seq = seq + ?1 WHERE seq = ?2");
        (context.connection).execute(&update, [from_u64(gap), from_u64(last)])?;
    }
    context.last_event.set(last + gap);
    context.after.last_event = last + gap;
    Ok(())
}

/// Drops kept messages that are too old or too many.
pub(super) fn expire_kept(
    context: &mut OperationContext<'_>,
    keep: Keep,
) -> Result<Dropped, SpoolError> {
    let held: i64 = (context.connection)
        .prepare_cached("SELECT count(*) FROM messages WHERE kept = 1")?
        .query_row([], |row| row.get(0))?;
    let over = held.saturating_sub(from_u64(keep.most)).max(0);
    let some = EXPIRE_AT_ONCE as i64;
    let dropped = context
        .connection
        .prepare_cached(
            "SELECT number FROM (SELECT number, keep_until FROM messages WHERE kept = 1
                ORDER BY keep_until LIMIT :over)
             UNION SELECT number FROM (SELECT number FROM messages
                WHERE kept = 1 AND keep_until < :before ORDER BY keep_until LIMIT :some)",
        )?
        .query_map(
            named_params! {
                ":over": over.min(some),
                ":before": from_millis(keep.since),
                ":some": some,
            },
            |row| row.get(0),
        )?
        .collect::<Result<Vec<i64>, _>>()?;
    for message in &dropped {
        drop_message(context, *message)?;
    }
    Ok(Dropped {
        entries: dropped.len() as u64,
        more: dropped.len() >= EXPIRE_AT_ONCE,
    })
}

/// Moves a message from quarantine to the queue.
pub(super) fn release_from_quarantine(
    context: &mut OperationContext<'_>,
    id: TransactionId,
    now: Millis,
) -> Result<bool, SpoolError> {
    let mut update = context.connection.prepare_cached(
        "UPDATE messages SET quarantine_reason = NULL, quarantine_expires = NULL,
            expires_at = :now + max(expires_at - received_at, 0)
         WHERE id = :id AND quarantine_reason IS NOT NULL RETURNING number",
    )?;
    let now = from_millis(now);
    let number: Option<i64> = update
        .query_row(
            named_params! { ":id": id.to_string(), ":now": now },
            |row| row.get(0),
        )
        .optional()?;
    let Some(number) = number else {
        return Ok(false);
    };
    let told = ToldRecipients::Quarantined;
    tell(context, number, told, to_millis(now), &EventKind::Queued)?;
    let released = context
        .connection
        .prepare_cached(
            "UPDATE recipients SET state = 'queued', due = ?1
             WHERE message = ?2 AND state = 'quarantined' RETURNING number",
        )?
        .query_map([now, number], |row| row.get(0))?
        .collect::<Result<Vec<u32>, _>>()?;
    for recipient in released {
        let change = scheduled::one(context.connection, number, recipient)?;
        context.after.scheduled.extend(change);
    }
    Ok(true)
}

/// Drops a message in quarantine.
pub(super) fn delete_from_quarantine(
    context: &mut OperationContext<'_>,
    id: TransactionId,
    now: Millis,
) -> Result<bool, SpoolError> {
    let mut select = context.connection.prepare_cached(
        "SELECT number FROM messages WHERE id = ?1 AND quarantine_reason IS NOT NULL",
    )?;
    match select
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?
    {
        Some(number) => {
            let kind = cancelled("deleted from quarantine by an operator");
            tell(context, number, ToldRecipients::Quarantined, now, &kind)?;
            drop_message(context, number).map(|()| true)
        }
        None => Ok(false),
    }
}

/// Drops messages whose time in quarantine is over, the oldest first.
pub(super) fn expire_quarantine(
    context: &mut OperationContext<'_>,
    now: Millis,
) -> Result<Expired, SpoolError> {
    let mut expired = Expired::default();
    let over = context
        .connection
        .prepare_cached(
            "SELECT number, id FROM messages WHERE quarantine_expires <= ?1
             ORDER BY quarantine_expires LIMIT ?2",
        )?
        .query_map([from_millis(now), EXPIRE_AT_ONCE as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(i64, String)>, _>>()?;
    expired.more = over.len() == EXPIRE_AT_ONCE;
    for (number, id) in over {
        let kind = cancelled("its time in quarantine was over");
        tell(context, number, ToldRecipients::Quarantined, now, &kind)?;
        drop_message(context, number)?;
        expired
            .quarantined
            .push(id.parse().map_err(damaged("transaction id"))?);
    }
    Ok(expired)
}

/// Drops expired marks, counts and machines, the oldest first.
pub(super) fn forget_expired(
    context: &mut OperationContext<'_>,
    now: Millis,
) -> Result<Forgotten, SpoolError> {
    let before = context.after.changes.len();
    let mut more = forget_marks(context, now)?;
    more |= forget_counts(context, now)?;
    more |= forget_machines(context, now)?;
    Ok(Forgotten {
        entries: context.after.changes.len() - before,
        more,
    })
}

/// Deletes expired marks; returns true if there may be more.
fn forget_marks(context: &mut OperationContext<'_>, now: Millis) -> Result<bool, SpoolError> {
    let over = context
        .connection
        .prepare_cached(
            "SELECT policy, account, key FROM marks WHERE until <= ?1 ORDER BY until LIMIT ?2",
        )?
        .query_map([from_millis(now), EXPIRE_AT_ONCE as i64], |row| {
            Ok((to_scope(row.get(0)?, row.get(1)?), row.get(2)?))
        })?
        .collect::<Result<Vec<(_, String)>, _>>()?;
    let more = over.len() == EXPIRE_AT_ONCE;
    let mut delete = context
        .connection
        .prepare_cached("DELETE FROM marks WHERE policy = ?1 AND account = ?2 AND key = ?3")?;
    for (scope, key) in over {
        delete.execute([&scope.policy, account_key(&scope), &key])?;
        context
            .after
            .changes
            .push(CounterChange::Unmark { scope, key });
    }
    Ok(more)
}

/// Deletes a machine; returns true if it was known at `now`.
pub(super) fn forget_machine(
    context: &mut OperationContext<'_>,
    account: &str,
    address: &str,
    now: Millis,
) -> Result<bool, SpoolError> {
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM machines WHERE account = ?1 AND address = ?2 RETURNING until",
    )?;
    let until: Option<i64> = delete
        .query_row([account, address], |row| row.get(0))
        .optional()?;
    context.after.changes.push(CounterChange::ForgetMachine {
        account: account.to_owned(),
        address: address.to_owned(),
    });
    Ok(until.is_some_and(|until| until > from_millis(now)))
}

/// Deletes expired machines; returns true if there may be more.
fn forget_machines(context: &mut OperationContext<'_>, now: Millis) -> Result<bool, SpoolError> {
    let over = context
        .connection
        .prepare_cached(
            "SELECT account, address FROM machines WHERE until <= ?1 ORDER BY until LIMIT ?2",
        )?
        .query_map([from_millis(now), EXPIRE_AT_ONCE as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    let more = over.len() == EXPIRE_AT_ONCE;
    for (account, address) in over {
        forget_machine(context, &account, &address, now)?;
    }
    Ok(more)
}

/// Deletes expired buckets of counts; returns true if there may be more.
fn forget_counts(context: &mut OperationContext<'_>, now: Millis) -> Result<bool, SpoolError> {
    let first = from_u64(first_bucket(now, LONGEST_WINDOW));
    let over = context
        .connection
        .prepare_cached(
            "SELECT policy, account, key, minute FROM counts WHERE minute < ?1
             ORDER BY minute LIMIT ?2",
        )?
        .query_map([first, EXPIRE_AT_ONCE as i64], |row| {
            Ok((to_scope(row.get(0)?, row.get(1)?), row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<Vec<(_, String, i64)>, _>>()?;
    let more = over.len() == EXPIRE_AT_ONCE;
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM counts WHERE policy = ?1 AND account = ?2 AND key = ?3 AND minute = ?4",
    )?;
    for (scope, key, minute) in over {
        delete.execute((&scope.policy, account_key(&scope), &key, minute))?;
        context.after.changes.push(CounterChange::DropBucket {
            scope,
            key,
            bucket: to_u64(minute),
        });
    }
    Ok(more)
}
