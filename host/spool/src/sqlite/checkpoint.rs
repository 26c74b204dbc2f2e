//! Checkpoints: the move of journal entries and effects into the database.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use crate::{
    NewMessage, SpoolError,
    journal::{
        self, CheckpointBatch, Generation, GenerationId, Journal, JournalFormat, JournalRecord,
        effect_changes, ledger_changes,
    },
};

use super::{accept, codec::from_u64, codec::to_u64, ledger, operation::OperationContext};

/// Moves a batch into the database, and records how far checkpoints have come.
pub(super) fn run(
    context: &mut OperationContext<'_>,
    journal: &Journal,
    batch: &CheckpointBatch,
) -> Result<(), SpoolError> {
    let progress = journal.progress(batch);
    for change in journal.changes(batch) {
        ledger::write(context, change)?;
    }
    for position in &batch.entries {
        let Some(entry) = journal.at(*position) else {
            continue;
        };
        // The schedule knows it since it was accepted.
        accept::store(context, &entry.message, entry.lease)?;
        if *position >= progress.entries {
            context
                .connection
                .prepare_cached("INSERT INTO carried (position) VALUES (?1)")?
                .execute([from_u64(*position)])?;
        }
    }
    let (letters, changes) = (from_u64(progress.entries), from_u64(progress.changes));
    let mut update = (context.connection)
        .prepare_cached("UPDATE journal SET letters = ?1, effects = ?2, commits = ?3")?;
    update.execute([letters, changes, from_u64(journal.next_commit())])?;
    let mut delete =
        (context.connection).prepare_cached("DELETE FROM carried WHERE position < ?1")?;
    delete.execute([letters])?;
    Ok(())
}

/// Commits that a database has lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LostCommits {
    /// Number of lost commits.
    pub(crate) commits: u64,
    /// True if the rest of the WAL is older than the database file, so that the file is better
    /// without it.
    pub(crate) has_stale_wal: bool,
    /// True if the WAL was being copied into the database file, and a part of what was copied is
    /// lost.
    pub(crate) is_torn: bool,
}

/// The database's record of the journal's previous generation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastGeneration {
    pub(crate) format: JournalFormat,
    letters: u64,
    /// Position before which all changes are in the database.
    changes: u64,
    /// Number of commits in that generation.
    commits: u64,
}

impl LastGeneration {
    /// Reads the record; `None` before a relay has made a journal.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let select = "SELECT salt, letters, effects, form, length, commits FROM journal";
        let last = connection.query_row(select, [], |row| {
            let id = row.get::<_, i64>(0)?.cast_unsigned();
            let format = match row.get::<_, i64>(3)? {
                0 => JournalFormat::None,
                1 => JournalFormat::First(id),
                _ => JournalFormat::Present(Generation {
                    id,
                    length: to_u64(row.get(4)?),
                }),
            };
            Ok(Self {
                format,
                letters: to_u64(row.get(1)?),
                changes: to_u64(row.get(2)?),
                commits: to_u64(row.get(5)?),
            })
        });
        last.optional()
    }

    /// Compares the number of commits with the mark file, and returns the loss.
    pub(crate) fn lost(&self, mark: Option<&[u8]>) -> LostCommits {
        let JournalFormat::Present(generation) = self.format else {
            return LostCommits::default();
        };
        let had = mark.and_then(|mark| journal::commits(mark, generation));
        let had = had.unwrap_or_default();
        LostCommits {
            commits: had.made.saturating_sub(self.commits),
            has_stale_wal: self.commits < had.written,
            is_torn: self.commits < had.begun && had.written < had.begun,
        }
    }

    /// Returns true if the mark file is missing or damaged, so that a loss cannot be detected.
    pub(crate) fn lacks_mark(&self, mark: Option<&[u8]>) -> bool {
        match self.format {
            JournalFormat::Present(generation) => {
                !mark.is_some_and(|mark| journal::mark_tells(mark, generation))
            }
            JournalFormat::None | JournalFormat::First(_) => false,
        }
    }

    /// Returns the position from which the journal must be read.
    pub(crate) fn tail(&self) -> u64 {
        self.letters.min(self.changes)
    }
}

