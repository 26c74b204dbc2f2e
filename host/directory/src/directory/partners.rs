//! Changes to partners: agreements, entries, imports and feeds.

use std::time::Duration;

use gatepost_message::Millis;

use crate::{
    AccountId, Agreement, Directory, DirectoryError, ImportId, ListChange, PartnerEntry,
    PartnerList, PartnerSource, Refusal,
    rules::{self, partner::ListDifference},
    shared::LockedState,
    store::each_page,
};

type Result<T> = std::result::Result<T, DirectoryError>;

/// Result of an attempt to fetch a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// New contents, with the server's name of this version.
    Entries {
        /// Entries of the list.
        entries: Vec<PartnerEntry>,
        /// Entity tag of the response.
        validator: Option<String>,
    },
    /// The list has not changed.
    Unchanged,
    /// The fetch failed, for this reason.
    Failed(String),
}

impl Directory {
    /// Makes a sharing agreement between two accounts: from now on all support addresses of each
    /// are partner addresses of the other.
    ///
    /// # Errors
    /// One of the accounts does not exist, they are one and the same or share already, or the store
    /// failed.
    pub fn add_agreement(&self, account: AccountId, partner: AccountId) -> Result<Agreement> {
        let now = Millis::now();
        self.change(|view, _| rules::agreement::add(view, account, partner, now))
    }

    /// Ends a sharing agreement.
    ///
    /// # Errors
    /// They have none, or the store failed.
    pub fn remove_agreement(&self, account: AccountId, partner: AccountId) -> Result<()> {
        self.change(|view, _| rules::agreement::remove(view, account, partner))
    }

    /// Adds an entry by hand. Returns false if it was there already.
    ///
    /// # Errors
    /// There is no such account, the address or domain is its own, or the store failed.
    pub fn add_partner(&self, account: AccountId, entry: &PartnerEntry) -> Result<bool> {
        self.change(|view, state| {
            let list = rules::partner::find_list(view, account, &PartnerSource::ByHand);
            let is_listed = match list {
                Some(list) => state.store.contains(list.id, entry)?,
                None => false,
            };
            let added = rules::partner::add(view, account, entry, is_listed, Millis::now());
            Ok::<_, DirectoryError>(added?)
        })
    }

    /// Removes an entry from all lists of the account that were made by hand or imported.
    ///
    /// # Errors
    /// The account has the entry in none of these lists, or the store failed.
    pub fn remove_partner(&self, account: AccountId, entry: &PartnerEntry) -> Result<()> {
        self.change(|view, state| {
            let mut listed = Vec::new();
            for list in view.lists_of(account).filter(|list| list.feed.is_none()) {
                if state.store.contains(list.id, entry)? {
                    listed.push(list.id);
                }
            }
            let removed = rules::partner::remove(view, account, entry, &listed, Millis::now());
            Ok::<_, DirectoryError>(removed?)
        })
    }

    /// Removes a list with all its entries. Returns their number.
    ///
    /// # Errors
    /// The account has no such list, or the store failed.
    pub fn remove_partner_list(&self, account: AccountId, source: &PartnerSource) -> Result<usize> {
        self.change(|view, _| rules::partner::remove_list(view, account, source))
    }

    /// Begins an import. An account has at most one at a time; its entries take effect when it is
    /// [finished](Self::finish_import).
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn begin_import(&self, account: AccountId) -> Result<ImportId> {
        self.change(|view, state| {
            rules::partner::begin_import(view, account)?;
            Ok::<_, DirectoryError>((state.staging.begin(account)?, Vec::new()))
        })
    }

    /// Returns true if the import is one of the account that has begun and not ended.
    ///
    /// # Errors
    /// The store failed.
    pub fn is_import_of(&self, account: AccountId, import: ImportId) -> Result<bool> {
        self.shared.lock().staging.is_of(account, import)
    }

    /// Adds entries to an import.
    ///
    /// # Errors
    /// The import has ended, or the store failed.
    pub fn add_to_import(&self, import: ImportId, entries: &[PartnerEntry]) -> Result<()> {
        let mut state = self.shared.lock();
        require_begun(&mut state, import)?;
        state.staging.add(import, entries)
    }

