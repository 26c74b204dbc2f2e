//! Partners in a view.

use std::sync::Arc;

use gatepost_message::{Address, CanonicalAddress, Separators};
use rpds::RedBlackTreeMapSync as OrderedMap;

use super::partner_index::{Entry, ListId, PartnerIndex};
use crate::{
    AccountId, Agreement, Destination, Partner, PartnerEntry, PartnerList, PartnerSource,
    Recipient, View,
};

/// All lists of partners with their entries. A clone shares the data.
#[derive(Debug, Clone)]
pub(super) struct Partners {
    pub(super) index: PartnerIndex,
    pub(super) lists: OrderedMap<ListId, Arc<ListEntry>>,
    /// Greatest id that a list ever had.
    pub(super) last_list: ListId,
}

/// List of partners with the number of its entries.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ListEntry {
    list: PartnerList,
    entries: usize,
}

/// Equal if they have the same lists with as many entries: the hashes of entries depend on a key.
impl PartialEq for Partners {
    fn eq(&self, other: &Self) -> bool {
        self.lists == other.lists
            && self.last_list == other.last_list
            && self.index.entries() == other.index.entries()
    }
}

impl Partners {
    pub(super) fn empty() -> Self {
        Self {
            index: PartnerIndex::empty(),
            lists: OrderedMap::new_sync(),
            last_list: 0,
        }
    }

    /// Puts a list, which keeps its entries if it is there.
    pub(super) fn put(&mut self, list: &PartnerList) {
        let entries = self.lists.get(&list.id).map_or(0, |before| before.entries);
        let list = list.clone();
        self.last_list = self.last_list.max(list.id);
        let entry = ListEntry { list, entries };
        self.lists.insert_mut(entry.list.id, Arc::new(entry));
    }

    /// Removes a list with its entries.
    pub(super) fn remove(&mut self, list: ListId) {
        if self.lists.get(&list).is_some_and(|of| of.entries > 0) {
            self.index = self.index.without(list);
        }
        self.lists.remove_mut(&list);
    }

    /// Adds entries that a list does not have.
    pub(super) fn add(&mut self, list: ListId, new: &[PartnerEntry], separators: &Separators) {
        if let Some(ListEntry { list, entries }) = self.lists.get(&list).map(|of| &**of).cloned() {
            let hashes = self.hashed(&list, new, separators).collect();
            self.index = self.index.changed(hashes, Vec::new());
            self.set_count(list.id, entries + new.len());
        }
    }

    /// Removes entries that a list has.
    pub(super) fn take(&mut self, list: ListId, gone: &[PartnerEntry], separators: &Separators) {
        if let Some(ListEntry { list, entries }) = self.lists.get(&list).map(|of| &**of).cloned() {
            let hashes = self.hashed(&list, gone, separators).collect();
            self.index = self.index.changed(Vec::new(), hashes);
            self.set_count(list.id, entries.saturating_sub(gone.len()));
        }
    }

    pub(super) fn set_count(&mut self, list: ListId, entries: usize) {
        if let Some(entry) = self.lists.get_mut(&list) {
            Arc::make_mut(entry).entries = entries;
        }
    }

    /// Returns entries of a list as the index has them.
    pub(super) fn hashed<'a>(
        &'a self,
        list: &'a PartnerList,
        entries: &'a [PartnerEntry],
        separators: &'a Separators,
    ) -> impl Iterator<Item = Entry> + 'a {
        let hash = |entry: &PartnerEntry| self.index.hash(list.account, &entry.key(separators));
        entries.iter().map(move |entry| (hash(entry), list.id))
    }
}

impl View {
    /// Returns the first source by which an address is a partner of this account. An entry for the
    /// address precedes one for its domain, and an agreement precedes lists. An address at which
    /// the account itself receives is never a partner.
    pub fn partner(&self, account: AccountId, address: &Address) -> Option<Partner> {
        self.partners(account, address).into_iter().next()
    }

