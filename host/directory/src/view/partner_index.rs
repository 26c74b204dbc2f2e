//! Index of partner addresses, for a million of them.
//!
//! A session asks for each recipient of each message, so the answer has to be in memory. A
//! [`View`](crate::View) never changes, so each change makes another index. Both need a small
//! structure that shares the unchanged parts: each entry is a keyed hash of 64 bits with the number
//! of its list, sorted, in shards. A change rebuilds only the shards that it touches.
//!
//! With hashes of 64 bits, one stranger in 2⁶⁴ ÷ entries is taken for a partner: with a million
//! entries, one in eighteen million million. The key differs in each process, so nobody can search
//! for such an address.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use crate::AccountId;

/// Number of leading bits of a hash that choose its shard: 4096 shards hold 250 entries each if
/// there are a million.
const SHARD_BITS: u32 = 12;

/// Number of a list, as [`PartnerList::id`](crate::PartnerList::id).
pub(crate) type ListId = u32;

/// Entries with their lists. A clone shares the shards.
#[derive(Debug, Clone)]
pub(crate) struct PartnerIndex {
    hasher: RandomState,
    shards: Arc<[Arc<Shard>]>,
    entries: usize,
}

/// Entries sorted by hash, then by list. An entry may occur several times: a list can hold two
/// spellings of one address.
#[derive(Debug, Default)]
struct Shard {
    hashes: Box<[u64]>,
    lists: Box<[ListId]>,
}

/// Hash of an entry, and its list.
pub(crate) type Entry = (u64, ListId);

impl PartnerIndex {
    pub(crate) fn empty() -> Self {
        let none = Arc::new(Shard::default());
        let shards = (0..1 << SHARD_BITS).map(|_| Arc::clone(&none));
        Self {
            hasher: RandomState::new(),
            shards: shards.collect(),
            entries: 0,
        }
    }

    /// Returns the hash of an account's entry.
    pub(crate) fn hash(&self, account: AccountId, key: &str) -> u64 {
        self.hasher.hash_one((account, key))
    }

    /// Returns the lists that hold an entry, each as often as it holds the entry.
    pub(crate) fn lists(&self, hash: u64) -> &[ListId] {
        let Some(shard) = self.shards.get(shard_of(hash)) else {
            return &[];
        };
        let begin = shard.hashes.partition_point(|other| *other < hash);
        let rest = shard.hashes.get(begin..).unwrap_or_default();
        let count = rest.iter().take_while(|other| **other == hash).count();
        shard.lists.get(begin..begin + count).unwrap_or_default()
    }

    /// Returns an index with entries added and with existing entries removed.
    pub(crate) fn changed(&self, mut added: Vec<Entry>, mut removed: Vec<Entry>) -> Self {
        added.sort_unstable();
        removed.sort_unstable();
        let entries = (self.entries + added.len()).saturating_sub(removed.len());
        let mut shards = self.shards.to_vec();
        let (mut added, mut removed) = (added.as_slice(), removed.as_slice());
        loop {
            let next = [added.first(), removed.first()].into_iter().flatten().min();
            let Some(number) = next.map(|(hash, _)| shard_of(*hash)) else {
                break;
            };
            let (more, less) = (
                take_shard(&mut added, number),
                take_shard(&mut removed, number),
            );
            if let Some(shard) = shards.get_mut(number) {
                *shard = Arc::new(shard.changed(more, less));
            }
        }
        Self {
            hasher: self.hasher.clone(),
            shards: shards.into(),
            entries,
        }
    }

    /// Returns an index without the entries of a list.
    pub(crate) fn without(&self, list: ListId) -> Self {
        let mut shards = self.shards.to_vec();
        for shard in shards
            .iter_mut()
            .filter(|shard| shard.lists.contains(&list))
        {
            *shard = Arc::new(shard.without(list));
        }
        Self {
            hasher: self.hasher.clone(),
            entries: shards.iter().map(|shard| shard.hashes.len()).sum(),
            shards: shards.into(),
        }
    }

