//! Look-up of partner addresses for sessions.

use std::{collections::BTreeMap, sync::Arc};

use gatepost_message::{Address, CanonicalAddress, Separators};
use rusqlite::Connection;

use crate::{
    AccountId, Agreement, DirectoryError, Partner, PartnerEntry, PartnerList, PartnerSource,
    Recipient, View,
    partner_index::{ListId, PartnerIndex},
    rows,
};

/// All lists of partners with their entries. A clone shares the data.
#[derive(Debug, Clone)]
pub(crate) struct Partners {
    pub(crate) index: PartnerIndex,
    pub(crate) lists: Arc<BTreeMap<ListId, PartnerList>>,
}

impl Partners {
    pub(crate) fn empty() -> Self {
        Self {
            index: PartnerIndex::empty(),
            lists: Arc::default(),
        }
    }

    pub(crate) fn read(
        connection: &Connection,
        separators: &Separators,
    ) -> Result<Self, DirectoryError> {
        let lists = read_lists(connection)?;
        let index = PartnerIndex::empty();
        let mut added = Vec::new();
        let mut select = connection.prepare("SELECT list, entry FROM partners")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (list, entry): (ListId, String) = (row.get(0)?, row.get(1)?);
            let account = lists.get(&list).map(|list| list.account);
            let damaged = || DirectoryError::Damaged(format!("partner {entry}"));
            let account = account.ok_or_else(damaged)?;
            let key = entry.parse::<PartnerEntry>().map_err(|_| damaged())?;
            added.push((index.hash(account, &key.key(separators)), list));
        }
        Ok(Self {
            index: index.changed(added, Vec::new()),
            lists: Arc::new(lists),
        })
    }
}

pub(crate) fn read_lists(
    connection: &Connection,
) -> rusqlite::Result<BTreeMap<ListId, PartnerList>> {
    let lists = rows::partner_lists(connection)?.into_iter();
    Ok(lists.map(|list| (list.id, list)).collect())
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
        let core = &self.core;
        let canonical = CanonicalAddress::of(address, &core.separators);
        let mut found = Vec::new();
        let owner = core.shared.get(&canonical);
        if let Some(owner) = owner.filter(|owner| core.sharing.contains(&(account, **owner))) {
            found.push(Partner {
                by_domain: false,
                source: PartnerSource::Agreement(*owner),
            });
        }
        let text = canonical.as_str();
        let domain = text.rfind('@').map_or("", |at| &text[at..]);
        for (key, by_domain) in [(text, false), (domain, true)] {
            let hash = self.partners.index.hash(account, key);
            for list in self.partners.index.lists(hash) {
                let source = self.partners.lists.get(list);
                let source = source.map(|list| list.source.clone());
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
        CanonicalAddress::of(address, &self.core.separators)
    }

    /// Returns the addresses that are partners of an account by agreements, each with its account.
    pub fn shared_with(&self, account: AccountId) -> Vec<(&CanonicalAddress, AccountId)> {
        let core = &self.core;
        let shares = |owner: &AccountId| core.sharing.contains(&(account, *owner));
        let shared = core.shared.iter().filter(|(_, owner)| shares(owner));
        let mut shared: Vec<_> = shared.map(|(address, owner)| (address, *owner)).collect();
        shared.sort();
        shared
    }

    /// Returns the sharing agreements, oldest first.
    pub fn agreements(&self) -> &[Agreement] {
        &self.core.agreements
    }

    /// Returns all lists of partner addresses.
    pub fn partner_lists(&self) -> impl Iterator<Item = &PartnerList> {
        self.partners.lists.values()
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
