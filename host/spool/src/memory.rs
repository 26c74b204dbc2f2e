//! What policies asked to remember, kept for look-ups: marks and counts.
//!
//! The database holds the same; this is loaded from it at open and follows it after each commit.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

use gatepost_message::Millis;
use gatepost_policy::Scope;

/// Milliseconds in a bucket of a count.
const BUCKET: u64 = 60_000;

/// The longest window of a count, in seconds.
pub(crate) const LONGEST_WINDOW: u32 = 24 * 3600;

/// The bucket that a moment falls into.
pub(crate) fn bucket(at: Millis) -> u64 {
    at.0 / BUCKET
}

/// The first bucket that a window of so many seconds before `now` still touches.
pub(crate) fn first_bucket(now: Millis, seconds: u32) -> u64 {
    let length = u64::from(seconds.min(LONGEST_WINDOW)) * 1000;
    bucket(Millis(now.0.saturating_sub(length)))
}

/// One change, as committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The key is marked until then.
    Mark {
        scope: Scope,
        key: String,
        until: Millis,
    },
    /// So much more in that bucket.
    Count {
        scope: Scope,
        key: String,
        bucket: u64,
        amount: u64,
    },
    /// The mark is gone.
    Unmark { scope: Scope, key: String },
    /// The bucket is gone.
    Uncount {
        scope: Scope,
        key: String,
        bucket: u64,
    },
}

#[derive(Debug, Default)]
struct Remembered {
    marks: HashMap<String, Millis>,
    counts: HashMap<String, BTreeMap<u64, u64>>,
}

/// Marks and counts of all scopes.
#[derive(Debug, Default)]
pub(crate) struct Memory(RwLock<HashMap<Scope, Remembered>>);

impl Memory {
    pub(crate) fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        let scopes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let until = scopes
            .get(scope)
            .and_then(|remembered| remembered.marks.get(key));
        until.is_some_and(|until| *until > now)
    }

    pub(crate) fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        let scopes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let buckets = scopes
            .get(scope)
            .and_then(|remembered| remembered.counts.get(key));
        let window = first_bucket(now, seconds)..=bucket(now);
        buckets.map_or(0, |buckets| {
            buckets.range(window).map(|(_, amount)| amount).sum()
        })
    }

    pub(crate) fn apply(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut scopes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            apply(&mut scopes, change);
        }
    }
}

fn apply(scopes: &mut HashMap<Scope, Remembered>, change: Change) {
    match change {
        Change::Mark { scope, key, until } => {
            let mark = scopes
                .entry(scope)
                .or_default()
                .marks
                .entry(key)
                .or_default();
            *mark = until.max(*mark);
        }
        Change::Count {
            scope,
            key,
            bucket,
            amount,
        } => {
            let buckets = scopes
                .entry(scope)
                .or_default()
                .counts
                .entry(key)
                .or_default();
            *buckets.entry(bucket).or_default() += amount;
        }
        Change::Unmark { scope, key } => {
            if let Some(remembered) = scopes.get_mut(&scope) {
                remembered.marks.remove(&key);
                forget_if_empty(scopes, &scope);
            }
        }
        Change::Uncount { scope, key, bucket } => {
            let Some(remembered) = scopes.get_mut(&scope) else {
                return;
            };
            if let Some(buckets) = remembered.counts.get_mut(&key) {
                buckets.remove(&bucket);
                if buckets.is_empty() {
                    remembered.counts.remove(&key);
                }
            }
            forget_if_empty(scopes, &scope);
        }
    }
}

fn forget_if_empty(scopes: &mut HashMap<Scope, Remembered>, scope: &Scope) {
    let empty =
        |remembered: &Remembered| remembered.marks.is_empty() && remembered.counts.is_empty();
    if scopes.get(scope).is_some_and(empty) {
        scopes.remove(scope);
    }
}