/// Moves what the last relay left in its journal into the database, and begins a new generation,
/// whose id it returns. To be run in a transaction.
pub(super) fn recover(
    context: &mut OperationContext<'_>,
    last: Option<(LastGeneration, Vec<(u64, JournalRecord)>)>,
) -> Result<GenerationId, SpoolError> {
    if let Some((last, records)) = last {
        replay(context, last, records)?;
    }
    // From now on the records in the file are of an older generation. They count no more, even
    // before the new file is made.
    let (_, id) = Uuid::now_v7().as_u64_pair();
    context.connection.execute("DELETE FROM carried", [])?;
    context.connection.execute(
        "INSERT OR REPLACE INTO journal (only_row, salt, letters, effects, form, length, commits)
         VALUES (1, ?1, 0, 0, 0, 0, 0)",
        [id.cast_signed()],
    )?;
    Ok(id)
}

/// Records that the journal's file of this generation is durable: if it is missing from now on,
/// that is damage.
pub(super) fn note_created(
    connection: &Connection,
    generation: Generation,
) -> rusqlite::Result<()> {
    let length = from_u64(generation.length);
    connection.execute("UPDATE journal SET form = 2, length = ?1", [length])?;
    Ok(())
}

/// Returns the messages of a journal that are neither in the database nor finished.
pub(crate) fn pending<'a>(
    connection: &Connection,
    last: LastGeneration,
    records: &'a [(u64, JournalRecord)],
) -> rusqlite::Result<Vec<&'a NewMessage>> {
    let finished = finished(connection, records)?;
    let pending = records
        .iter()
        .filter_map(|(position, record)| match record {
            JournalRecord::Accepted { message, .. }
                if *position >= last.letters && !finished.contains(position) =>
            {
                Some(&**message)
            }
            _ => None,
        });
    Ok(pending.collect())
}

/// Returns the positions of messages that have a tombstone or are in the database.
fn finished(
    connection: &Connection,
    records: &[(u64, JournalRecord)],
) -> rusqlite::Result<HashSet<u64>> {
    let mut finished = (connection.prepare("SELECT position FROM carried")?)
        .query_map([], |row| row.get(0).map(to_u64))?
        .collect::<Result<HashSet<u64>, _>>()?;
    finished.extend(records.iter().filter_map(|(_, record)| match record {
        JournalRecord::Tombstone { position, .. } => Some(*position),
        JournalRecord::Accepted { .. } => None,
    }));
    Ok(finished)
}

fn replay(
    context: &mut OperationContext<'_>,
    last: LastGeneration,
    records: Vec<(u64, JournalRecord)>,
) -> Result<(), SpoolError> {
    let finished = finished(context.connection, &records)?;
    let mut found = 0;
    for (position, record) in records {
        let message = match record {
            JournalRecord::Accepted {
                message,
                first_event,
            } => {
                if position >= last.changes {
                    let effects = effect_changes(&message.effects, message.transaction.time);
                    for change in effects.chain(ledger_changes(&message.ledger, first_event)) {
                        ledger::write(context, &change)?;
                    }
                }
                message
            }
            JournalRecord::Tombstone {
                ledger,
                first_event,
                ..
            } => {
                if position >= last.changes {
                    for change in ledger_changes(&ledger, first_event) {
                        ledger::write(context, &change)?;
                    }
                }
                continue;
            }
        };
        if position >= last.letters && !finished.contains(&position) {
            match accept::store(context, &message, None) {
                Ok(()) => found += 1,
                // This happens after restoring a database of another moment than the journal's.
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
            "recovered messages that were accepted just before the last stop: they are due"
        );
    }
    Ok(())
}
