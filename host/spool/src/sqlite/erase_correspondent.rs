//! Erasure of one correspondent's address from the database.
//!
//! What is only about the address is removed; in what stays for others, an address of nobody takes its
//! place. Messages and events are looked at some at a time, and the keys of ledgers and counters with
//! the first step: these are bounded for each account.

use std::sync::Arc;

use gatepost_counters::CounterChange;
use gatepost_message::{Body, Message, Millis, TransactionId};
use gatepost_model::{Event, EventKind, EventName, Flow, Session};
use rusqlite::{Connection, Row, params};

use crate::{
    ERASE_AT_ONCE, EraseCursor, ErasedCorrespondent, ErasedRows, ErasureStep, SpoolError,
    schedule::ScheduleChange,
};

use super::{
    accept, answers,
    codec::{damaged, from_u64, to_scope, to_u64},
    deliver::{drop_if_finished, drop_message, row_number},
    erase::keep_last_number,
    key_set::KeyChange,
    operate::forget_machine,
    operation::OperationContext,
};

/// Texts of messages that stay in which the address may be, by table and the column of its key.
const TEXTS: [(&str, &str, &str); 4] = [
    ("messages", "number", "tags_json"),
    ("messages", "number", "quarantine_reason"),
    ("contents", "message", "judgements_json"),
    ("contents", "message", "metadata"),
];

/// Texts of recipients that stay in which it may be.
const TEXTS_OF_RECIPIENTS: [&str; 2] = ["last_reply_json", "reason"];

/// Makes a step.
pub(super) fn erase(
    context: &mut OperationContext<'_>,
    of: &ErasedCorrespondent,
    from: EraseCursor,
    now: Millis,
) -> Result<ErasureStep, SpoolError> {
    let mut erased = ErasedRows::default();
    let mut next = from;
    let messages = numbers(context.connection, MESSAGES, from.message, of)?;
    for message in &messages.of_account {
        erase_from_message(context, of, *message, &mut erased)?;
    }
    let events = numbers(context.connection, EVENTS, from.event, of)?;
    erase_events(context, of, &events.of_account, now, &mut erased)?;
    next.message = messages.last.unwrap_or(from.message);
    next.event = events.last.unwrap_or(from.event);
    if from == EraseCursor::default() {
        erased.suppressions = erase_suppressions(context, of)?;
        erased.learnt_ids += erase_learnt(context, of)?;
        erased.keyed_answers = answers::erase_correspondent(context, of)?;
        erased.counters = erase_counters(context, of, now)?;
    }
    let is_last = messages.seen < ERASE_AT_ONCE && events.seen < ERASE_AT_ONCE;
    Ok(ErasureStep {
        erased,
        next: (!is_last).then_some(next),
    })
}

/// Removes messages by their ids.
pub(super) fn erase_messages(
    context: &mut OperationContext<'_>,
    ids: &[TransactionId],
) -> Result<ErasedRows, SpoolError> {
    let mut erased = ErasedRows::default();
    for id in ids {
        if let Some(number) = row_number(context, *id)? {
            let recipients = EnvelopeRecipient::read_all(context.connection, number)?;
            match recipients.iter().any(|to| to.is_leased) {
                true => erased.under_way += 1,
                false => {
                    drop_message(context, number)?;
                    erased.messages += 1;
                }
            }
        }
    }
    Ok(erased)
}

const MESSAGES: &str = "SELECT number, ?2 IS NULL OR account IS ?2 FROM messages WHERE number > ?1
    ORDER BY number LIMIT ?3";
const EVENTS: &str = "SELECT seq, ?2 IS NULL OR account IS ?2 FROM events WHERE seq > ?1
    ORDER BY seq LIMIT ?3";

/// Numbers of the rows of a step.
struct NumbersOfStep {
    of_account: Vec<i64>,
    last: Option<u64>,
    seen: usize,
}

fn numbers(
    connection: &Connection,
    select: &str,
    after: u64,
    of: &ErasedCorrespondent,
) -> Result<NumbersOfStep, SpoolError> {
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(params![from_u64(after), of.account, ERASE_AT_ONCE as i64])?;
    let mut numbers = NumbersOfStep {
        of_account: Vec::new(),
        last: None,
        seen: 0,
    };
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        numbers.seen += 1;
        numbers.last = Some(to_u64(number));
        if row.get(1)? {
            numbers.of_account.push(number);
        }
    }
    Ok(numbers)
}