    /// Moves the entries of an import into the account's list of this name, in addition to its
    /// entries or, with `replace`, in their place.
    ///
    /// # Errors
    /// There is no such account, the import has ended, or the store failed.
    pub fn finish_import(
        &self,
        import: ImportId,
        account: AccountId,
        name: &str,
        replace: bool,
    ) -> Result<ListChange> {
        let source = PartnerSource::Import(name.to_owned());
        let change = self.change(|view, state| {
            rules::partner::begin_import(view, account)?;
            require_begun(state, import)?;
            let list = rules::partner::find_list(view, account, &source);
            let difference = difference(state, import, list.map(|list| list.id), replace)?;
            let now = Millis::now();
            let came = rules::partner::finish_import(view, account, source, difference, now);
            Ok::<_, DirectoryError>(came?)
        })?;
        self.end_import(import);
        Ok(change)
    }

    /// Drops an import.
    ///
    /// # Errors
    /// The store failed.
    pub fn abandon_import(&self, import: ImportId) -> Result<()> {
        self.shared.lock().staging.end(import)
    }

    /// Adds a feed, which is fetched at an interval. Changes the settings of an existing one, and
    /// fetches it again.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn set_feed(
        &self,
        account: AccountId,
        url: &str,
        every: Duration,
        domains: bool,
    ) -> Result<PartnerList> {
        let now = Millis::now();
        self.change(|view, _| rules::partner::set_feed(view, account, url, every, domains, now))
    }

    /// Records the result of an attempt to fetch a feed. New entries replace the former ones.
    ///
    /// # Errors
    /// The feed does not exist any more, or the store failed.
    pub fn feed_tried(&self, feed: u32, fetched: Fetched, now: Millis) -> Result<ListChange> {
        let import = ImportId::of_feed(feed);
        let change = self.change(|view, state| {
            let difference = match &fetched {
                Fetched::Entries { entries, .. } if view.partner_list(feed).is_some() => {
                    state.staging.end(import)?;
                    state.staging.add(import, entries)?;
                    difference(state, import, Some(feed), true)?
                }
                _ => ListDifference::default(),
            };
            let tried = rules::partner::feed_tried(view, feed, fetched, difference, now);
            Ok::<_, DirectoryError>(tried?)
        })?;
        self.end_import(import);
        Ok(change)
    }

    /// Returns at most `limit` entries of a list in the order of their texts, beginning after
    /// `after`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn partner_entries(
        &self,
        list: u32,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PartnerEntry>> {
        let state = self.shared.lock();
        state.store.entries(list, after.unwrap_or_default(), limit)
    }

    /// Drops the entries of an import that is in its list.
    fn end_import(&self, import: ImportId) {
        if let Err(error) = self.shared.lock().staging.end(import) {
            tracing::warn!(
                %error,
                "entries of an import that has ended take up space until the next start"
            );
        }
    }
}

/// Returns an error unless the import has begun and not ended.
fn require_begun(state: &mut LockedState, import: ImportId) -> Result<()> {
    match state.staging.has_begun(import)? {
        true => Ok(()),
        false => Err(Refusal::NoImport.into()),
    }
}

/// Compares an import with a list, which may be a new one.
fn difference(
    state: &mut LockedState,
    import: ImportId,
    list: Option<u32>,
    replace: bool,
) -> Result<ListDifference> {
    let LockedState { store, staging, .. } = state;
    let added = staging.entries(import, |entry| match list {
        Some(list) => Ok(!store.contains(list, entry)?),
        None => Ok(true),
    })?;
    let mut removed = Vec::new();
    if let Some(list) = list.filter(|_| replace) {
        each_page(&**store, list, |page| {
            for entry in page {
                if !staging.contains(import, &entry)? {
                    removed.push(entry);
                }
            }
            Ok(())
        })?;
    }
    Ok(ListDifference { added, removed })
}