    /// Returns all sources by which an address is a partner of this account, in the order of
    /// [`View::partner`].
    pub fn partners(&self, account: AccountId, address: &Address) -> Vec<Partner> {
        let canonical = self.canonical(address);
        let mut found = Vec::new();
        let owners = self
            .shared
            .get(&canonical)
            .into_iter()
            .flat_map(|all| all.iter());
        for owner in owners {
            if self.receives(*owner) && self.shares(account, owner.account) {
                found.push(Partner {
                    by_domain: false,
                    source: PartnerSource::Agreement(owner.account),
                });
            }
        }
        let text = canonical.as_str();
        let domain = text.rfind('@').map_or("", |at| &text[at..]);
        for (key, by_domain) in [(text, false), (domain, true)] {
            let hash = self.partners.index.hash(account, key);
            for list in self.partners.index.lists(hash) {
                let source = self.partners.lists.get(list);
                let source = source.map(|of| of.list.source.clone());
                found.extend(source.map(|source| Partner { by_domain, source }));
            }
        }
        if found.is_empty() {
            return found;
        }
        if matches!(self.recipient(address), Recipient::Of(of) if of.account == account) {
            return Vec::new();
        }
        found.sort_by(|one, two| (one.by_domain, &one.source).cmp(&(two.by_domain, &two.source)));
        found.dedup();
        found
    }

    /// Returns the canonical form in which partner addresses are compared.
    pub fn canonical(&self, address: &Address) -> CanonicalAddress {
        CanonicalAddress::of(address, &self.terms.separators)
    }

    /// Returns the addresses that are partners of an account by agreements, each with its account.
    pub fn shared_with(&self, account: AccountId) -> Vec<(&CanonicalAddress, AccountId)> {
        let owner = |of: &Destination| {
            let shares = self.shares(account, of.account) && self.receives(*of);
            shares.then_some(of.account)
        };
        let shared = self.shared.iter();
        let shared = shared.filter_map(|(form, all)| Some((form, all.iter().find_map(owner)?)));
        let mut shared: Vec<_> = shared.collect();
        shared.sort();
        shared
    }

    /// Returns the sharing agreements, oldest first.
    pub fn agreements(&self) -> &[Agreement] {
        &self.agreements
    }

    /// Returns true if two accounts have an agreement.
    pub(crate) fn shares(&self, one: AccountId, other: AccountId) -> bool {
        let holdings = self.holdings(one);
        holdings.is_some_and(|of| of.partners.binary_search(&other).is_ok())
    }

    /// Returns all lists of partner addresses.
    pub fn partner_lists(&self) -> impl Iterator<Item = &PartnerList> {
        self.partners.lists.values().map(|of| &of.list)
    }

    /// Returns a list by its id.
    pub(crate) fn partner_list(&self, list: ListId) -> Option<&PartnerList> {
        self.partners.lists.get(&list).map(|of| &of.list)
    }

    /// Returns the lists of an account.
    pub(crate) fn lists_of(&self, account: AccountId) -> impl Iterator<Item = &PartnerList> {
        let lists = self.holdings(account).into_iter().flat_map(|of| &of.lists);
        lists.filter_map(|list| self.partner_list(*list))
    }

    /// Returns the number of entries in a list.
    pub(crate) fn entries_of(&self, list: ListId) -> usize {
        self.partners.lists.get(&list).map_or(0, |of| of.entries)
    }

    /// Returns an id that no list ever had.
    pub(crate) fn next_list(&self) -> ListId {
        self.partners.last_list.saturating_add(1)
    }

    /// Returns the number of entries in all lists.
    pub fn partner_entries(&self) -> usize {
        self.partners.index.entries()
    }

    /// Returns the memory that the index of partner addresses takes, in bytes.
    pub fn partner_bytes(&self) -> usize {
        self.partners.index.bytes()
    }
}