/// A recipient of a stored message.
struct EnvelopeRecipient {
    number: u32,
    address: String,
    is_leased: bool,
}

impl EnvelopeRecipient {
    fn read_all(connection: &Connection, message: i64) -> Result<Vec<Self>, SpoolError> {
        let mut select = connection.prepare_cached(
            "SELECT number, address, state = 'leased' FROM recipients WHERE message = ?1",
        )?;
        let read = |row: &Row<'_>| {
            Ok(Self {
                number: row.get(0)?,
                address: row.get(1)?,
                is_leased: row.get(2)?,
            })
        };
        let recipients = select.query_map([message], read)?;
        Ok(recipients.collect::<Result<_, _>>()?)
    }
}

/// A stored message, as far as it shows whether all of it goes.
struct SearchedMessage {
    id: TransactionId,
    reverse_path: String,
    flow: Option<Flow>,
    message: Message,
}

impl SearchedMessage {
    /// Reads a message; one that is damaged is known by its envelope alone.
    fn read(context: &OperationContext<'_>, number: i64) -> Result<Self, SpoolError> {
        let mut select = context.connection.prepare_cached(
            "SELECT id, reverse_path, session_json, head, size, body_offset
             FROM messages LEFT JOIN contents ON message = number WHERE number = ?1",
        )?;
        let mut rows = select.query([number])?;
        let Some(row) = rows.next()? else {
            return Err(damaged("message")(format!("number {number} is gone")));
        };
        let id: String = row.get(0)?;
        let id = id.parse().map_err(damaged("transaction id"))?;
        let session: Option<String> = row.get(2)?;
        let session = session.and_then(|json| serde_json::from_str::<Session>(&json).ok());
        let head: Vec<u8> = row.get::<_, Option<_>>(3)?.unwrap_or_default();
        let length = to_u64(row.get(4)?).saturating_sub(head.len() as u64);
        let offset: Option<i64> = row.get(5)?;
        let body: Arc<dyn Body> = (context.body_reader).body(id, length, offset.map(to_u64), None);
        Ok(Self {
            id,
            reverse_path: row.get(1)?,
            flow: session.map(|session| session.flow),
            message: Message::from_parts(head.into(), body),
        })
    }
}

/// Erases the address from a message, or the message as a whole.
fn erase_from_message(
    context: &mut OperationContext<'_>,
    of: &ErasedCorrespondent,
    number: i64,
    erased: &mut ErasedRows,
) -> Result<(), SpoolError> {
    let searched = SearchedMessage::read(context, number)?;
    let recipients = EnvelopeRecipient::read_all(context.connection, number)?;
    let goes = of.takes_message(
        searched.flow,
        &searched.reverse_path,
        recipients.iter().map(|to| &*to.address),
        &searched.message,
    );
    let mut theirs = recipients.iter().filter(|to| of.address.is(&to.address));
    let is_under_way = match goes {
        true => recipients.iter().any(|to| to.is_leased),
        false => theirs.clone().any(|to| to.is_leased),
    };
    if is_under_way {
        erased.under_way += 1;
        return Ok(());
    }
    if goes {
        drop_message(context, number)?;
        erased.messages += 1;
        return Ok(());
    }
    if theirs.clone().next().is_some() {
        let mut delete = (context.connection)
            .prepare_cached("DELETE FROM recipients WHERE message = ?1 AND number = ?2")?;
        for to in theirs.by_ref() {
            delete.execute(params![number, to.number])?;
            let ended = ScheduleChange::Ended(searched.id, to.number);
            context.after.scheduled.push(ended);
            erased.recipients += 1;
        }
        // It is not kept for the sake of a recipient that is gone.
        let update = "UPDATE messages SET keep_until = NULL WHERE number = ?1 AND NOT EXISTS (
            SELECT 1 FROM recipients WHERE message = ?1 AND state = 'failed')";
        (context.connection)
            .prepare_cached(update)?
            .execute([number])?;
        drop_if_finished(context, number)?;
    }
    erase_from_texts(context.connection, of, number)
}

