//! The journal: accepted mail that is durable but not yet in the database.
//!
//! Most mail leaves within moments of being accepted. Inserting its rows into tables and indices
//! and deleting them again costs many times as much as appending the message to a file. So an
//! accepted message is appended to a [`Ring`] first; one sync serves all clients that wait, and
//! then they get their 250. Recipients that are due go to delivery from memory ([`DirectHandOff`]).
//! The ring holds all of a message, except a large body, which is already durable in a file of its
//! own.
//!
//! - When all recipients of a message have been delivered to, a *tombstone* is appended to the
//!   ring, and the database never sees the message.
//! - A *checkpoint* moves other messages into the database: after some more octets, or when the
//!   writer is idle for a moment. An operator's command, a deferral or a listing of the queue first
//!   checkpoints the messages that it needs to find in the database.
//! - Changes beside the messages (effects of policies, events, entries of the other ledgers) are
//!   checkpointed by the hundred. A tombstone holds the events of the delivery.
//!
//! The database records how far checkpoints have come: the positions before which messages, and
//! before which changes, need not be read from the ring any more. The commit of the checkpoint
//! contains them, so nothing is in both places or in neither. A relay that opens the store
//! checkpoints what the previous one left in the ring, and reports damage ([`scan`]).
//!
//! A checkpoint writes to the database's write-ahead log (WAL) first. No record in the ring is
//! overwritten before the WAL has been copied into the database file and synced. If the WAL or a
//! part of it is lost, the database falls back to an older state, and the ring still holds
//! everything accepted since then. Lost commits are detected by their number, which each commit
//! stores, and which the mark file beside the journal stores, too.
//!
//! [`DirectHandOff`]: crate::direct::DirectHandOff

mod earlier;
mod format;
mod record;
mod ring;
mod scan;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
    sync::Arc,
};

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Effect, KeyedAnswer, LearntId, Scope, SuppressionChange};

use crate::{Lease, Ledger, NewMessage, event_entry::EventEntry, ledger::key_name};

use self::ring::Ring;

pub use self::scan::Fault;
pub(crate) use self::{
    format::{CommitCounts, Generation},
    record::JournalRecord,
    ring::{GenerationId, Paths},
};

/// Number of changes that starts a checkpoint, so that none of them takes long.
const CHANGES_DUE: usize = 256;

/// Most changes of one checkpoint, except for the rest of a record's changes.
const MAX_CHANGES: usize = 4096;

/// Share of the ring, as a divisor, that one message may take; a larger one goes to the database
/// directly.
const RING_SHARE: u64 = 16;

/// A message in the ring.
#[derive(Debug)]
pub(crate) struct JournalEntry {
    pub(crate) message: Arc<NewMessage>,
    /// Lease of the due recipients, if delivery has them.
    pub(crate) lease: Option<Lease>,
}

/// A change that a record makes to the database beside its message.
#[derive(Debug, Clone)]
pub(crate) enum JournalChange {
    /// An effect, at the time of its transaction.
    Effect(Scope, Effect, Millis),
    /// An event with its number.
    Event(u64, EventEntry),
    /// A change to a suppression list.
    Suppression(SuppressionChange),
    /// A Message-ID that was learnt.
    Learnt(LearntId),
    /// An answer to a request that was made under a key.
    Answer(Box<KeyedAnswer>),
}

/// Returns the changes that effects make, in order.
pub(crate) fn effect_changes(
    effects: &[(Scope, Effect)],
    time: Millis,
) -> impl Iterator<Item = JournalChange> {
    let effects = effects.iter().cloned();
    effects.map(move |(scope, effect)| JournalChange::Effect(scope, effect, time))
}

/// Returns the changes that entries for the ledgers make, in order; the first event has that number.
pub(crate) fn ledger_changes(ledger: &Ledger, first: u64) -> impl Iterator<Item = JournalChange> {
    let events = (first..).zip(&ledger.events);
    let events = events.map(|(seq, event)| JournalChange::Event(seq, event.clone()));
    let suppressions = ledger.suppressions.iter().cloned();
    let learnt = ledger.learnt.iter().cloned();
    let answers = ledger.answers.iter().cloned().map(Box::new);
    events
        .chain(suppressions.map(JournalChange::Suppression))
        .chain(learnt.map(JournalChange::Learnt))
        .chain(answers.map(JournalChange::Answer))
}

