//! Erasure of an account from the database.

use gatepost_counters::CounterChange;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Event, NoticeSubject};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::{ERASE_AT_ONCE, EraseCursor, ErasedRows, ErasureStep, Ledger, SpoolError};

use super::{
    accept, answers,
    codec::{damaged, from_u64, to_u64},
    deliver::drop_message,
    key_set::KeyChange,
    ledger,
    operation::OperationContext,
};

/// A message of the account within a step.
struct OwnMessage {
    number: i64,
    id: String,
    is_under_way: bool,
}

/// Rows of one step, and the place behind them.
struct RowsOfStep {
    messages: Vec<OwnMessage>,
    /// Numbers of events, each with its transaction.
    events: Vec<(i64, Option<[u8; 16]>)>,
    next: Option<EraseCursor>,
}

impl RowsOfStep {
    /// Looks at the next messages and events of all accounts.
    fn read(connection: &Connection, account: &str, from: EraseCursor) -> Result<Self, SpoolError> {
        let most = ERASE_AT_ONCE as i64;
        let mut next = from;
        let mut seen = (0, 0);
        let mut select = connection.prepare_cached(
            "SELECT number, id, account IS ?2, EXISTS (SELECT 1 FROM recipients
                WHERE message = messages.number AND state = 'leased')
             FROM messages WHERE number > ?1 ORDER BY number LIMIT ?3",
        )?;
        let mut messages = Vec::new();
        let mut rows = select.query(params![from_u64(from.message), account, most])?;
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            seen.0 += 1;
            next.message = to_u64(number);
            if row.get(2)? {
                messages.push(OwnMessage {
                    number,
                    id: row.get(1)?,
                    is_under_way: row.get(3)?,
                });
            }
        }
        let mut select = connection.prepare_cached(
            "SELECT seq, account IS ?2, transaction_id FROM events WHERE seq > ?1
             ORDER BY seq LIMIT ?3",
        )?;
        let mut events = Vec::new();
        let mut rows = select.query(params![from_u64(from.event), account, most])?;
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            seen.1 += 1;
            next.event = to_u64(number);
            if row.get(1)? {
                events.push((number, row.get(2)?));
            }
        }
        let is_last = seen.0 < ERASE_AT_ONCE && seen.1 < ERASE_AT_ONCE;
        Ok(Self {
            messages,
            events,
            next: (!is_last).then_some(next),
        })
    }
}

/// Returns the transactions of what a step would remove.
pub(super) fn erasable(
    connection: &Connection,
    account: &str,
    from: EraseCursor,
) -> Result<Vec<TransactionId>, SpoolError> {
    let step = RowsOfStep::read(connection, account, from)?;
    let messages = step.messages.iter();
    let messages = messages.map(|found| found.id.parse().map_err(damaged("transaction id")));
    let mut ids = messages.collect::<Result<Vec<_>, _>>()?;
    let of_events = step.events.iter().filter_map(|(_, id)| *id);
    for octets in of_events {
        let id = Uuid::from_bytes(octets).to_string();
        ids.push(id.parse().map_err(damaged("transaction id"))?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Makes a step: what it removes is overwritten in the database.
pub(super) fn erase(
    context: &mut OperationContext<'_>,
    account: &str,
    from: EraseCursor,
    now: Millis,
) -> Result<ErasureStep, SpoolError> {
    overwritten(context, |context| step(context, account, from, now))
}

/// Runs a change in a way that overwrites what it removes.
pub(super) fn overwritten<T>(
    context: &mut OperationContext<'_>,
    change: impl FnOnce(&mut OperationContext<'_>) -> Result<T, SpoolError>,
) -> Result<T, SpoolError> {
    let connection = context.connection;
    connection.pragma_update(None, "secure_delete", true)?;
    let changed = change(context);
    connection.pragma_update(None, "secure_delete", false)?;
    changed
}

fn step(
    context: &mut OperationContext<'_>,
    account: &str,
    from: EraseCursor,
    now: Millis,
) -> Result<ErasureStep, SpoolError> {
    let step = RowsOfStep::read(context.connection, account, from)?;
    let mut erased = ErasedRows::default();
    for found in &step.messages {
        match found.is_under_way {
            true => erased.under_way += 1,
            false => {
                drop_message(context, found.number)?;
                erased.messages += 1;
            }
        }
    }
    let events = step.events.iter().map(|(number, _)| *number);
    keep_last_number(context, events, "an account was erased", now)?;
    let mut delete = (context.connection).prepare_cached("DELETE FROM events WHERE seq = ?1")?;
    for (number, _) in &step.events {
        erased.events += delete.execute([number])? as u64;
    }
    drop(delete);
    if from == EraseCursor::default() {
        erased.suppressions = keys(context, "suppressions", "address", account)?;
        erased.learnt_ids = keys(context, "learnt_ids", "theirs", account)?;
        erased.keyed_answers = answers::erase(context, account)?;
        erased.counters = counters(context, account)?;
    }
    Ok(ErasureStep {
        erased,
        next: step.next,
    })
}

/// Writes a notice behind the events that are removed, if the last event is among them: the next number
/// follows from it.
pub(super) fn keep_last_number(
    context: &mut OperationContext<'_>,
    mut removed: impl Iterator<Item = i64>,
    text: &str,
    now: Millis,
) -> Result<(), SpoolError> {
    let last = from_u64(ledger::last_event(context.connection)?);
    if removed.any(|number| number == last) {
        let notice = Event::notice(None, NoticeSubject::Account, text.to_owned(), now);
        ledger::write_all(context, &Ledger::of([notice]))?;
    }
    Ok(())
}

/// Deletes an account's rows of a ledger that has its keys in memory.
fn keys(
    context: &mut OperationContext<'_>,
    table: &str,
    key: &str,
    account: &str,
) -> Result<u64, SpoolError> {
    let delete = format!("DELETE FROM {table} WHERE account = ?1 RETURNING {key}");
    let mut delete = context.connection.prepare_cached(&delete)?;
    let gone = delete
        .query_map([account], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    let changes = gone.iter().map(|key| KeyChange::gone(account, key));
    match table {
        "suppressions" => context.after.suppressed.extend(changes),
        _ => context.after.learnt.extend(changes),
    }
    Ok(gone.len() as u64)
}

/// Deletes what policies have remembered for an account.
fn counters(context: &mut OperationContext<'_>, account: &str) -> Result<u64, SpoolError> {
    let count = "SELECT (SELECT count(*) FROM marks WHERE account = ?1)
        + (SELECT count(*) FROM counts WHERE account = ?1)
        + (SELECT count(*) FROM machines WHERE account = ?1)";
    let known: i64 = (context.connection)
        .prepare_cached(count)?
        .query_row([account], |row| row.get(0))?;
    let change = CounterChange::ForgetAccount {
        account: account.to_owned(),
    };
    accept::write_change(context.connection, &change)?;
    context.after.changes.push(change);
    Ok(to_u64(known))
}
