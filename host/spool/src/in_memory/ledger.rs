//! The ledgers in memory.

mod correspondent;

use std::collections::{BTreeMap, VecDeque};

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{
    KeyedAnswer, LearntId, StoredEvent, Suppression, SuppressionCause, SuppressionChange,
};

use crate::{
    Dropped, EXPIRE_AT_ONCE, ErasedRows, EventFilter, EventPage, Keep, KeptSince, Ledger,
    MAX_SUPPRESSIONS, READ_AT_ONCE, SuppressionFilter, counted_failures::CountedFailures,
    ledger::key_name,
};

/// Key of a row: the account, and the address, the id or the name.
type Key = (String, String);

/// All ledgers, and the cursors of the readers of events.
#[derive(Debug, Default)]
pub(super) struct Ledgers {
    last_event: u64,
    events: VecDeque<StoredEvent>,
    pub(super) cursors: BTreeMap<String, u64>,
    suppressions: BTreeMap<Key, Suppression>,
    /// Failures that are counted. Those of entries that are gone are dropped with the next count.
    failures: BTreeMap<Key, CountedFailures>,
    learnt: BTreeMap<Key, LearntId>,
    /// Answers by account and [name of the key](key_name).
    answers: BTreeMap<Key, KeyedAnswer>,
}

fn key(account: &str, name: &str) -> Key {
    (account.to_owned(), name.to_owned())
}

impl Ledgers {
    /// Returns the number of the last event.
    pub(super) fn last_event(&self) -> u64 {
        self.last_event
    }

    /// Returns the number of the oldest event; 0 if there is none.
    pub(super) fn first_event(&self) -> u64 {
        self.events.front().map_or(0, |first| first.seq)
    }

    /// Writes entries.
    pub(super) fn write(&mut self, ledger: Ledger) {
        for event in ledger.events().cloned() {
            self.last_event += 1;
            self.events.push_back(StoredEvent {
                seq: self.last_event,
                event,
            });
        }
        for change in ledger.suppressions {
            self.change_suppression(change);
        }
        for learnt in ledger.learnt {
            // It stays as first learnt.
            let key = key(&learnt.account, &learnt.theirs);
            self.learnt.entry(key).or_insert(learnt);
        }
        for answer in ledger.answers {
            // The first one stays.
            let key = (
                answer.account.clone(),
                key_name(&answer.program, &answer.key),
            );
            self.answers.entry(key).or_insert(answer);
        }
    }

    fn change_suppression(&mut self, change: SuppressionChange) {
        let (account, address) = change.key();
        let key = key(account, address);
        let found = self.suppressions.get(&key);
        if found.is_some_and(|entry| entry.cause.suppresses()) {
            return;
        }
        let counted = found.map_or(0, |entry| entry.count);
        match change {
            SuppressionChange::Suppress(entry) => {
                let count = counted + entry.count;
                self.put(key, Suppression { count, ..entry });
            }
            SuppressionChange::Count {
                entry,
                limit,
                since,
            } => {
                let known = self.failures.remove(&key);
                let mut failures = match found {
                    None => CountedFailures::default(),
                    Some(found) => {
                        known.unwrap_or_else(|| CountedFailures::at(found.at, found.count))
                    }
                };
                let count = failures.count(entry.at, entry.count, since);
                let cause = SuppressionCause::of_count(count, limit);
                self.failures.insert(key.clone(), failures);
                self.put(
                    key,
                    Suppression {
                        cause,
                        count,
                        ..entry
                    },
                );
            }
            SuppressionChange::Delivered { .. } => drop(self.suppressions.remove(&key)),
        }
    }

    /// Stores an entry; returns false if the list is full of those that people have put there.
    fn put(&mut self, key: Key, entry: Suppression) -> bool {
        if !self.suppressions.contains_key(&key) && self.list(&key.0).count() >= MAX_SUPPRESSIONS {
            let evictable = self.list(&key.0).filter(|entry| !entry.cause.is_by_hand());
            let Some(oldest) = evictable.min_by_key(|entry| entry.at) else {
                return false;
            };
            let oldest = (oldest.account.clone(), oldest.address.clone());
            self.suppressions.remove(&oldest);
        }
        self.suppressions.insert(key, entry);
        true
    }

    fn list<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a Suppression> {
        let entries = self.suppressions.values();
        entries.filter(move |entry| entry.account == account)
    }

    pub(super) fn add(&mut self, entries: Vec<Suppression>) -> u64 {
        let mut stored = 0;
        for entry in entries {
            stored += u64::from(self.put(key(&entry.account, &entry.address), entry));
        }
        stored
    }

    pub(super) fn remove(&mut self, account: &str, address: &str) -> bool {
        self.suppressions.remove(&key(account, address)).is_some()
    }

    pub(super) fn find(&self, account: &str, address: &str) -> Option<Suppression> {
        let found = self.suppressions.get(&key(account, address));
        found.filter(|entry| entry.cause.suppresses()).cloned()
    }

    pub(super) fn page(&self, filter: &SuppressionFilter) -> Vec<Suppression> {
        let entries = self.suppressions.iter();
        entries
            .filter(|(key, _)| filter.after.as_ref().is_none_or(|after| *key > after))
            .map(|(_, entry)| entry)
            .filter(|entry| filter.wants(entry))
            .take(filter.limit)
            .cloned()
            .collect()
    }

