//! The ledgers in the database: events with the cursors of their readers, suppression lists, learnt
//! Message-IDs.

use gatepost_counters::CounterChange;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{
    Event, LearntId, StoredEvent, Suppression, SuppressionCause, SuppressionChange,
};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use uuid::Uuid;

use crate::{
    Dropped, EXPIRE_AT_ONCE, EventFilter, EventPage, Keep, Ledger, MAX_SUPPRESSIONS, READ_AT_ONCE,
    SpoolError, SuppressionFilter,
    counted_failures::CountedFailures,
    event_entry::EventEntry,
    journal::{CheckpointBatch, Journal, JournalChange, ledger_changes},
};

use super::{
    accept, answers,
    codec::{damaged, from_json, from_millis, from_u64, to_json, to_millis, to_u64},
    key_set::KeyChange,
    operation::{OperationClass, OperationContext, Work},
};

/// Bytes that an event is assumed to take on the disk: once in the WAL, once in the database.
const EVENT_BYTES: u64 = 4 << 10;

/// Returns the number of the last event in the database; 0 if there was none.
pub(super) fn last_event(connection: &Connection) -> Result<u64, SpoolError> {
    let select = "SELECT ifnull(max(seq), 0) FROM events";
    Ok(connection.query_row(select, [], |row| row.get(0).map(to_u64))?)
}

/// Returns the number of the oldest event in the database; 0 if there is none.
pub(super) fn first_event(connection: &Connection) -> Result<u64, SpoolError> {
    let select = "SELECT ifnull(min(seq), 0) FROM events";
    Ok(connection.query_row(select, [], |row| row.get(0).map(to_u64))?)
}

/// Numbers and writes entries.
pub(super) fn write_all(
    context: &mut OperationContext<'_>,
    ledger: &Ledger,
) -> Result<(), SpoolError> {
    if ledger.is_empty() {
        return Ok(());
    }
    let first = context.number_events(ledger.events.len());
    for change in ledger_changes(ledger, first) {
        write(context, &change)?;
    }
    note_events(context, ledger, first);
    Ok(())
}

/// Storing of events that come with no message and no result, if there is room.
pub(super) struct AppendEvents(pub(super) Ledger);

impl Work for AppendEvents {
    type Value = u64;
    const CLASS: OperationClass = OperationClass::Intake;

    fn weight(&self) -> usize {
        1 + self.0.len()
    }

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        journal.all_changes()
    }

    fn in_database(&mut self, context: &mut OperationContext<'_>) -> Result<u64, SpoolError> {
        context.reserve(EVENT_BYTES * self.0.len() as u64)?;
        write_all(context, &self.0)?;
        Ok(context.last_event.get())
    }
}

fn note_events(context: &mut OperationContext<'_>, ledger: &Ledger, first: u64) {
    if !ledger.events.is_empty() {
        context.after.last_event = first + ledger.events.len() as u64 - 1;
    }
}

/// Lets the memory of this process know of entries in the journal, once they are durable there.
pub(super) fn note(context: &mut OperationContext<'_>, ledger: &Ledger, first: u64) {
    note_events(context, ledger, first);
    for change in &ledger.suppressions {
        if !matches!(change, SuppressionChange::Delivered { .. }) {
            let (account, address) = change.key();
            recorded(context, account, address);
        }
    }
    let learnt = ledger.learnt.iter();
    let learnt = learnt.map(|learnt| KeyChange::recorded(&learnt.account, &learnt.theirs));
    context.after.learnt.extend(learnt);
    let answers = ledger.answers.iter().map(answers::recorded);
    context.after.answers.extend(answers);
}

fn recorded(context: &mut OperationContext<'_>, account: &str, address: &str) {
    let change = KeyChange::recorded(account, address);
    context.after.suppressed.push(change);
}

fn gone(context: &mut OperationContext<'_>, account: &str, address: &str) {
    let change = KeyChange::gone(account, address);
    context.after.suppressed.push(change);
}

/// Writes a change to the database.
pub(super) fn write(
    context: &mut OperationContext<'_>,
    change: &JournalChange,
) -> Result<(), SpoolError> {
    match change {
        JournalChange::Effect(scope, effect, time) => {
            let change = CounterChange::of(scope, effect, *time);
            accept::write_change(context.connection, &change)
        }
        JournalChange::Event(seq, event) => write_event(context, *seq, event),
        JournalChange::Suppression(change) => write_suppression(context, change),
        JournalChange::Learnt(learnt) => write_learnt(context, learnt),
        JournalChange::Answer(answer) => answers::write(context, answer),
    }
}

