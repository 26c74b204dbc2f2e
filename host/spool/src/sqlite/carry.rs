//! What stands in the journal comes into the database.

use std::collections::HashSet;

use gatepost_message::Millis;
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use crate::{
    NewMessage, SpoolError,
    journal::{self, Form, Generation, Journal, Load, Record, Salt},
};

use super::{accept, codec::from_u64, codec::to_u64, operation::Step};

/// Carries a load over, and says how far that brings the database.
pub(super) fn over(step: &mut Step<'_>, journal: &Journal, load: &Load) -> Result<(), SpoolError> {
    let progress = journal.progress(load);
    for (scope, effect, time) in journal.effects(load) {
        accept::remember(step.connection, &accept::change(scope, effect, *time))?;
    }
    for position in &load.letters {
        let Some(letter) = journal.at(*position) else {
            continue;
        };
        // Whoever waits was woken when it was accepted.
        let due = step.after.due;
        accept::store(step, &letter.message, letter.lease)?;
        step.after.due = due;
        if *position >= progress.letters {
            step.connection
                .prepare_cached("INSERT INTO carried (position) VALUES (?1)")?
                .execute([from_u64(*position)])?;
        }
    }
    let (letters, effects) = (from_u64(progress.letters), from_u64(progress.effects));
    let mut update = (step.connection)
        .prepare_cached("UPDATE journal SET letters = ?1, effects = ?2, commits = ?3")?;
    update.execute([letters, effects, from_u64(journal.next_commit())])?;
    let mut delete = (step.connection).prepare_cached("DELETE FROM carried WHERE position < ?1")?;
    delete.execute([letters])?;
    Ok(())
}

/// What a database has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lost {
    /// Commits.
    pub(crate) commits: u64,
    /// What is left of its log is older than the database itself, which is better without.
    pub(crate) has_stale_log: bool,
    /// The log was being written to the database, and a part of what was written is lost.
    pub(crate) is_torn: bool,
}

/// What the database says of the last life of the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last {
    pub(crate) form: Form,
    letters: u64,
    effects: u64,
    /// Of the database, in that life.
    commits: u64,
}

impl Last {
    /// Reads it; `None` before a relay has made a journal.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let select = "SELECT salt, letters, effects, form, length, commits FROM journal";
        let last = connection.query_row(select, [], |row| {
            let salt = row.get::<_, i64>(0)?.cast_unsigned();
            let form = match row.get::<_, i64>(3)? {
                0 => Form::None,
                1 => Form::First(salt),
                _ => Form::Present(Generation {
                    salt,
                    length: to_u64(row.get(4)?),
                }),
            };
            Ok(Self {
                form,
                letters: to_u64(row.get(1)?),
                effects: to_u64(row.get(2)?),
                commits: to_u64(row.get(5)?),
            })
        });
        last.optional()
    }

    /// What of its last commits the database has lost, as the file beside the journal tells.
    pub(crate) fn lost(&self, mark: Option<&[u8]>) -> Lost {
        let Form::Present(generation) = self.form else {
            return Lost::default();
        };
        let had = mark.and_then(|mark| journal::commits(mark, generation));
        let had = had.unwrap_or_default();
        Lost {
            commits: had.made.saturating_sub(self.commits),
            has_stale_log: self.commits < had.written,
            is_torn: self.commits < had.begun && had.written < had.begun,
        }
    }

    /// Whether the file beside the journal is missing or damaged, so that nobody can tell whether
    /// anything is lost.
    pub(crate) fn lacks_mark(&self, mark: Option<&[u8]>) -> bool {
        match self.form {
            Form::Present(generation) => {
                !mark.is_some_and(|mark| journal::mark_tells(mark, generation))
            }
            Form::None | Form::First(_) => false,
        }
    }

    /// Where what is not in the database begins.
    pub(crate) fn tail(&self) -> u64 {
        self.letters.min(self.effects)
    }
}

/// Brings into the database what the last relay has left in its journal, and begins a new
/// generation, whose salt it gives. To be run in a transaction.
pub(super) fn over_from_last(
    step: &mut Step<'_>,
    last: Option<(Last, Vec<(u64, Record)>)>,
) -> Result<Salt, SpoolError> {
    if let Some((last, records)) = last {
        from_last(step, last, records)?;
    }
    // What is left in the file belongs to another salt from now on, and counts as none until the
    // new one is there.
    let (_, salt) = Uuid::now_v7().as_u64_pair();
    step.connection.execute("DELETE FROM carried", [])?;
    step.connection.execute(
        "INSERT OR REPLACE INTO journal (only_row, salt, letters, effects, form, length, commits)
         VALUES (1, ?1, 0, 0, 0, 0, 0)",
        [salt.cast_signed()],
    )?;
    Ok(salt)
}

/// A journal of this generation is there, durably: from now on it is missed where it is not.
pub(super) fn begun(connection: &Connection, generation: Generation) -> rusqlite::Result<()> {
    let length = from_u64(generation.length);
    connection.execute("UPDATE journal SET form = 2, length = ?1", [length])?;
    Ok(())
}

/// The messages of a journal that the database has yet to hear of.
pub(crate) fn pending<'a>(
    connection: &Connection,
    last: Last,
    records: &'a [(u64, Record)],
) -> rusqlite::Result<Vec<&'a NewMessage>> {
    let done = done(connection, records)?;
    let pending = records
        .iter()
        .filter_map(|(position, record)| match record {
            Record::Accepted(message) if *position >= last.letters && !done.contains(position) => {
                Some(&**message)
            }
            _ => None,
        });
    Ok(pending.collect())
}

/// The positions of messages that are gone, or in the database already.
fn done(connection: &Connection, records: &[(u64, Record)]) -> rusqlite::Result<HashSet<u64>> {
    let mut done = (connection.prepare("SELECT position FROM carried")?)
        .query_map([], |row| row.get(0).map(to_u64))?
        .collect::<Result<HashSet<u64>, _>>()?;
    done.extend(records.iter().filter_map(|(_, record)| match record {
        Record::Gone(position) => Some(*position),
        Record::Accepted(_) => None,
    }));
    Ok(done)
}

fn from_last(
    step: &mut Step<'_>,
    last: Last,
    records: Vec<(u64, Record)>,
) -> Result<(), SpoolError> {
    let done = done(step.connection, &records)?;
    let mut found = 0;
    for (position, record) in records {
        let Record::Accepted(message) = record else {
            continue;
        };
        if position >= last.effects {
            for (scope, effect) in &message.effects {
                let time: Millis = message.transaction.time;
                accept::remember(step.connection, &accept::change(scope, effect, time))?;
            }
        }
        if position >= last.letters && !done.contains(&position) {
            match accept::store(step, &message, None) {
                Ok(()) => found += 1,
                // A database that was put back from another moment than the journal.
                Err(SpoolError::Duplicate(id)) => {
                    tracing::warn!(%id, "a message of the journal is in the spool already");
                }
                Err(error) => return Err(error),
            }
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