/// Erases the address from what policies and servers have said of a message.
fn erase_from_texts(
    connection: &Connection,
    of: &ErasedCorrespondent,
    number: i64,
) -> Result<(), SpoolError> {
    for (table, key, column) in TEXTS {
        let select =
            format!("SELECT {column} FROM {table} WHERE {key} = ?1 AND {column} LIKE '%@%'");
        let mut select = connection.prepare_cached(&select)?;
        let text = select.query_map([number], |row| row.get::<_, String>(0))?;
        let texts = text.collect::<Result<Vec<_>, _>>()?;
        let update = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = ?2");
        for text in texts {
            if let Some(text) = of.address.erased_from_json(&text) {
                let mut update = connection.prepare_cached(&update)?;
                update.execute(params![text, number])?;
            }
        }
    }
    for column in TEXTS_OF_RECIPIENTS {
        let select = format!(
            "SELECT number, {column} FROM recipients WHERE message = ?1 AND {column} LIKE '%@%'"
        );
        let mut select = connection.prepare_cached(&select)?;
        let found = select.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let found = found.collect::<Result<Vec<(u32, String)>, _>>()?;
        let update =
            format!("UPDATE recipients SET {column} = ?1 WHERE message = ?2 AND number = ?3");
        for (recipient, text) in found {
            if let Some(text) = of.address.erased_from_json(&text) {
                let mut update = connection.prepare_cached(&update)?;
                update.execute(params![text, number, recipient])?;
            }
        }
    }
    Ok(())
}

/// Removes events about the address, and erases it from others.
fn erase_events(
    context: &mut OperationContext<'_>,
    of: &ErasedCorrespondent,
    numbers: &[i64],
    now: Millis,
    erased: &mut ErasedRows,
) -> Result<(), SpoolError> {
    let (mut removed, mut changed, mut learnt) = (Vec::new(), Vec::new(), Vec::new());
    let mut select =
        (context.connection).prepare_cached("SELECT body FROM events WHERE seq = ?1")?;
    for number in numbers {
        let body: String = select.query_row([number], |row| row.get(0))?;
        let event = serde_json::from_str::<Event>(&body).ok();
        match event.filter(|event| of.takes_event(event)) {
            Some(event) => {
                removed.push(*number);
                learnt.push(event);
            }
            None => {
                let body = of.address.erased_from_json(&body);
                changed.extend(body.map(|body| (*number, body)));
            }
        }
    }
    drop(select);
    let text = "a correspondent was erased";
    keep_last_number(context, removed.iter().copied(), text, now)?;
    let mut delete = (context.connection).prepare_cached("DELETE FROM events WHERE seq = ?1")?;
    for number in &removed {
        erased.events += delete.execute([number])? as u64;
    }
    drop(delete);
    let mut update =
        (context.connection).prepare_cached("UPDATE events SET body = ?1 WHERE seq = ?2")?;
    for (number, body) in changed {
        update.execute(params![body, number])?;
    }
    drop(update);
    for event in &learnt {
        erased.learnt_ids += erase_given_id(context, event)?;
    }
    Ok(())
}

/// Removes the Message-ID that a service gave a message on its way to the address, unless it went to
/// others, too.
fn erase_given_id(context: &mut OperationContext<'_>, event: &Event) -> Result<u64, SpoolError> {
    let EventKind::Delivered {
        remote_message_id: Some(theirs),
        ..
    } = &event.kind
    else {
        return Ok(0);
    };
    let (Some(account), Some(message)) = (&event.account, event.transaction) else {
        return Ok(0);
    };
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM learnt_ids WHERE account = ?1 AND theirs = ?2 AND NOT EXISTS (
            SELECT 1 FROM events WHERE transaction_id = ?3 AND kind = ?4)",
    )?;
    let kind = EventName::Delivered.word();
    let deleted = delete.execute(params![account, theirs, message.octets(), kind])? as u64;
    if deleted > 0 {
        (context.after.learnt).push(KeyChange::gone(account, theirs));
    }
    Ok(deleted)
}

