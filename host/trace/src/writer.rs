//! The thread that writes: what waits becomes one commit, and with it what is too old goes.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use gatepost_message::{Millis, TransactionId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Event, Retention, store::ROOM_LEFT};

/// The most events of one commit.
const BATCH: usize = 1024;

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
pub(crate) struct Row {
    id: TransactionId,
    at: Millis,
    pub(crate) json: String,
}

impl Row {
    pub(crate) fn new(event: &Event) -> serde_json::Result<Self> {
        Ok(Self {
            id: event.id,
            at: event.at,
            json: serde_json::to_string(&event.kind)?,
        })
    }
}

/// What waits for the writer.
pub(crate) enum Work {
    /// To be written.
    Event(Row),
    /// To be answered once all before it is committed.
    Flush(Sender<()>),
    /// So much is to be kept from now on.
    Retain(Retention),
}

/// The writer's own things.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) retention: Retention,
    pub(crate) dropped: Arc<AtomicU64>,
    /// Octets of the events that wait.
    pub(crate) octets: Arc<AtomicUsize>,
    /// When it last said that events are lost.
    pub(crate) said: Option<Instant>,
}

impl Writer {
    /// Works until all senders are gone.
    pub(crate) fn run(mut self, waiting: &Receiver<Work>) {
        let mut pause = Duration::ZERO;
        loop {
            let first = match waiting.recv_timeout(pause) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut events = Vec::new();
            let mut flushes = Vec::new();
            for work in first.into_iter().chain(waiting.try_iter().take(BATCH - 1)) {
                match work {
                    Work::Event(row) => events.push(row),
                    Work::Flush(done) => flushes.push(done),
                    Work::Retain(retention) => self.retention = retention,
                }
            }
            let octets = events.iter().map(|row| row.json.len()).sum();
            if !events.is_empty() && !has_room(&self.path) {
                // The room that is left is for deliveries to be recorded in.
                self.drop_all(&mut events, "the disk is nearly full");
            }
            let more = self.write(&events).unwrap_or_else(|error| {
                self.drop_all(&mut events, &error.to_string());
                false
            });
            self.octets.fetch_sub(octets, Ordering::Relaxed);
            pause = if more { GO_ON } else { LOOK_AGAIN };
            for done in flushes {
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
        }
    }

    /// Writes a batch and drops what is not to be kept; says whether there is more to drop.
    fn write(&mut self, events: &[Row]) -> rusqlite::Result<bool> {
        let batch = self.connection.transaction()?;
        {
            let mut insert = batch
                .prepare_cached("INSERT INTO events (id, at, event_json) VALUES (?1, ?2, ?3)")?;
            for Row { id, at, json } in events {
                insert.execute(params![id.to_string(), millis(*at), json])?;
            }
        }
        let more = forget(&batch, self.retention)?;
        batch.commit()?;
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

/// Drops the oldest events, as far as they are too many or too old; says whether more are.
fn forget(batch: &Connection, retention: Retention) -> rusqlite::Result<bool> {
    let end = |order: &str| {
        let sql = format!("SELECT number, at FROM events ORDER BY number {order} LIMIT 1");
        let mut select = batch.prepare_cached(&sql)?;
        select
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    };
    let (Some((first, at)), Some((last, _))) = (end("ASC")?, end("DESC")?) else {
        return Ok(false);
    };
    let oldest: i64 = millis(Millis::now() - retention.age);
    let (first, at, last): (i64, i64, i64) = (first, at, last);
    // Numbers have no gaps: events go at this end only, in the order they came.
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
