//! The ledger of answers under keys, in the database.

use gatepost_message::TransactionId;
use gatepost_model::KeyedAnswer;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use uuid::Uuid;

use crate::{Dropped, EXPIRE_AT_ONCE, ErasedCorrespondent, Keep, SpoolError, ledger::key_name};

use super::{
    codec::{damaged, from_millis, from_u64, to_millis},
    key_set::{KeyChange, KeySet},
    ledger::dropped_rows,
    operation::OperationContext,
};

/// Loads the names of all keys.
pub(super) fn keys(connection: &Connection) -> Result<KeySet, SpoolError> {
    let select = "SELECT account, program, key FROM keyed_answers";
    KeySet::load(connection, select, |row| {
        let (program, key): (String, String) = (row.get(1)?, row.get(2)?);
        Ok(key_name(&program, &key))
    })
}

/// Returns the change of the key set with an answer that is stored.
pub(super) fn recorded(answer: &KeyedAnswer) -> KeyChange {
    KeyChange::recorded(&answer.account, &key_name(&answer.program, &answer.key))
}

/// Stores an answer, unless there is one under its key: the first one stays.
pub(super) fn write(
    context: &mut OperationContext<'_>,
    answer: &KeyedAnswer,
) -> Result<(), SpoolError> {
    let mut insert = context.connection.prepare_cached(
        "INSERT INTO keyed_answers
            (account, program, key, request, transaction_id, answer_json, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO NOTHING",
    )?;
    let KeyedAnswer {
        account,
        program,
        key,
        request,
        id,
        answer: json,
        at,
    } = answer;
    let at = from_millis(*at);
    insert.execute(params![
        account,
        program,
        key,
        request,
        id.octets(),
        json,
        at
    ])?;
    context.after.bytes += json.len() as u64;
    context.after.answers.push(recorded(answer));
    Ok(())
}

/// Returns the answer under a key.
pub(super) fn find(
    connection: &Connection,
    account: &str,
    program: &str,
    key: &str,
) -> Result<Option<KeyedAnswer>, SpoolError> {
    let mut select = connection.prepare_cached(
        "SELECT request, transaction_id, answer_json, at FROM keyed_answers
         WHERE account = ?1 AND program = ?2 AND key = ?3",
    )?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found: Option<([u8; 32], [u8; 16], String, i64)> =
        select.query_row([account, program, key], read).optional()?;
    let Some((request, id, answer, at)) = found else {
        return Ok(None);
    };
    let id = TransactionId::try_from(Uuid::from_bytes(id)).map_err(damaged("transaction id"))?;
    Ok(Some(KeyedAnswer {
        account: account.to_owned(),
        program: program.to_owned(),
        key: key.to_owned(),
        request,
        id,
        answer,
        at: to_millis(at),
    }))
}

/// Drops answers that are too old or too many, of those that are held.
pub(super) fn expire(
    context: &mut OperationContext<'_>,
    keep: Keep,
    held: u64,
) -> Result<Dropped, SpoolError> {
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM keyed_answers WHERE rowid IN (
            SELECT rowid FROM keyed_answers ORDER BY at LIMIT :over)
            OR rowid IN (
            SELECT rowid FROM keyed_answers WHERE at < :before ORDER BY at LIMIT :some)
         RETURNING account, program, key",
    )?;
    let some = EXPIRE_AT_ONCE as i64;
    let over = from_u64(held.saturating_sub(keep.most)).min(some);
    let mut rows = delete.query(named_params! {
        ":over": over,
        ":before": from_millis(keep.since),
        ":some": some,
    })?;
    let before = context.after.answers.len();
    while let Some(row) = rows.next()? {
        context.after.answers.push(gone(row)?);
    }
    Ok(dropped_rows(context.after.answers.len() - before))
}

/// Deletes the answers of an account; returns their number.
pub(super) fn erase(context: &mut OperationContext<'_>, account: &str) -> Result<u64, SpoolError> {
    let mut delete = context.connection.prepare_cached(
        "DELETE FROM keyed_answers WHERE account = ?1 RETURNING account, program, key",
    )?;
    let mut rows = delete.query([account])?;
    let mut erased = 0;
    while let Some(row) = rows.next()? {
        context.after.answers.push(gone(row)?);
        erased += 1;
    }
    Ok(erased)
}

/// Erases a correspondent: an answer whose key names it goes, and in another one it gives way to an
/// address of nobody. So a program that repeats its request gets an answer, and nothing is sent again.
/// Returns the number of answers.
pub(super) fn erase_correspondent(
    context: &mut OperationContext<'_>,
    erased: &ErasedCorrespondent,
) -> Result<u64, SpoolError> {
    let mut select = context.connection.prepare_cached(
        "SELECT account, program, key, answer_json, rowid FROM keyed_answers
         WHERE ?1 IS NULL OR account = ?1",
    )?;
    let mut rows = select.query([&erased.account])?;
    let (mut named, mut changed) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (key, answer): (String, String) = (row.get(2)?, row.get(3)?);
        let number: i64 = row.get(4)?;
        if erased.address.is_in(&key) {
            named.push((number, gone(row)?));
        } else if let Some(answer) = erased.address.erased_from_json(&answer) {
            changed.push((number, answer));
        }
    }
    drop(rows);
    let answers = named.len() + changed.len();
    let mut delete =
        (context.connection).prepare_cached("DELETE FROM keyed_answers WHERE rowid = ?1")?;
    for (number, change) in named {
        delete.execute([number])?;
        context.after.answers.push(change);
    }
    let mut update = (context.connection)
        .prepare_cached("UPDATE keyed_answers SET answer_json = ?1 WHERE rowid = ?2")?;
    for (number, answer) in changed {
        update.execute(params![answer, number])?;
    }
    Ok(answers as u64)
}

/// Returns the change of the key set with a row that was deleted.
fn gone(row: &Row<'_>) -> rusqlite::Result<KeyChange> {
    let (account, program, key): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(KeyChange::gone(&account, &key_name(&program, &key)))
}
