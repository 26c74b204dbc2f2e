//! Marks of one policy for one account.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use gatepost_message::Millis;

use crate::ENTRY_OVERHEAD;

/// Marked keys, ordered by eviction: the mark that ends soonest is evicted first.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    until: HashMap<Arc<str>, Millis>,
    order: BTreeSet<(Millis, Arc<str>)>,
    octets: usize,
}

impl Marks {
    pub(crate) fn until(&self, key: &str) -> Option<Millis> {
        self.until.get(key).copied()
    }

    /// Marks a key; a shorter mark does not shorten a longer one.
    pub(crate) fn mark(&mut self, key: String, until: Millis) {
        let (key, before) = match self.until.get_key_value(key.as_str()) {
            Some((_, before)) if *before >= until => return,
            Some((key, before)) => (Arc::clone(key), Some(*before)),
            None => (Arc::from(key), None),
        };
        match before {
            Some(before) => {
                self.order.remove(&(before, Arc::clone(&key)));
            }
            None => self.octets += ENTRY_OVERHEAD + key.len(),
        }
        self.order.insert((until, Arc::clone(&key)));
        self.until.insert(key, until);
    }

    pub(crate) fn unmark(&mut self, key: &str) {
        if let Some((key, until)) = self.until.remove_entry(key) {
            self.octets -= ENTRY_OVERHEAD + key.len();
            self.order.remove(&(until, key));
        }
    }

    /// Evicts the weakest key, if all keys take more than `bound` octets.
    pub(crate) fn evict(&mut self, bound: usize) -> Option<String> {
        let (_, key) = self.order.first().filter(|_| self.octets > bound)?;
        let key = key.to_string();
        self.unmark(&key);
        Some(key)
    }

    /// Returns the marks that end at `now` or before, in that order.
    pub(crate) fn until_at_most(&self, now: Millis) -> impl Iterator<Item = (Millis, &str)> {
        let over = self
            .order
            .iter()
            .take_while(move |(until, _)| *until <= now);
        over.map(|(until, key)| (*until, &**key))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.until.keys().map(|key| &**key)
    }

    pub(crate) fn len(&self) -> usize {
        self.until.len()
    }

    pub(crate) fn octets(&self) -> usize {
        self.octets
    }
}