/// The ring, and an index of the records in it that still count.
#[derive(Debug)]
pub(crate) struct Journal {
    ring: Ring,
    /// Messages without a tombstone that are not checkpointed, by position.
    entries: BTreeMap<u64, JournalEntry>,
    positions: HashMap<TransactionId, u64>,
    /// Changes that are not checkpointed, each with the position of its record.
    changes: Vec<(u64, JournalChange)>,
    /// Position before which every record is checkpointed or has a tombstone.
    checkpointed_to: u64,
    /// CommitCounts of the database in this generation of the journal.
    commits: CommitCounts,
}

/// Entries and changes that one checkpoint moves into the database.
#[derive(Debug, Default)]
pub(crate) struct CheckpointBatch {
    /// Positions of the entries, in ascending order.
    pub(crate) entries: Vec<u64>,
    /// Number of changes, counted from the first.
    pub(crate) changes: usize,
}

/// Positions up to which checkpoints have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CheckpointProgress {
    /// Position before which every entry is in the database or has a tombstone.
    pub(crate) entries: u64,
    /// Position before which every change is in the database.
    pub(crate) changes: u64,
}

impl CheckpointProgress {
    /// Returns the position of the first record that the ring must still hold.
    pub(crate) fn first(self) -> u64 {
        self.entries.min(self.changes)
    }
}

impl CheckpointBatch {
    /// Merges two batches into one.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self.entries.sort_unstable();
        self.entries.dedup();
        Self {
            entries: self.entries,
            changes: self.changes.max(other.changes),
        }
    }
}

impl Journal {
    /// Creates the file for a new, empty generation.
    ///
    /// # Errors
    /// If its space cannot be allocated.
    pub(crate) fn create(paths: &Paths, length: u64, id: GenerationId) -> io::Result<Self> {
        Ok(Self {
            ring: Ring::create(paths, length, id)?,
            entries: BTreeMap::new(),
            positions: HashMap::new(),
            changes: Vec::new(),
            checkpointed_to: 0,
            commits: CommitCounts::default(),
        })
    }

    /// Returns true if the message is in the journal.
    pub(crate) fn holds(&self, id: TransactionId) -> bool {
        self.positions.contains_key(&id)
    }

    /// Returns the message's entry, if it is in the journal.
    pub(crate) fn entry(&self, id: TransactionId) -> Option<&JournalEntry> {
        self.entries.get(self.positions.get(&id)?)
    }

    /// Returns true if a message of so many octets may go into the ring. Envelope and judgements
    /// need a few octets more, so [`Journal::accept`] may still refuse it.
    pub(crate) fn is_small_enough(&self, octets: u64) -> bool {
        octets <= self.ring.length() / RING_SHARE
    }