    /// Returns the number of entries in all lists.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Returns the memory in bytes that the index takes, without the allocator's overhead.
    pub(crate) fn bytes(&self) -> usize {
        let shard = size_of::<Arc<Shard>>() + size_of::<Shard>();
        let entry = size_of::<u64>() + size_of::<ListId>();
        self.shards.len() * shard + self.entries * entry
    }
}

fn shard_of(hash: u64) -> usize {
    (hash >> (u64::BITS - SHARD_BITS)) as usize
}

/// Takes the entries of a shard from the front of sorted ones.
fn take_shard<'a>(entries: &mut &'a [Entry], shard: usize) -> &'a [Entry] {
    let count = entries.partition_point(|(hash, _)| shard_of(*hash) <= shard);
    let (of_shard, rest) = entries.split_at(count);
    *entries = rest;
    of_shard
}

impl Shard {
    fn changed(&self, added: &[Entry], removed: &[Entry]) -> Self {
        let before = (self.hashes.iter().copied()).zip(self.lists.iter().copied());
        let mut removed = removed.iter().peekable();
        let kept = before.filter(|entry| {
            while removed.next_if(|gone| *gone < entry).is_some() {}
            removed.next_if(|gone| *gone == entry).is_none()
        });
        let mut entries: Vec<Entry> = kept.chain(added.iter().copied()).collect();
        entries.sort_unstable();
        entries.into_iter().collect()
    }

    fn without(&self, list: ListId) -> Self {
        let entries = (self.hashes.iter().copied()).zip(self.lists.iter().copied());
        entries.filter(|(_, of)| *of != list).collect()
    }
}

/// From entries in order.
impl FromIterator<Entry> for Shard {
    fn from_iter<T: IntoIterator<Item = Entry>>(entries: T) -> Self {
        let (hashes, lists): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        Self {
            hashes: hashes.into(),
            lists: lists.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Hashes that collide: in one shard, and equal ones.
    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let hash = prop_oneof![0..4_u64, (0..4_u64).prop_map(|n| n << 60), any::<u64>()];
        proptest::collection::vec((hash, 0..3_u32), 0..40)
    }

    proptest! {
        #[test]
        fn index_holds_exactly_what_was_added_and_not_removed(steps in proptest::collection::vec((entries(), any::<u8>()), 1..6)) {
            let mut index = PartnerIndex::empty();
            let mut model: BTreeMap<Entry, usize> = BTreeMap::new();
            for (added, every) in steps {
                let mut removed = Vec::new();
                for (number, (entry, count)) in model.iter_mut().enumerate() {
                    if *count > 0 && number % (usize::from(every) % 4 + 1) == 0 {
                        *count -= 1;
                        removed.push(*entry);
                    }
                }
                index = index.changed(added.clone(), removed);
                for entry in added {
                    *model.entry(entry).or_default() += 1;
                }
                for (hash, _) in model.keys() {
                    let of_hash = model.range((*hash, 0)..=(*hash, ListId::MAX));
                    let expected: Vec<_> = of_hash
                        .flat_map(|((_, list), count)| std::iter::repeat_n(*list, *count))
                        .collect();
                    prop_assert_eq!(index.lists(*hash), expected);
                }
                prop_assert_eq!(index.entries(), model.values().sum::<usize>());
            }
        }
    }

    #[test]
    fn a_change_leaves_other_shards_as_they_are() {
        let index = PartnerIndex::empty();
        let many = (0..100_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1));
        let index = index.changed(many.collect(), Vec::new());
        let changed = index.changed(vec![(7, 2)], Vec::new());
        let pairs = index.shards.iter().zip(changed.shards.iter());
        let anew = pairs.filter(|(one, two)| !Arc::ptr_eq(one, two)).count();
        assert_eq!(anew, 1);
        assert_eq!(changed.entries(), 100_001);
    }
}