fn write_event(
    context: &mut OperationContext<'_>,
    seq: u64,
    entry: &EventEntry,
) -> Result<(), SpoolError> {
    let (event, body) = (entry.event(), entry.json());
    context.after.bytes += body.len() as u64;
    // A number that is there came with the same event, from a journal older than the database.
    let mut insert = context.connection.prepare_cached(
        "INSERT OR IGNORE INTO events (seq, at, account, transaction_id, kind, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute(params![
        from_u64(seq),
        from_millis(event.at),
        event.account,
        event.transaction.map(|id| id.octets()),
        event.kind.name().word(),
        body,
    ])?;
    Ok(())
}

/// Stores a Message-ID, unless another message has it: it stays as first learnt.
fn write_learnt(context: &mut OperationContext<'_>, learnt: &LearntId) -> Result<(), SpoolError> {
    let mut insert = context.connection.prepare_cached(
        "INSERT INTO learnt_ids (account, theirs, ours, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    let LearntId {
        account,
        ours,
        theirs,
        at,
    } = learnt;
    insert.execute(params![account, theirs, ours, from_millis(*at)])?;
    let change = KeyChange::recorded(account, theirs);
    context.after.learnt.push(change);
    Ok(())
}

fn write_suppression(
    context: &mut OperationContext<'_>,
    change: &SuppressionChange,
) -> Result<(), SpoolError> {
    match change {
        SuppressionChange::Suppress(entry) => {
            if !make_room(context, entry)? {
                return Ok(());
            }
            let mut upsert = context.connection.prepare_cached(
                "INSERT INTO suppressions
                    (account, address, cause, evidence, at, transaction_id, count)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET cause = excluded.cause, evidence = excluded.evidence,
                    at = excluded.at, transaction_id = excluded.transaction_id,
                    count = count + excluded.count
                    WHERE cause = 'counting'",
            )?;
            upsert.execute(columns(entry))?;
            recorded(context, &entry.account, &entry.address);
        }
        SuppressionChange::Count {
            entry,
            limit,
            since,
        } => count_failure(context, entry, *limit, *since)?,
        SuppressionChange::Delivered { account, address } => {
            let mut delete = context.connection.prepare_cached(
                "DELETE FROM suppressions WHERE account = ?1 AND address = ?2
                    AND cause = 'counting'",
            )?;
            if delete.execute([account, address])? > 0 {
                gone(context, account, address);
            }
        }
    }
    Ok(())
}

