//! Counts over all connections: of connections, of messages a minute, of greylisted tries.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::script::Greylisting;

/// Triples that are remembered for greylisting; with one more, all are forgotten.
const TRIPLES: usize = 100_000;

const MINUTE: Duration = Duration::from_secs(60);

/// Client, sender and recipient.
type Triple = (IpAddr, String, String);

/// Counts of a server.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    connections: AtomicU64,
    messages: Mutex<VecDeque<Instant>>,
    /// First try and number of tries.
    greylisted: Mutex<BTreeMap<Triple, (Instant, u64)>>,
}

/// Connection that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct CountedConnection<'a>(&'a AtomicU64);

impl Tallies {
    /// Counts a connection. Returns the number of those before it, too.
    pub(crate) fn connect(&self) -> (u64, CountedConnection<'_>) {
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        (before, CountedConnection(&self.connections))
    }

    /// Returns the number of messages accepted within the last minute.
    pub(crate) fn messages_of_a_minute(&self) -> u64 {
        let mut messages = self.messages.lock();
        while messages.front().is_some_and(|at| at.elapsed() >= MINUTE) {
            messages.pop_front();
        }
        messages.len() as u64
    }

    /// Counts an accepted message.
    pub(crate) fn message(&self) {
        self.messages.lock().push_back(Instant::now());
    }

    /// Counts a try. Returns true if it is still refused.
    pub(crate) fn is_greylisted(&self, rule: &Greylisting, triple: Triple) -> bool {
        let mut greylisted = self.greylisted.lock();
        if greylisted.len() >= TRIPLES {
            greylisted.clear();
        }
        let (first, tries) = greylisted.entry(triple).or_insert((Instant::now(), 0));
        *tries += 1;
        match rule.period {
            Some(period) => first.elapsed() < period,
            None => *tries <= rule.tries,
        }
    }
}

impl Drop for CountedConnection<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
