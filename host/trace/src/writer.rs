//! The writing thread: each batch becomes one commit, which also drops what is too old.

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
    messages,
    queue::{EventQueue, WriterTask},
    store::ROOM_LEFT,
};

/// Most events dropped with one commit: more than are written with one, so that the excess never
/// grows.
const DROP_AT_ONCE: i64 = 4096;

/// Interval at which the age of events is checked when nothing happens.
const AGE_CHECK: Duration = Duration::from_secs(60);

/// Pause before the next commit when there is more to drop.
const NEXT_DROP: Duration = Duration::from_millis(10);

/// Shortest time between two log lines about lost events: a disk stays full for longer than an
/// operator needs to be told twice.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// An event as it is written.
#[derive(Debug)]
pub(crate) struct Row {
    id: TransactionId,
    at: Millis,
    pub(crate) json: String,
}

/// An event within its row, which names the transaction.
#[derive(Serialize, Deserialize)]
pub(crate) struct RowEntry<K> {
    pub(crate) at: Millis,
    #[serde(flatten)]
    pub(crate) kind: K,
}

impl Row {
    pub(crate) fn new(event: &Event) -> serde_json::Result<Self> {
        Ok(Self {
            id: event.id,
            at: event.at,
            json: serde_json::to_string(&RowEntry {
                at: event.at,
                kind: &event.kind,
            })?,
        })
    }
}

/// State of the writing thread.
pub(crate) struct TraceWriter {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) retention: Retention,
    pub(crate) dropped: Arc<AtomicU64>,
    /// Number of the next event.
    pub(crate) next: i64,
    /// Number of messages whose sent headers are kept.
    pub(crate) kept: i64,
    /// Time of the last log line about lost events.
    pub(crate) last_warning: Option<Instant>,
}

impl TraceWriter {
    /// Writes until the queue is closed.
    pub(crate) fn run(mut self, waiting: &EventQueue) {
        let _guard = CloseOnDrop(waiting);
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
                // The space that is left is for the records of deliveries.
                self.drop_all(&mut events, "the disk is nearly full");
                notes.clear();
            }
            let more = self.write(&events, &notes).unwrap_or_else(|error| {
                self.drop_all(&mut events, &error.to_string());
                false
            });
            pause = if more { NEXT_DROP } else { AGE_CHECK };
            for WriterTask(work) in batch.work {
                work(&mut self);
            }
            for done in batch.flushes {
                // The waiter may be gone.
                let _ = done.send(());
            }
        }
    }

    /// Writes a batch and drops what exceeds the retention; returns true if there is more to drop.
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
        let more = drop_oldest(&batch, next, self.retention)?;
        let mut kept = self.kept;
        if !notes.is_empty() {
            headers::write(&batch, notes)?;
            let sent = notes.iter().filter(|note| matches!(note, Note::Sent(_)));
            kept += sent.count() as i64;
            let oldest = millis(Millis::now() - self.retention.age);
            kept -= headers::drop_oldest(&batch, kept, oldest)?;
        }
        messages::drop_oldest(&batch)?;
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
            if self
                .last_warning
                .is_some_and(|at| at.elapsed() < WARNING_INTERVAL)
            {
                return;
            }
            self.last_warning = Some(Instant::now());
            tracing::warn!(
                events = lost,
                why,
                "the trace lost events; no mail is affected"
            );
        }
    }
}

/// Groups the events of a batch by transaction, keeping their order: events of a message within a
/// moment are one row.
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

/// Returns the number of the next event of a trace: a row has the number of its first event.
pub(crate) fn next_number(connection: &Connection) -> rusqlite::Result<i64> {
    let last = connection
        .query_row(
            "SELECT number, event_json FROM events ORDER BY number DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
        )
        .optional()?;
    // A row that cannot be read counts as one event.
    let events = |json: &str| read(Millis(0), json).map_or(1, |entries| entries.len() as i64);
    Ok(last.map_or(1, |(number, json)| number + events(&json)))
}

/// Returns the events in a row; `at` is its time.
pub(crate) fn read(at: Millis, json: &str) -> serde_json::Result<Vec<RowEntry<Kind>>> {
    match json.starts_with('[') {
        true => serde_json::from_str(json),
        // As the first version wrote it.
        false => serde_json::from_str(json).map(|kind| vec![RowEntry { at, kind }]),
    }
}

/// Drops the oldest events, as far as they are too many or too old; returns true if more remain to
/// be dropped. `next` is the number of the next event.
fn drop_oldest(batch: &Connection, next: i64, retention: Retention) -> rusqlite::Result<bool> {
    let oldest_row = batch
        .prepare_cached("SELECT number, at FROM events ORDER BY number LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((first, at)): Option<(i64, i64)> = oldest_row else {
        return Ok(false);
    };
    let last = next - 1;
    let oldest: i64 = millis(Millis::now() - retention.age);
    // Numbers count events: events are dropped at this end only, in order.
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

/// CloseOnDrop the queue when the writer has ended, so that nobody waits for it.
struct CloseOnDrop<'a>(&'a EventQueue);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Returns true if the file system of the trace has enough free space. If that is unknown, the
/// write will tell.
fn has_room(path: &Path) -> bool {
    rustix::fs::statvfs(path).map_or(true, |stat| {
        stat.f_bavail.saturating_mul(stat.f_frsize) >= ROOM_LEFT
    })
}

pub(crate) fn from_millis(at: i64) -> Millis {
    Millis(u64::try_from(at).unwrap_or_default())
}

pub(crate) fn millis(at: Millis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}
