//! Windowed counts of one policy for one account.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
    sync::Arc,
};

use crate::ENTRY_OVERHEAD;

/// Octets that a bucket of a count is assumed to need.
const BUCKET_OVERHEAD: usize = 48;

/// Counted keys, ordered by eviction: the smallest count first, of equal counts the oldest. A
/// stranger who makes the relay count under ever new keys evicts the keys of other strangers first.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    keys: HashMap<Arc<str>, Count>,
    order: BTreeSet<(u64, u64, Arc<str>)>,
    octets: usize,
}

#[derive(Debug, Default)]
struct Count {
    buckets: BTreeMap<u64, u64>,
    total: u64,
}

impl Count {
    /// Returns the order of eviction: the least is evicted first.
    fn strength(&self) -> (u64, u64) {
        let last = self.buckets.last_key_value().map_or(0, |(last, _)| *last);
        (self.total, last)
    }

    fn octets(&self) -> usize {
        self.buckets.len() * BUCKET_OVERHEAD
    }
}

impl Counts {
    pub(crate) fn sum(&self, key: &str, window: RangeInclusive<u64>) -> u64 {
        let count = self.keys.get(key);
        count.map_or(0, |count| {
            count.buckets.range(window).map(|(_, amount)| amount).sum()
        })
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(|key| &**key)
    }

    pub(crate) fn holds(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    pub(crate) fn add(&mut self, key: String, bucket: u64, amount: u64) {
        let (key, mut count) = self
            .remove(&key)
            .unwrap_or((Arc::from(key), Count::default()));
        let of_bucket = count.buckets.entry(bucket).or_default();
        *of_bucket = of_bucket.saturating_add(amount);
        count.total = count.total.saturating_add(amount);
        self.insert(key, count);
    }

    pub(crate) fn forget(&mut self, key: &str) {
        self.remove(key);
    }

    /// Deletes an expired bucket.
    pub(crate) fn forget_bucket(&mut self, key: &str, bucket: u64) {
        let Some((key, mut count)) = self.remove(key) else {
            return;
        };
        let amount = count.buckets.remove(&bucket).unwrap_or(0);
        count.total = count.total.saturating_sub(amount);
        if !count.buckets.is_empty() {
            self.insert(key, count);
        }
    }

    /// Evicts the weakest key, if all keys take more than `bound` octets.
    pub(crate) fn evict(&mut self, bound: usize) -> Option<String> {
        let (_, _, key) = self.order.first().filter(|_| self.octets > bound)?;
        let key = key.to_string();
        self.forget(&key);
        Some(key)
    }

    /// Returns the buckets before that one.
    pub(crate) fn before(&self, first: u64) -> impl Iterator<Item = (&str, u64)> {
        self.keys.iter().flat_map(move |(key, count)| {
            let over = count.buckets.range(..first);
            over.map(move |(bucket, _)| (&**key, *bucket))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    fn remove(&mut self, key: &str) -> Option<(Arc<str>, Count)> {
        let (key, count) = self.keys.remove_entry(key)?;
        let (total, last) = count.strength();
        self.order.remove(&(total, last, Arc::clone(&key)));
        self.octets -= ENTRY_OVERHEAD + key.len() + count.octets();
        Some((key, count))
    }

    fn insert(&mut self, key: Arc<str>, count: Count) {
        let (total, last) = count.strength();
        self.order.insert((total, last, Arc::clone(&key)));
        self.octets += ENTRY_OVERHEAD + key.len() + count.octets();
        self.keys.insert(key, count);
    }
}