/// Removes the entries of suppression lists, or keeps them as an operator's, and erases the address from
/// the evidence of others.
fn erase_suppressions(
    context: &mut OperationContext<'_>,
    of: &ErasedCorrespondent,
) -> Result<u64, SpoolError> {
    let connection = context.connection;
    let mut select = connection.prepare_cached(
        "SELECT account, address, evidence, cause = 'counting' FROM suppressions
         WHERE ?1 IS NULL OR account = ?1",
    )?;
    let mut rows = select.query([&of.account])?;
    let (mut entries, mut evidence) = (Vec::<(String, String, bool)>::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (account, address): (String, String) = (row.get(0)?, row.get(1)?);
        let said: String = row.get(2)?;
        if of.address.is(&address) {
            entries.push((account, address, row.get(3)?));
        } else if let Some(text) = of.address.erased_from(&said) {
            evidence.push((account, address, text));
        }
    }
    drop(rows);
    let mut keep = connection.prepare_cached(
        "UPDATE suppressions SET cause = 'operator', evidence = '', transaction_id = NULL,
            count = 0, counted_json = NULL WHERE account = ?1 AND address = ?2",
    )?;
    let mut delete = connection
        .prepare_cached("DELETE FROM suppressions WHERE account = ?1 AND address = ?2")?;
    let mut erased = 0;
    for (account, address, only_counts) in entries {
        if of.keep_suppression && !only_counts {
            keep.execute([&account, &address])?;
            continue;
        }
        delete.execute([&account, &address])?;
        let gone = KeyChange::gone(&account, &address);
        context.after.suppressed.push(gone);
        erased += 1;
    }
    let mut update = connection.prepare_cached(
        "UPDATE suppressions SET evidence = ?3 WHERE account = ?1 AND address = ?2",
    )?;
    for (account, address, text) in evidence {
        update.execute([account, address, text])?;
    }
    Ok(erased)
}

/// Removes Message-IDs that hold the address.
fn erase_learnt(
    context: &mut OperationContext<'_>,
    of: &ErasedCorrespondent,
) -> Result<u64, SpoolError> {
    let mut select = context.connection.prepare_cached(
        "SELECT account, theirs, ours FROM learnt_ids WHERE ?1 IS NULL OR account = ?1",
    )?;
    let mut rows = select.query([&of.account])?;
    let mut named = Vec::<(String, String)>::new();
    while let Some(row) = rows.next()? {
        let (theirs, ours): (String, String) = (row.get(1)?, row.get(2)?);
        if of.address.is_in(&theirs) || of.address.is_in(&ours) {
            named.push((row.get(0)?, theirs));
        }
    }
    drop(rows);
    let mut delete = (context.connection)
        .prepare_cached("DELETE FROM learnt_ids WHERE account = ?1 AND theirs = ?2")?;
    for (account, theirs) in &named {
        delete.execute([account, theirs])?;
        (context.after.learnt).push(KeyChange::gone(account, theirs));
    }
    Ok(named.len() as u64)
}

/// Removes machines, and marks and counts whose key names the address.
fn erase_counters(
    context: &mut OperationContext<'_>,
    of: &ErasedCorrespondent,
    now: Millis,
) -> Result<u64, SpoolError> {
    let mut changes = Vec::new();
    for table in ["marks", "counts"] {
        // Keys have domains in A-labels.
        let select = format!(
            "SELECT DISTINCT policy, account, key FROM {table}
             WHERE (?1 IS NULL OR account = ?1) AND instr(lower(key), ?2)"
        );
        let mut select = context.connection.prepare_cached(&select)?;
        let mut rows = select.query([of.account.as_deref(), Some(of.address.domain())])?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(2)?;
            if of.address.is_in(&key) {
                let scope = to_scope(row.get(0)?, row.get(1)?);
                changes.push(match table {
                    "marks" => CounterChange::Unmark { scope, key },
                    _ => CounterChange::ForgetCount { scope, key },
                });
            }
        }
    }
    let mut erased = changes.len() as u64;
    for change in &changes {
        accept::write_change(context.connection, change)?;
    }
    context.after.changes.extend(changes);
    let mut select = context.connection.prepare_cached(
        "SELECT account, address FROM machines
         WHERE (?1 IS NULL OR account = ?1) AND instr(address, ?2)",
    )?;
    let found = [of.account.as_deref(), Some(of.address.domain())];
    let found = select.query_map(found, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found = found.collect::<Result<Vec<(String, String)>, _>>()?;
    for (account, address) in found.iter().filter(|(_, of_it)| of.address.is(of_it)) {
        forget_machine(context, account, address, now)?;
        erased += 1;
    }
    Ok(erased)
}
