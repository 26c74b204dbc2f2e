//! The thread that writes: what waits becomes one commit, and with it what is too old goes.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gatepost_message::{Millis, TransactionId};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::{
    Event, Kind, Retention,
    headers::{self, Note},
    store::ROOM_LEFT,
    waiting::Waiting,
};

/// The most events dropped with one commit: more than come in with one, so that what is too old
/// never grows.
const DROP_AT_ONCE: i64 = 4096;

/// How often age is looked at when nothing happens.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How soon to go on when more is to be dropped than one commit takes.
const GO_ON: Duration = Duration::from_millis(10);

/// How long it says no more about lost events once it has said so: a disk stays full for longer
/// than an operator needs to be told twice.
const QUIET: Duration = Duration::from_secs(60);

/// An event as it is written.
#[derive(Debug)]
pub(crate) struct Row {
    id: TransactionId,
    at: Millis,
    pub(crate) json: String,
}

/// An event within its row, which says whose it is.
#[derive(Serialize, Deserialize)]
pub(crate) struct Entry<K> {
    pub(crate) at: Millis,
    #[serde(flatten)]
    pub(crate) kind: K,
}

impl Row {
    pub(crate) fn new(event: &Event) -> serde_json::Result<Self> {
        Ok(Self {
            id: event.id,
            at: event.at,
            json: serde_json::to_string(&Entry {
                at: event.at,
                kind: &event.kind,
            })?,
        })
    }
}

/// The writer's own things.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) retention: Retention,
    pub(crate) dropped: Arc<AtomicU64>,
    /// The number of the next event.
    pub(crate) next: i64,
    /// Of how many messages it is kept what they said when they left.
    pub(crate) kept: i64,
    /// When it last said that events are lost.
    pub(crate) said: Option<Instant>,
}

impl Writer {
    /// Works until the queue is closed.
    pub(crate) fn run(mut self, waiting: &Waiting) {
        let _guard = Closes(waiting);
        let mut pause = Duration::ZERO;
        let mut octets = 0;
        while let Some(batch) = waiting.take(pause, octets) {
            let mut events = batch.events;
            self.retention = batch.retention.unwrap_or(self.retention);
            let mut notes = batch.notes;
            octets = events.iter().map(|row| row.json.len()).sum::<usize>()
                + notes.iter().map(Note::size).sum::<usize>();
            let any = !events.is_empty() || !notes.is_empty();
            if any && !has_room(&self.path) {
                // The room that is left is for deliveries to be recorded in.
                self.drop_all(&mut events, "the disk is nearly full");
                notes.clear();
            }
            let more = self.write(&events, &notes).unwrap_or_else(|error| {
                self.drop_all(&mut events, &error.to_string());
                false
            });
            pause = if more { GO_ON } else { LOOK_AGAIN };
            for done in batch.flushes {
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
        }
    }

    /// Writes a batch and drops what is not to be kept; says whether there is more to drop.
    fn write(&mut self, events: &[Row], notes: &[Note]) -> rusqlite::Result<bool> {
        let batch = self.connection.transaction()?;
        let mut next = self.next;
        {
            let mut insert = batch.prepare_cached(
                "INSERT INTO events (number, id, at, event_json) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for of_one in by_transaction(events) {
                let Row { id, at, .. } = of_one[0];
                let entries: Vec<_> = of_one.iter().map(|row| row.json.as_str()).collect();
                let json = format!("[{}]", entries.join(","));
                insert.execute(params![next, id.to_string(), millis(*at), json])?;
                next += entries.len() as i64;
            }
        }
        let more = forget(&batch, next, self.retention)?;
        let mut kept = self.kept;
        if !notes.is_empty() {
            headers::write(&batch, notes)?;
            let sent = notes.iter().filter(|note| matches!(note, Note::Sent(_)));
            kept += sent.count() as i64;
            let oldest = millis(Millis::now() - self.retention.age);
            kept -= headers::forget(&batch, kept, oldest)?;
        }
        batch.commit()?;
        self.next = next;
        self.kept = kept;
        Ok(more)
    }

    fn drop_all(&mut self, events: &mut Vec<Row>, why: &str) {
        if !events.is_empty() {
            let lost = events.len() as u64;
            events.clear();
            self.dropped.fetch_add(lost, Ordering::Relaxed);
            if self.said.is_some_and(|at| at.elapsed() < QUIET) {
                return;
            }
            self.said = Some(Instant::now());
            tracing::warn!(
                events = lost,
                why,
                "the trace lost events; no mail is affected"
            );
        }
    }
}

/// The events of a batch by transaction, both in the order in which they came: what happens to a
/// message within a moment is one row.
fn by_transaction(events: &[Row]) -> Vec<Vec<&Row>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    for row in events {
        let place = *places.entry(row.id).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

/// The number of the next event of a trace: a row has the number of its first event.
pub(crate) fn next_number(connection: &Connection) -> rusqlite::Result<i64> {
    let last = connection
        .query_row(
            "SELECT number, event_json FROM events ORDER BY number DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
        )
        .optional()?;
    // One that cannot be read counts as one.
    let events = |json: &str| read(Millis(0), json).map_or(1, |entries| entries.len() as i64);
    Ok(last.map_or(1, |(number, json)| number + events(&json)))
}

/// What a row holds; `at` is its time.
pub(crate) fn read(at: Millis, json: &str) -> serde_json::Result<Vec<Entry<Kind>>> {
    match json.starts_with('[') {
        true => serde_json::from_str(json),
        // As the first version wrote it.
        false => serde_json::from_str(json).map(|kind| vec![Entry { at, kind }]),
    }
}

/// Drops the oldest events, as far as they are too many or too old; says whether more are. `next`
/// is the number of the event that comes next.
fn forget(batch: &Connection, next: i64, retention: Retention) -> rusqlite::Result<bool> {
    let oldest_row = batch
        .prepare_cached("SELECT number, at FROM events ORDER BY number LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((first, at)): Option<(i64, i64)> = oldest_row else {
        return Ok(false);
    };
    let last = next - 1;
    let oldest: i64 = millis(Millis::now() - retention.age);
    // Numbers count events: they go at this end only, in the order they came.
    let most = i64::try_from(retention.events).unwrap_or(i64::MAX);
    let too_many = (last - first + 1).saturating_sub(most).max(0);
    if too_many == 0 && at >= oldest {
        return Ok(false);
    }
    let end_of_slice = (last + 1).min(first + DROP_AT_ONCE);
    let first_to_keep: Option<i64> = batch
        .prepare_cached(
            "SELECT number FROM events WHERE number >= ?1 AND number < ?2 AND at >= ?3
             ORDER BY number LIMIT 1",
        )?
        .query_row([first + too_many, end_of_slice, oldest], |row| row.get(0))
        .optional()?;
    batch
        .prepare_cached("DELETE FROM events WHERE number < ?1")?
        .execute([first_to_keep.unwrap_or(end_of_slice)])?;
    Ok(first_to_keep.is_none() && end_of_slice <= last)
}

/// When the writer has ended, nobody is to wait for it.
struct Closes<'a>(&'a Waiting);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Whether the file system of the trace has room for more of it. Unknown counts as yes: it is the
/// write that tells.
fn has_room(path: &Path) -> bool {
    rustix::fs::statvfs(path).map_or(true, |stat| {
        stat.f_bavail.saturating_mul(stat.f_frsize) >= ROOM_LEFT
    })
}

pub(crate) fn millis(at: Millis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}