/// Counts a failure that may pass, unless the address is suppressed already.
fn count_failure(
    context: &mut OperationContext<'_>,
    entry: &Suppression,
    limit: u32,
    since: Millis,
) -> Result<(), SpoolError> {
    if !make_room(context, entry)? {
        return Ok(());
    }
    let mut select = context.connection.prepare_cached(
        "SELECT cause, at, count, counted_json FROM suppressions
         WHERE account = ?1 AND address = ?2",
    )?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found: Option<(String, i64, u32, Option<String>)> = select
        .query_row([&entry.account, &entry.address], read)
        .optional()?;
    let mut failures = match found {
        None => CountedFailures::default(),
        Some((cause, ..)) if cause != SuppressionCause::Counting.word() => return Ok(()),
        Some((_, at, count, None)) => CountedFailures::at(to_millis(at), count),
        Some((.., Some(json))) => from_json("failures of an address", &json)?,
    };
    let count = failures.count(entry.at, entry.count, since);
    let counted = Suppression {
        cause: SuppressionCause::of_count(count, limit),
        count,
        ..entry.clone()
    };
    let mut replace = context.connection.prepare_cached(
        "INSERT OR REPLACE INTO suppressions
            (account, address, cause, evidence, at, transaction_id, count, counted_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let (account, address, cause, evidence, at, by, count) = columns(&counted);
    let json = to_json(&failures)?;
    replace.execute(params![
        account, address, cause, evidence, at, by, count, json
    ])?;
    recorded(context, &entry.account, &entry.address);
    Ok(())
}

/// Returns the values of a row.
fn columns(entry: &Suppression) -> (&str, &str, &'static str, &str, i64, Option<[u8; 16]>, u32) {
    (
        &entry.account,
        &entry.address,
        entry.cause.word(),
        &entry.evidence,
        from_millis(entry.at),
        entry.by.map(|id| id.octets()),
        entry.count,
    )
}

/// Makes room for an entry in the list of a full account; returns false if there is none to be made.
fn make_room(context: &mut OperationContext<'_>, entry: &Suppression) -> Result<bool, SpoolError> {
    let account = &entry.account;
    let held = context.suppressed.count(Some(account)) + context.after.suppressed.len() as u64;
    if held < MAX_SUPPRESSIONS as u64 || context.suppressed.may_hold(account, &entry.address) {
        return Ok(true);
    }
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM suppressions WHERE account = ?1 AND address = (
            SELECT address FROM suppressions
            WHERE account = ?1 AND cause NOT IN ('operator', 'import') ORDER BY at LIMIT 1)
         RETURNING address",
    )?;
    let evicted: Option<String> = delete.query_row([account], |row| row.get(0)).optional()?;
    match evicted {
        Some(address) => gone(context, account, &address),
        None => {
            tracing::warn!(%account, "the suppression list is full: an address is not added");
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds entries by an operator's command; returns how many were stored.
pub(super) fn add_suppressions(
    context: &mut OperationContext<'_>,
    entries: &[Suppression],
) -> Result<u64, SpoolError> {
    let mut stored = 0;
    for entry in entries {
        if !make_room(context, entry)? {
            continue;
        }
        let mut replace = context.connection.prepare_cached(
            "INSERT OR REPLACE INTO suppressions
                (account, address, cause, evidence, at, transaction_id, count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        replace.execute(columns(entry))?;
        recorded(context, &entry.account, &entry.address);
        stored += 1;
    }
    Ok(stored)
}

/// Removes an entry; returns true if there was one.
pub(super) fn remove_suppression(
    context: &mut OperationContext<'_>,
    account: &str,
    address: &str,
) -> Result<bool, SpoolError> {
    let mut delete = (context.connection)
        .prepare_cached("DELETE FROM suppressions WHERE account = ?1 AND address = ?2")?;
    let removed = delete.execute([account, address])? > 0;
    if removed {
        gone(context, account, address);
    }
    Ok(removed)
}

/// Drops entries that only count, and have not for long.
pub(super) fn expire_counting(
    context: &mut OperationContext<'_>,
    before: Millis,
) -> Result<Dropped, SpoolError> {
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM suppressions WHERE (account, address) IN (
            SELECT account, address FROM suppressions
            WHERE cause = 'counting' AND at < ?1 ORDER BY at LIMIT ?2)
         RETURNING account, address",
    )?;
    let dropped = delete
        .query_map([from_millis(before), EXPIRE_AT_ONCE as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    for (account, address) in &dropped {
        gone(context, account, address);
    }
    Ok(dropped_rows(dropped.len()))
}

pub(super) fn dropped_rows(rows: usize) -> Dropped {
    Dropped {
        entries: rows as u64,
        more: rows >= EXPIRE_AT_ONCE,
    }
}

const SUPPRESSION: &str = "account, address, cause, evidence, at, transaction_id, count";

fn suppression(row: &Row<'_>) -> Result<Suppression, SpoolError> {
    let cause: String = row.get(2)?;
    let cause = SuppressionCause::from_word(&cause)
        .ok_or_else(|| damaged("cause of a suppression")(format!("`{cause}`")))?;
    let by: Option<[u8; 16]> = row.get(5)?;
    Ok(Suppression {
        account: row.get(0)?,
        address: row.get(1)?,
        cause,
        evidence: row.get(3)?,
        at: to_millis(row.get(4)?),
        by: by.map(transaction_id).transpose()?,
        count: row.get(6)?,
    })
}

fn transaction_id(octets: [u8; 16]) -> Result<TransactionId, SpoolError> {
    Uuid::from_bytes(octets)
        .try_into()
        .map_err(damaged("transaction id"))
}

/// Returns the entry of an address that is suppressed.
pub(super) fn find_suppression(
    connection: &Connection,
    account: &str,
    address: &str,
) -> Result<Option<Suppression>, SpoolError> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {SUPPRESSION} FROM suppressions
         WHERE account = ?1 AND address = ?2 AND cause <> 'counting'"
    ))?;
    let mut rows = select.query([account, address])?;
    rows.next()?.map(suppression).transpose()
}

/// Lists entries.
pub(super) fn suppressions(
    connection: &Connection,
    filter: &SuppressionFilter,
) -> Result<Vec<Suppression>, SpoolError> {
    let (account, address) = filter.after.clone().unwrap_or_default();
    let mut select = connection.prepare_cached(&format!(
        "SELECT {SUPPRESSION} FROM suppressions
         WHERE (account, address) > (:after_account, :after_address)
            AND (:account IS NULL OR account = :account)
            AND iif(:cause IS NULL, cause <> 'counting', cause = :cause)
         ORDER BY account, address LIMIT :limit"
    ))?;
    let mut rows = select.query(named_params! {
        ":after_account": account,
        ":after_address": address,
        ":account": filter.account,
        ":cause": filter.cause.map(SuppressionCause::word),
        ":limit": i64::try_from(filter.limit).unwrap_or(i64::MAX),
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(suppression(row)?);
    }
    Ok(found)
}

/// Reads events. All up to `last` are in the database.
pub(super) fn events(
    connection: &Connection,
    after: u64,
    last: u64,
    filter: &EventFilter,
    limit: usize,
) -> Result<EventPage, SpoolError> {
    let mut page = EventPage {
        next: after,
        ..EventPage::default()
    };
    // Each is found by its index.
    let of_one = match filter.transaction {
        Some(_) => "transaction_id = ?1",
        None => "?1 IS NULL",
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT seq, body FROM events WHERE {of_one} AND seq > ?2 AND seq <= ?3
         ORDER BY seq LIMIT ?4"
    ))?;
    let mut rows = select.query(params![
        filter.transaction.map(|id| id.octets()),
        from_u64(after),
        from_u64(last),
        READ_AT_ONCE as i64,
    ])?;
    let mut read = 0;
    while page.events.len() < limit {
        let Some(row) = rows.next()? else {
            match read == READ_AT_ONCE {
                true => page.more = true,
                false => page.next = page.next.max(last),
            }
            return Ok(page);
        };
        read += 1;
        let seq = to_u64(row.get(0)?);
        page.next = seq;
        let body: String = row.get(1)?;
        let event: Event = from_json(&format!("event {seq}"), &body)?;
        if filter.wants(&event) {
            page.events.push(StoredEvent { seq, event });
        }
    }
    page.more = page.next < last;
    Ok(page)
}

/// Returns the first event of a message.
pub(super) fn first_of(
    connection: &Connection,
    message: TransactionId,
) -> Result<Option<StoredEvent>, SpoolError> {
    let filter = EventFilter {
        transaction: Some(message),
        ..EventFilter::default()
    };
    let page = events(connection, 0, u64::MAX, &filter, 1)?;
    Ok(page.events.into_iter().next())
}

/// Drops events that are too old or too many, but for the last one.
pub(super) fn expire_events(
    context: &mut OperationContext<'_>,
    keep: Keep,
) -> Result<Dropped, SpoolError> {
    // Events are written in the order of their times, or nearly so.
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT :some)
            AND seq < (SELECT max(seq) FROM events)
            AND (at < :before OR seq <= (SELECT max(seq) FROM events) - :most)",
    )?;
    let rows = delete.execute(named_params! {
        ":some": EXPIRE_AT_ONCE as i64,
        ":before": from_millis(keep.since),
        ":most": from_u64(keep.most),
    })?;
    Ok(dropped_rows(rows))
}

/// Drops Message-IDs that are too old or too many, of those that are held.
pub(super) fn expire_learnt(
    context: &mut OperationContext<'_>,
    keep: Keep,
    held: u64,
) -> Result<Dropped, SpoolError> {
    let over = from_u64(held.saturating_sub(keep.most));
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM learnt_ids WHERE (account, theirs) IN (
            SELECT account, theirs FROM learnt_ids ORDER BY at LIMIT :over)
            OR (account, theirs) IN (
            SELECT account, theirs FROM learnt_ids WHERE at < :before ORDER BY at LIMIT :some)
         RETURNING account, theirs",
    )?;
    let some = EXPIRE_AT_ONCE as i64;
    let mut rows = delete.query(named_params! {
        ":over": over.min(some),
        ":before": from_millis(keep.since),
        ":some": some,
    })?;
    let before = context.after.learnt.len();
    while let Some(row) = rows.next()? {
        let (account, theirs): (String, String) = (row.get(0)?, row.get(1)?);
        context
            .after
            .learnt
            .push(KeyChange::gone(&account, &theirs));
    }
    Ok(dropped_rows(context.after.learnt.len() - before))
}

/// Returns our Message-ID of a message.
pub(super) fn ours_of(
    connection: &Connection,
    account: &str,
    theirs: &str,
) -> Result<Option<String>, SpoolError> {
    let mut select = connection
        .prepare_cached("SELECT ours FROM learnt_ids WHERE account = ?1 AND theirs = ?2")?;
    Ok(select
        .query_row([account, theirs], |row| row.get(0))
        .optional()?)
}

/// Returns a reader's cursor.
pub(super) fn cursor(connection: &Connection, name: &str) -> Result<Option<u64>, SpoolError> {
    let mut select = connection.prepare_cached("SELECT seq FROM cursors WHERE name = ?1")?;
    let cursor = select.query_row([name], |row| row.get(0).map(to_u64));
    Ok(cursor.optional()?)
}

/// Stores a reader's cursor; `None` deletes it.
pub(super) fn set_cursor(
    context: &mut OperationContext<'_>,
    name: &str,
    after: Option<u64>,
) -> Result<(), SpoolError> {
    match after {
        Some(after) => (context.connection)
            .prepare_cached("INSERT OR REPLACE INTO cursors (name, seq) VALUES (?1, ?2)")?
            .execute(params![name, from_u64(after)])?,
        None => (context.connection)
            .prepare_cached("DELETE FROM cursors WHERE name = ?1")?
            .execute([name])?,
    };
    Ok(())
}
