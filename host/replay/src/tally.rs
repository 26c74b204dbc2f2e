//! Counts of the changes of many entries, and groups of those that are alike.

use std::collections::BTreeMap;

use gatepost_message::TransactionId;
use gatepost_rollout::DifferenceKind;
use serde::Serialize;

use crate::changes::DecisionChange;

/// Most groups that are kept; the changes of more are counted, and in no group.
pub const MOST_GROUPS: usize = 500;

/// Changes that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Changes, in the order of their kinds.
    pub changes: Vec<DecisionChange>,
    /// Number of entries.
    pub count: u64,
    /// RecordEntry with the lowest id among them, whichever was judged first.
    pub example: TransactionId,
}

/// Counts of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Entries that were compared.
    pub compared: u64,
    /// Entries with at least one change.
    pub changed: u64,
    /// Entries that could not be compared, because a policy reads a body that was not recorded.
    pub without_body: u64,
    /// Entries whose listener is not there any more.
    pub without_listener: u64,
    /// Entries for which a version looked something up that was not recorded.
    pub answered_now: u64,
    kinds: BTreeMap<DifferenceKind, u64>,
    groups: BTreeMap<Vec<DecisionChange>, (u64, TransactionId)>,
    /// Changed entries in no group.
    pub ungrouped: u64,
}

impl Tally {
    /// Counts a compared entry.
    pub fn add(&mut self, id: TransactionId, changes: Vec<DecisionChange>) {
        self.compared += 1;
        if changes.is_empty() {
            return;
        }
        self.changed += 1;
        for change in &changes {
            *self.kinds.entry(change.kind).or_default() += 1;
        }
        self.group(changes, 1, id);
    }

    fn group(&mut self, changes: Vec<DecisionChange>, count: u64, id: TransactionId) {
        let (known, example) = self.groups.entry(changes).or_insert((0, id));
        *known += count;
        *example = (*example).min(id);
        // The last in order goes, so that the same groups are kept whatever comes first.
        if self.groups.len() > MOST_GROUPS
            && let Some((_, (count, _))) = self.groups.pop_last()
        {
            self.ungrouped += count;
        }
    }

    /// Adds the counts of another part of the entries.
    pub fn merge(&mut self, other: Self) {
        self.compared += other.compared;
        self.changed += other.changed;
        self.without_body += other.without_body;
        self.without_listener += other.without_listener;
        self.answered_now += other.answered_now;
        self.ungrouped += other.ungrouped;
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        for (changes, (count, id)) in other.groups {
            self.group(changes, count, id);
        }
    }

    /// Returns the number of entries that were found and could not be compared.
    pub fn not_compared(&self) -> u64 {
        self.without_body + self.without_listener
    }

    /// Returns the number of entries with a change of this kind.
    pub fn of_kind(&self, kind: DifferenceKind) -> u64 {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// Returns the groups, the largest first, and among equals by their example.
    pub fn groups(&self) -> Vec<Group> {
        let groups = self.groups.iter();
        let mut groups: Vec<_> = groups
            .map(|(changes, (count, example))| Group {
                changes: changes.clone(),
                count: *count,
                example: *example,
            })
            .collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.example));
        groups
    }
}
