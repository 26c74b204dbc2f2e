//! What waits for the writer, bounded, and how it learns of it.
//!
//! A message makes a dozen events within milliseconds. To wake the writer for each would cost more
//! than to write them, so it is woken for the first and lets others gather.

use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::Duration,
};

use crate::{Retention, headers::Note, writer::Row};

/// How many events may wait.
const EVENTS: usize = 16 << 10;

/// How many octets they may have together, as written.
const OCTETS: usize = 32 << 20;

/// How long events gather.
const GATHER: Duration = Duration::from_millis(100);

/// With so many events the writer begins at once.
const ENOUGH: usize = EVENTS / 8;

/// The queue between those who record and the one who writes.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    /// Octets of the events that wait, and of those that are being written.
    octets: usize,
    /// The writer sleeps until there is something.
    idle: bool,
    closed: bool,
}

/// What the writer takes at a time.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// To be written.
    pub(crate) events: Vec<Row>,
    /// To be written with them.
    pub(crate) notes: Vec<Note>,
    /// To be answered once all before them is committed.
    pub(crate) flushes: Vec<Sender<()>>,
    /// So much is to be kept from now on.
    pub(crate) retention: Option<Retention>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.notes.is_empty()
            && self.flushes.is_empty()
            && self.retention.is_none()
    }
}

impl Waiting {
    /// Hands in an event; `false` if there is no room for it, or nobody to write it.
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

    /// Hands in what goes with events; `false` if there is no room for it, or nobody to write it.
    pub(crate) fn note(&self, note: Note) -> bool {
        let mut state = self.lock();
        let octets = state.octets.saturating_add(note.size());
        if state.closed || octets > OCTETS || state.batch.notes.len() >= EVENTS {
            return false;
        }
        state.octets = octets;
        state.batch.notes.push(note);
        let wake = mem::take(&mut state.idle);
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        true
    }

    /// Asks to be told when all that was handed in is committed; `false` if nobody will.
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

    /// Says how much is to be kept from now on; `false` if nobody hears it.
    pub(crate) fn retain(&self, retention: Retention) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.batch.retention = Some(retention);
        drop(state);
        self.wake.notify_one();
        true
    }

    /// Nothing is taken from now on.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if std::thread::panicking() {
            // Whoever waits for the writer is not to wait for ever.
            state.batch = Batch::default();
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Waits until there is something, or for so long, and takes what is there, `written` octets
    /// having been written since the last time; `None` once it is closed and empty.
    pub(crate) fn take(&self, patience: Duration, written: usize) -> Option<Batch> {
        let mut state = self.lock();
        state.octets = state.octets.saturating_sub(written);
        if state.batch.is_empty() && !state.closed {
            state.idle = true;
            let awaited = self.wake.wait_timeout_while(state, patience, |state| {
                state.batch.is_empty() && !state.closed
            });
            state = awaited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle = false;
        }
        if !state.batch.events.is_empty() || !state.batch.notes.is_empty() {
            let gathered = self.wake.wait_timeout_while(state, GATHER, |state| {
                state.batch.flushes.is_empty() && !state.closed && state.batch.events.len() < ENOUGH
            });
            state = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        match state.batch.is_empty() && state.closed {
            true => None,
            false => Some(mem::take(&mut state.batch)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
