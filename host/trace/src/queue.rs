//! The bounded queue between the recorders of events and the writer.
//!
//! A message makes a dozen events within milliseconds. Waking the writer for each would cost more
//! than writing them, so it is woken for the first and lets others gather.

use std::{collections::HashMap, fmt, mem, sync::mpsc::Sender, time::Duration};

use crate::{
    Retention,
    headers::Note,
    writer::{Row, TraceWriter},
};
use gatepost_message::TransactionId;
use parking_lot::{Condvar, Mutex, MutexGuard};

/// Most events that may wait.
const EVENTS: usize = 16 << 10;

/// Most bytes that they may have together, as written.
const OCTETS: usize = 32 << 20;

/// Time for which events gather.
const GATHER: Duration = Duration::from_millis(100);

/// Number of events at which the writer begins at once.
const ENOUGH: usize = EVENTS / 8;

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    state: Mutex<QueueState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    batch: Batch,
    /// Bytes of the events that wait, and of those that are being written.
    octets: usize,
    /// Sent messages whose headers wait, by Message-ID.
    waiting: SentIds,
    /// Those whose headers are being written.
    writing: SentIds,
    /// True while the writer sleeps until there is work.
    idle: bool,
    closed: bool,
}

/// Transaction and account of sent messages, by Message-ID.
type SentIds = HashMap<String, (TransactionId, String)>;

/// Work for one commit.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Events to be written.
    pub(crate) events: Vec<Row>,
    /// Notes to be written with them.
    pub(crate) notes: Vec<Note>,
    /// Waiters that are told once all before them is committed.
    pub(crate) flushes: Vec<Sender<()>>,
    /// New retention, if it was changed.
    pub(crate) retention: Option<Retention>,
    /// Other work on the database, done once all before it is committed.
    pub(crate) work: Vec<WriterTask>,
}

/// Work on the database.
pub(crate) struct WriterTask(pub(crate) Box<dyn FnOnce(&mut TraceWriter) + Send>);

impl fmt::Debug for WriterTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriterTask")
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.notes.is_empty()
            && self.flushes.is_empty()
            && self.retention.is_none()
            && self.work.is_empty()
    }
}

impl EventQueue {
    /// Adds an event; returns false if there is no room for it, or no writer.
    pub(crate) fn push(&self, row: Row) -> bool {
        let mut state = self.lock();
        let octets = state.octets.saturating_add(row.json.len());
        if state.closed || octets > OCTETS || state.batch.events.len() >= EVENTS {
            return false;
        }
        state.octets = octets;
        state.batch.events.push(row);
        let wake = mem::take(&mut state.idle) || state.batch.events.len() == ENOUGH;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        true
    }

    /// Adds a note; returns false if there is no room for it, or no writer.
    pub(crate) fn note(&self, note: Note) -> bool {
        let mut state = self.lock();
        let octets = state.octets.saturating_add(note.size());
        if state.closed || octets > OCTETS || state.batch.notes.len() >= EVENTS {
            return false;
        }
        state.octets = octets;
        if let Note::Sent(sent) = &note
            && !sent.message_id.is_empty()
        {
            let of = (sent.id, sent.account.clone());
            state.waiting.insert(sent.message_id.clone(), of);
        }
        state.batch.notes.push(note);
        let wake = mem::take(&mut state.idle);
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        true
    }

    /// Returns transaction and account of the last message with this Message-ID whose headers are not
    /// written yet.
    pub(crate) fn unwritten(&self, message_id: &str) -> Option<(TransactionId, String)> {
        let state = self.lock();
        let found = state.waiting.get(message_id);
        found.or_else(|| state.writing.get(message_id)).cloned()
    }

    /// Adds a waiter for the commit of everything so far; returns false if there is no writer.
    pub(crate) fn flush(&self, done: Sender<()>) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.batch.flushes.push(done);
        drop(state);
        self.wake.notify_one();
        true
    }

    /// Adds work; returns false if there is no writer.
    pub(crate) fn work(&self, work: WriterTask) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.batch.work.push(work);
        drop(state);
        self.wake.notify_one();
        true
    }

    /// Changes the retention; returns false if there is no writer.
    pub(crate) fn set_retention(&self, retention: Retention) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.batch.retention = Some(retention);
        drop(state);
        self.wake.notify_one();
        true
    }

    /// CloseOnDrop the queue: nothing is taken from now on.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if std::thread::panicking() {
            // No waiter for the panicking writer is to wait for ever.
            state.batch = Batch::default();
            state.waiting.clear();
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Waits until there is work, or for `timeout`, and takes it, `written` bytes having been
    /// written since the last call; returns `None` once the queue is closed and empty.
    pub(crate) fn take(&self, timeout: Duration, written: usize) -> Option<Batch> {
        let mut state = self.lock();
        state.octets = state.octets.saturating_sub(written);
        state.writing.clear();
        if state.batch.is_empty() && !state.closed {
            state.idle = true;
            let nothing = |state: &mut QueueState| state.batch.is_empty() && !state.closed;
            self.wake.wait_while_for(&mut state, nothing, timeout);
            state.idle = false;
        }
        if !state.batch.events.is_empty() || !state.batch.notes.is_empty() {
            let few = |state: &mut QueueState| {
                state.batch.flushes.is_empty()
                    && state.batch.work.is_empty()
                    && !state.closed
                    && state.batch.events.len() < ENOUGH
            };
            self.wake.wait_while_for(&mut state, few, GATHER);
        }
        match state.batch.is_empty() && state.closed {
            true => None,
            false => {
                state.writing = mem::take(&mut state.waiting);
                Some(mem::take(&mut state.batch))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock()
    }
}