    /// Appends a message, whose first event has that number; returns `false` if there is no room for
    /// it.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn accept(&mut self, entry: JournalEntry, first_event: u64) -> io::Result<bool> {
        let message = &entry.message;
        let (envelope, octets) = record::envelope(message, first_event)?;
        let write = |next: &mut Vec<u8>| record::accepted(next, &envelope, message);
        let Some(position) = self.ring.append(octets, write)? else {
            return Ok(false);
        };
        let changes = effect_changes(&message.effects, message.transaction.time)
            .chain(ledger_changes(&message.ledger, first_event));
        (self.changes).extend(changes.map(|change| (position, change)));
        self.positions.insert(message.transaction.id, position);
        self.entries.insert(position, entry);
        Ok(true)
    }

    /// Appends a tombstone for a message to which nothing is left to be done, with the entries for
    /// the ledgers that tell of it; returns `false` if the ring has no room.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn add_tombstone(
        &mut self,
        id: TransactionId,
        ledger: &Ledger,
        first_event: u64,
    ) -> io::Result<bool> {
        let Some(&position) = self.positions.get(&id) else {
            return Ok(false);
        };
        let record = record::tombstone(position, ledger, first_event)?;
        let write = |next: &mut Vec<u8>| {
            next.extend_from_slice(&record);
            Ok(())
        };
        let Some(at) = self.ring.append(record.len(), write)? else {
            return Ok(false);
        };
        let changes = ledger_changes(ledger, first_event);
        self.changes.extend(changes.map(|change| (at, change)));
        self.forget(position);
        Ok(true)
    }

    /// Writes the appended records to the file. They survive the end of the process then.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.ring.write()
    }

    /// Returns the generation of the file.
    pub(crate) fn generation(&self) -> Generation {
        self.ring.generation()
    }

    /// Makes the written records durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.ring.sync()
    }

    /// Returns the entries and changes that are old enough for a checkpoint, if one is due.
    pub(crate) fn overdue(&self) -> Option<CheckpointBatch> {
        let end = self.ring.end();
        let quarter = self.ring.length() / 4;
        let half_full = self.is_half_full() && end - self.checkpointed_to > quarter;
        if !half_full && self.changes.len() < CHANGES_DUE {
            return None;
        }
        let old = end.saturating_sub(quarter);
        let entries = self.entries.range(..old).map(|(at, _)| *at);
        Some(CheckpointBatch {
            entries: if half_full {
                entries.collect()
            } else {
                Vec::new()
            },
            changes: self.changes_for_one_checkpoint(),
        })
    }

    fn is_half_full(&self) -> bool {
        self.ring.end() - self.ring.tail() > self.ring.length() / 2
    }

    /// Returns true if the WAL should be copied into the database: only that frees more of the
    /// ring.
    pub(crate) fn wants_wal_checkpoint(&self) -> bool {
        self.is_half_full() && self.checkpointed_to > self.ring.tail()
    }

    /// Notes that the WAL is about to be copied into the database. Until that is finished, the
    /// database file alone may be inconsistent.
    pub(crate) fn wal_checkpoint_begins(&mut self) {
        self.commits.begun = self.commits.made;
        self.ring.note_commits(self.commits);
    }

    /// Notes that everything checkpointed so far is durable in the database file itself.
    pub(crate) fn wal_checkpointed(&mut self) {
        self.ring.free_before(self.checkpointed_to);
        self.commits.written = self.commits.made;
        self.ring.note_commits(self.commits);
    }

    /// Overwrites all of the ring that holds nothing that counts, durably.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn overwrite_free(&mut self) -> io::Result<()> {
        self.ring.overwrite_free()
    }

    /// Returns the number of the database's next commit.
    pub(crate) fn next_commit(&self) -> u64 {
        self.commits.made + 1
    }

    /// Returns the number of changes for one checkpoint. All changes of a record or none are
    /// included, since the database stores the position of the record whose changes come next.
    fn changes_for_one_checkpoint(&self) -> usize {
        let Some((last, rest)) = (self.changes.split_at_checked(MAX_CHANGES))
            .and_then(|(first, rest)| Some((first.last()?.0, rest)))
        else {
            return self.changes.len();
        };
        let same = rest.iter().take_while(|(at, _)| *at == last).count();
        MAX_CHANGES + same
    }

    /// Returns true if this batch includes all changes that the journal holds.
    pub(crate) fn includes_all_changes(&self, batch: &CheckpointBatch) -> bool {
        batch.changes >= self.changes.len()
    }

    /// Returns a batch of all entries and changes.
    pub(crate) fn everything(&self) -> CheckpointBatch {
        CheckpointBatch {
            entries: self.entries.keys().copied().collect(),
            changes: self.changes.len(),
        }
    }

    /// Returns a batch of all changes, which must be in the database before later ones are: what is
    /// counted first and then forgotten must not be counted again.
    pub(crate) fn all_changes(&self) -> CheckpointBatch {
        CheckpointBatch {
            entries: Vec::new(),
            changes: self.changes.len(),
        }
    }

    /// Returns a batch of those of these messages that are in the journal.
    pub(crate) fn only(&self, ids: impl IntoIterator<Item = TransactionId>) -> CheckpointBatch {
        let positions = ids.into_iter().filter_map(|id| self.positions.get(&id));
        let mut entries: Vec<_> = positions.copied().collect();
        entries.sort_unstable();
        CheckpointBatch {
            entries,
            changes: 0,
        }
    }

    /// Returns true if the ring holds records that are not checkpointed.
    pub(crate) fn is_behind(&self) -> bool {
        self.ring.end() > self.checkpointed_to
    }

    /// Returns the messages in the journal.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &NewMessage> {
        self.entries.values().map(|entry| &*entry.message)
    }

    /// Returns the entry at a position.
    pub(crate) fn at(&self, position: u64) -> Option<&JournalEntry> {
        self.entries.get(&position)
    }

    /// Returns the changes of a batch.
    pub(crate) fn changes(&self, batch: &CheckpointBatch) -> impl Iterator<Item = &JournalChange> {
        self.changes[..batch.changes]
            .iter()
            .map(|(_, change)| change)
    }

    /// Returns true if the journal holds a change to this entry of a suppression list.
    pub(crate) fn suppresses(&self, account: &str, address: &str) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|(_, change)| match change {
            JournalChange::Suppression(change) => change.key() == (account, address),
            _ => false,
        })
    }

    /// Returns true if the journal holds this Message-ID that a service gave.
    pub(crate) fn learns(&self, account: &str, theirs: &str) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|(_, change)| match change {
            JournalChange::Learnt(learnt) => {
                (&*learnt.account, &*learnt.theirs) == (account, theirs)
            }
            _ => false,
        })
    }

    /// Returns true if the journal holds an answer under the [key of that name](key_name).
    pub(crate) fn answers_under(&self, account: &str, name: &str) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|(_, change)| match change {
            JournalChange::Answer(answer) => {
                answer.account == account && key_name(&answer.program, &answer.key) == name
            }
            _ => false,
        })
    }

    /// Returns the positions that a checkpoint of this batch will reach.
    pub(crate) fn progress(&self, batch: &CheckpointBatch) -> CheckpointProgress {
        let end = self.ring.end();
        let mut entries = self.entries.keys();
        let staying = entries.find(|at| batch.entries.binary_search(at).is_err());
        CheckpointProgress {
            entries: staying.copied().unwrap_or(end),
            changes: self.changes.get(batch.changes).map_or(end, |(at, _)| *at),
        }
    }

    /// Removes a batch that was checkpointed: the commit is durable in the WAL.
    pub(crate) fn checkpointed(&mut self, batch: &CheckpointBatch) {
        let progress = self.progress(batch);
        for position in &batch.entries {
            self.forget(*position);
        }
        self.changes.drain(..batch.changes);
        self.checkpointed_to = progress.first();
        self.commits.made += 1;
        self.ring.note_commits(self.commits);
    }

    fn forget(&mut self, position: u64) {
        if let Some(entry) = self.entries.remove(&position) {
            self.positions.remove(&entry.message.transaction.id);
        }
    }
}