    pub(super) fn count(&self, account: Option<&str>) -> u64 {
        match account {
            Some(account) => self.list(account).count() as u64,
            None => self.suppressions.len() as u64,
        }
    }

    pub(super) fn expire_counting(&mut self, before: Millis) -> Dropped {
        let held = self.suppressions.len();
        let over = |entry: &Suppression| !entry.cause.suppresses() && entry.at < before;
        self.suppressions.retain(|_, entry| !over(entry));
        dropped(held - self.suppressions.len())
    }

    pub(super) fn read(&self, after: u64, filter: &EventFilter, limit: usize) -> EventPage {
        let mut page = EventPage {
            next: after,
            ..EventPage::default()
        };
        let begin = self.events.partition_point(|stored| stored.seq <= after);
        for stored in self.events.range(begin..).take(READ_AT_ONCE) {
            if page.events.len() == limit {
                break;
            }
            page.next = stored.seq;
            if filter.wants(&stored.event) {
                page.events.push(stored.clone());
            }
        }
        page.more = page.next < self.last_event;
        page
    }

    pub(super) fn expire_events(&mut self, keep: Keep) -> Dropped {
        let mut entries = 0;
        while entries < EXPIRE_AT_ONCE
            && self.events.len() > 1
            && let Some(first) = self.events.front()
            && (first.event.at < keep.since || first.seq + keep.most <= self.last_event)
        {
            self.events.pop_front();
            entries += 1;
        }
        dropped(entries)
    }

    /// Removes events of accounts whose time is over, but for the last one of all; returns their number.
    pub(super) fn drop_older(&mut self, since: &KeptSince) -> u64 {
        let before = self.events.len();
        let last = self.last_event;
        self.events.retain(|stored| {
            let account = stored.event.account.as_deref();
            let since = account.and_then(|account| since.get(account));
            stored.seq == last || since.is_none_or(|since| stored.event.at >= *since)
        });
        (before - self.events.len()) as u64
    }

    /// Returns the messages of an account's events.
    pub(super) fn messages_of(&self, account: &str) -> Vec<TransactionId> {
        let events = self.events.iter().map(|stored| &stored.event);
        let own = events.filter(|event| event.account.as_deref() == Some(account));
        own.filter_map(|event| event.transaction).collect()
    }

    /// Returns true if the last event is of this account.
    pub(super) fn is_last_of(&self, account: &str) -> bool {
        let last = self.events.back();
        last.is_some_and(|last| last.event.account.as_deref() == Some(account))
    }

    /// Removes all entries of an account, and counts them.
    pub(super) fn erase(&mut self, account: &str, erased: &mut ErasedRows) {
        let before = self.events.len();
        (self.events).retain(|stored| stored.event.account.as_deref() != Some(account));
        erased.events = (before - self.events.len()) as u64;
        let before = self.suppressions.len();
        self.suppressions.retain(|(of, _), _| of != account);
        self.failures.retain(|(of, _), _| of != account);
        erased.suppressions = (before - self.suppressions.len()) as u64;
        let before = self.learnt.len();
        self.learnt.retain(|(of, _), _| of != account);
        erased.learnt_ids = (before - self.learnt.len()) as u64;
        let before = self.answers.len();
        self.answers.retain(|(of, _), _| of != account);
        erased.keyed_answers = (before - self.answers.len()) as u64;
    }

    pub(super) fn ours_of(&self, account: &str, theirs: &str) -> Option<String> {
        let learnt = self.learnt.get(&key(account, theirs))?;
        Some(learnt.ours.clone())
    }

    pub(super) fn expire_learnt(&mut self, keep: Keep) -> Dropped {
        let held = self.learnt.len();
        (self.learnt).retain(|_, learnt| learnt.at >= keep.since);
        let most = usize::try_from(keep.most).unwrap_or(usize::MAX);
        while self.learnt.len() > most
            && let Some(oldest) = self.learnt.values().min_by_key(|learnt| learnt.at)
        {
            let oldest = key(&oldest.account, &oldest.theirs);
            self.learnt.remove(&oldest);
        }
        dropped(held - self.learnt.len())
    }

    pub(super) fn answer_under(
        &self,
        account: &str,
        program: &str,
        key: &str,
    ) -> Option<KeyedAnswer> {
        let key = (account.to_owned(), key_name(program, key));
        self.answers.get(&key).cloned()
    }

    pub(super) fn expire_answers(&mut self, keep: Keep) -> Dropped {
        let held = self.answers.len();
        (self.answers).retain(|_, answer| answer.at >= keep.since);
        let most = usize::try_from(keep.most).unwrap_or(usize::MAX);
        while self.answers.len() > most
            && let Some((oldest, _)) = self.answers.iter().min_by_key(|(_, answer)| answer.at)
        {
            let oldest = oldest.clone();
            self.answers.remove(&oldest);
        }
        dropped(held - self.answers.len())
    }
}

/// Returns the number of dropped entries; there are no more.
fn dropped(entries: usize) -> Dropped {
    Dropped {
        entries: entries as u64,
        more: entries == EXPIRE_AT_ONCE,
    }
}
