//! What stands in the journal comes into the database.

use std::collections::HashSet;

use gatepost_message::Millis;
use rusqlite::OptionalExtension;
use uuid::Uuid;

use crate::{
    SpoolError,
    disk::failed_to,
    journal::{self, Journal, Load, Record, Salt},
};

use super::{accept, codec::from_u64, codec::to_u64, operation::Step};

/// Carries a load over, and says how far that brings the database.
pub(super) fn over(step: &mut Step<'_>, journal: &Journal, load: &Load) -> Result<(), SpoolError> {
    let progress = journal.progress(load);
    for (scope, effect, time) in journal.effects(load) {
        accept::remember(step, &accept::change(scope, effect, *time))?;
    }
    for position in &load.letters {
        let Some(letter) = journal.at(*position) else {
            continue;
        };
        accept::store(step, &letter.message, Some(letter.lease))?;
        if *position >= progress.letters {
            step.connection
                .prepare_cached("INSERT INTO carried (position) VALUES (?1)")?
                .execute([from_u64(*position)])?;
        }
    }
    let (letters, effects) = (from_u64(progress.letters), from_u64(progress.effects));
    let mut update =
        (step.connection).prepare_cached("UPDATE journal SET letters = ?1, effects = ?2")?;
    update.execute([letters, effects])?;
    let mut delete = (step.connection).prepare_cached("DELETE FROM carried WHERE position < ?1")?;
    delete.execute([letters])?;
    Ok(())
}

/// Carries over all that the last relay left in its journal, and gives the salt of a new one. To
/// be run in a transaction.
pub(super) fn over_from_last(step: &mut Step<'_>) -> Result<Salt, SpoolError> {
    let last: Option<(i64, i64, i64)> = step
        .connection
        .query_row("SELECT salt, letters, effects FROM journal", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    if let Some((salt, letters, effects)) = last {
        from_last(step, salt.cast_unsigned(), to_u64(letters), to_u64(effects))?;
    }
    // What is left in the file belongs to another salt from now on.
    let (_, salt) = Uuid::now_v7().as_u64_pair();
    step.connection.execute("DELETE FROM carried", [])?;
    step.connection.execute(
        "INSERT OR REPLACE INTO journal (only_row, salt, letters, effects) VALUES (1, ?1, 0, 0)",
        [salt.cast_signed()],
    )?;
    Ok(salt)
}

fn from_last(
    step: &mut Step<'_>,
    salt: Salt,
    letters: u64,
    effects: u64,
) -> Result<(), SpoolError> {
    let path = step.disk.journal();
    let records =
        journal::read(&path, salt, letters.min(effects)).map_err(failed_to("read", &path))?;
    let mut done = (step.connection)
        .prepare("SELECT position FROM carried")?
        .query_map([], |row| row.get(0).map(to_u64))?
        .collect::<Result<HashSet<u64>, _>>()?;
    done.extend(records.iter().filter_map(|(_, record)| match record {
        Record::Gone(position) => Some(*position),
        Record::Accepted(_) => None,
    }));
    let mut found = 0;
    for (position, record) in records {
        let Record::Accepted(message) = record else {
            continue;
        };
        if position >= effects {
            for (scope, effect) in &message.effects {
                let time: Millis = message.transaction.time;
                accept::remember(step, &accept::change(scope, effect, time))?;
            }
        }
        if position >= letters && !done.contains(&position) {
            accept::store(step, &message, None)?;
            found += 1;
        }
    }
    if found > 0 {
        tracing::info!(
            messages = found,
            "accepted just before the last stop and due again"
        );
    }
    Ok(())
}