/// The database's record of the previous generation of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JournalFormat {
    /// No generation was begun.
    None,
    /// A generation in the first file format.
    First(GenerationId),
    /// A generation in the present file format.
    Present(Generation),
}

/// Records and faults read from the previous generation.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// Records with their positions, in the order in which they were written.
    pub(crate) records: Vec<(u64, JournalRecord)>,
    /// Damage found in the file.
    pub(crate) faults: Vec<Fault>,
}

/// Reads the records of the previous generation from `tail` on, whether the file is damaged or not.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read(paths: &Paths, format: JournalFormat, tail: u64) -> io::Result<Recovered> {
    let scan = match format {
        JournalFormat::None => return Ok(Recovered::default()),
        JournalFormat::First(id) => earlier::scan(&paths.journal, id, tail)?,
        JournalFormat::Present(generation) => scan::scan(paths, generation, tail)?,
    };
    let mut recovered = Recovered {
        records: Vec::with_capacity(scan.records.len()),
        faults: scan.faults,
    };
    for (position, payload) in scan.records {
        match JournalRecord::read(payload.into()) {
            Ok(record) => recovered.records.push((position, record)),
            Err(error) => recovered.faults.push(Fault::Unreadable {
                position,
                why: error.to_string(),
            }),
        }
    }
    Ok(recovered)
}

/// Returns true if a record was ever written to a journal, of any format and generation. A path
/// that is not a regular file was not written by us.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn is_used(path: &Path) -> io::Result<bool> {
    let Ok(file) = scan::read(path, ring::MAX_FILE)? else {
        return Ok(false);
    };
    let ring = file.get(format::PAGE as usize..).unwrap_or_default();
    Ok(ring.iter().any(|octet| *octet != 0))
}

/// Returns true if the mark file says that mail was written to the journal, in any generation.
pub(crate) fn mark_tells_of_mail(path: &Path) -> bool {
    scan::read_mark(path).is_some_and(|octets| format::tells_of_mail(&octets))
}

/// Reads the mark file, if it can be read.
pub(crate) fn read_mark(paths: &Paths) -> Option<Vec<u8>> {
    scan::read_mark(&paths.mark)
}

/// Returns true if the mark file is complete for this generation: it says how far the journal is
/// synced, and how far the database has come. The file is created and synced before the journal
/// counts.
pub(crate) fn mark_tells(mark: &[u8], generation: Generation) -> bool {
    format::read_mark(mark, generation.id).is_some() && commits(mark, generation).is_some()
}

/// Returns the commit counts that the mark file holds for this generation; `None` if it holds none.
pub(crate) fn commits(mark: &[u8], generation: Generation) -> Option<CommitCounts> {
    format::read_commits(mark, generation.id)
}
