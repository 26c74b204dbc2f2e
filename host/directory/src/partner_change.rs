//! Changes to partners: agreements, entries, imports and feeds.

use std::{sync::Arc, time::Duration};

use gatepost_message::{Address, Millis, Separators};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Agreement, Directory, DirectoryError, ListChange, PartnerEntry, PartnerList,
    PartnerSource, Recipient, Refusal, View,
    change::{account_kind, refuse, unknown},
    partner_index::{Entry, ListId},
    partner_view::{self, Partners},
    rows::stored,
};

type Result<T> = std::result::Result<T, DirectoryError>;

/// Id of an import that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImportId(u64);

impl ImportId {
    fn stored(self) -> i64 {
        self.0.cast_signed()
    }
}

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

/// Temporary tables: the imports that have begun, one an account, and their entries before they are
/// put into a list. They vanish when the directory is closed.
const IMPORT_TABLES: &str = "
    CREATE TEMP TABLE IF NOT EXISTS imports (
        account TEXT PRIMARY KEY, import INTEGER NOT NULL UNIQUE
    ) STRICT;
    CREATE TEMP TABLE IF NOT EXISTS incoming (
        import INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (import, entry)
    ) STRICT, WITHOUT ROWID;";

impl Directory {
    /// Makes a sharing agreement between two accounts: from now on all support addresses of each
    /// are partner addresses of the other.
    ///
    /// # Errors
    /// One of the accounts does not exist, they are one and the same or share already, or the store
    /// failed.
    pub fn add_agreement(&self, account: AccountId, partner: AccountId) -> Result<Agreement> {
        let (one, other) = (account.min(partner), account.max(partner));
        let created = Millis::now();
        self.change(|change, _| {
            if one == other {
                return refuse(Refusal::SharesWithItself(one));
            }
            for account in [account, partner] {
                account_kind(change, account)?;
            }
            let insert =
                "INSERT OR IGNORE INTO agreements (one, other, created) VALUES (?1, ?2, ?3)";
            let made = (one.to_string(), other.to_string(), stored(created));
            match change.execute(insert, made)? {
                0 => refuse(Refusal::Shares { one, other }),
                _ => Ok(()),
            }
        })?;
        Ok(Agreement {
            one,
            other,
            created,
        })
    }

    /// Ends a sharing agreement.
    ///
    /// # Errors
    /// They have none, or the store failed.
    pub fn remove_agreement(&self, account: AccountId, partner: AccountId) -> Result<()> {
        let (one, other) = (account.min(partner), account.max(partner));
        self.change(|change, _| {
            let delete = "DELETE FROM agreements WHERE one = ?1 AND other = ?2";
            match change.execute(delete, (one.to_string(), other.to_string()))? {
                0 => refuse(Refusal::SharesNot { one, other }),
                _ => Ok(()),
            }
        })
    }

    /// Adds an entry by hand. Returns false if it was there already.
    ///
    /// # Errors
    /// There is no such account, the address or domain is its own, or the store failed.
    pub fn add_partner(&self, account: AccountId, entry: &PartnerEntry) -> Result<bool> {
        self.change_partners(|change, view| {
            account_kind(change, account)?;
            if is_own(view, account, entry) {
                let entry = entry.clone();
                return refuse(Refusal::OwnAddress { entry, account });
            }
            let list = list_id(change, account, &PartnerSource::ByHand)?;
            let insert = "INSERT OR IGNORE INTO partners (list, entry, added) VALUES (?1, ?2, ?3)";
            let added = (list, entry.to_string(), stored(Millis::now()));
            let is_new = change.execute(insert, added)? > 0;
            let added = is_new.then_some(entry.clone()).into_iter();
            let delta = Delta::default().with(view, account, list, added.collect(), Vec::new());
            Ok((is_new, delta.applied(change, view)?))
        })
    }

    /// Removes an entry from all lists of the account that were made by hand or imported.
    ///
    /// # Errors
    /// The account has the entry in none of these lists, or the store failed.
    pub fn remove_partner(&self, account: AccountId, entry: &PartnerEntry) -> Result<()> {
        self.change_partners(|change, view| {
            account_kind(change, account)?;
            let mut delta = Delta::default();
            for list in view.partner_lists() {
                let is_feed = list.feed.is_some();
                if list.account != account || is_feed {
                    continue;
                }
                let delete = "DELETE FROM partners WHERE list = ?1 AND entry = ?2";
                if change.execute(delete, (list.id, entry.to_string()))? > 0 {
                    let gone = vec![entry.clone()];
                    delta = delta.with(view, account, list.id, Vec::new(), gone);
                }
            }
            if delta.removed.is_empty() {
                let address = match entry {
                    PartnerEntry::Address(address) => Some(address),
                    PartnerEntry::Domain(_) => None,
                };
                let partner = address.and_then(|address| view.partner(account, address));
                return refuse(Refusal::NoPartner {
                    entry: entry.clone(),
                    account,
                    by: partner.map(|partner| partner.source),
                });
            }
            remove_empty_lists(change)?;
            Ok(((), delta.applied(change, view)?))
        })
    }

    /// Removes a list with all its entries. Returns their number.
    ///
    /// # Errors
    /// The account has no such list, or the store failed.
    pub fn remove_partner_list(&self, account: AccountId, source: &PartnerSource) -> Result<usize> {
        self.change_partners(|change, view| {
            account_kind(change, account)?;
            let list = find_list(view, account, source)?.id;
            let entries =
                select_entries(change, "SELECT entry FROM partners WHERE list = ?1", [list])?;
            let count = entries.len();
            change.execute("DELETE FROM partner_lists WHERE id = ?1", [list])?;
            let delta = Delta::default().with(view, account, list, Vec::new(), entries);
            Ok((count, delta.applied(change, view)?))
        })
    }

    /// Begins an import. An account has at most one at a time; its entries take effect when it is
    /// [finished](Self::finish_import).
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn begin_import(&self, account: AccountId) -> Result<ImportId> {
        self.change_partners(|change, view| {
            account_kind(change, account)?;
            change.execute_batch(IMPORT_TABLES)?;
            let random = ImportId(u64::from_be_bytes(crate::random::bytes()?));
            // An abandoned import of the account is dropped.
            let account = account.to_string();
            let before = "DELETE FROM incoming WHERE import IN
                 (SELECT import FROM imports WHERE account = ?1)";
            change.execute(before, [&account])?;
            let begin = "INSERT OR REPLACE INTO imports (account, import) VALUES (?1, ?2)";
            change.execute(begin, (account, random.stored()))?;
            Ok((random, view.partners.clone()))
        })
    }

    /// Adds entries to an import.
    ///
    /// # Errors
    /// The import has ended, or the store failed.
    pub fn add_to_import(&self, import: ImportId, entries: &[PartnerEntry]) -> Result<()> {
        self.change_partners(|change, view| {
            require_begun(change, import)?;
            stage(change, import, entries)?;
            Ok(((), view.partners.clone()))
        })
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
        self.change_partners(|change, view| {
            account_kind(change, account)?;
            require_begun(change, import)?;
            let source = PartnerSource::Import(name.to_owned());
            let list = list_id(change, account, &source)?;
            let (came, delta) = move_staged(change, view, account, list, import, replace)?;
            remove_empty_lists(change)?;
            Ok((came, delta.applied(change, view)?))
        })
    }

    /// Drops an import.
    ///
    /// # Errors
    /// The store failed.
    pub fn abandon_import(&self, import: ImportId) -> Result<()> {
        self.change_partners(|change, view| {
            change.execute_batch(IMPORT_TABLES)?;
            unstage(change, import)?;
            Ok(((), view.partners.clone()))
        })
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
        self.change_partners(|change, view| {
            account_kind(change, account)?;
            let source = PartnerSource::Feed(url.to_owned());
            let list = list_id(change, account, &source)?;
            let seconds = u32::try_from(every.as_secs()).unwrap_or(u32::MAX);
            change.execute(
                "UPDATE partner_lists SET every_seconds = ?2, domains = ?3, validator = NULL,
                        tried = NULL WHERE id = ?1",
                (list, seconds, domains),
            )?;
            let partners = Delta::default().applied(change, view)?;
            let made = partners.lists.get(&list).cloned();
            Ok((made.ok_or_else(|| unknown("feed", url))?, partners))
        })
    }

    /// Records the result of an attempt to fetch a feed. New entries replace the former ones.
    ///
    /// # Errors
    /// The feed does not exist any more, or the store failed.
    pub fn feed_tried(&self, feed: u32, fetched: Fetched, now: Millis) -> Result<ListChange> {
        self.change_partners(|change, view| {
            let known = view.partners.lists.get(&feed);
            let known = known.filter(|list| list.feed.is_some());
            let account = known.ok_or_else(|| unknown("feed", feed))?.account;
            let now = stored(now);
            let (came, delta) = match fetched {
                Fetched::Entries { entries, validator } => {
                    change.execute_batch(IMPORT_TABLES)?;
                    let import = ImportId(u64::from(feed));
                    unstage(change, import)?;
                    stage(change, import, &entries)?;
                    change.execute(
                        "UPDATE partner_lists SET validator = ?2, tried = ?3, fetched = ?3,
                                problem = NULL WHERE id = ?1",
                        params![feed, validator, now],
                    )?;
                    move_staged(change, view, account, feed, import, true)?
                }
                Fetched::Unchanged => {
                    change.execute(
                        "UPDATE partner_lists SET tried = ?2, fetched = ?2, problem = NULL
                         WHERE id = ?1",
                        (feed, now),
                    )?;
                    let entries = count_entries(change, feed)?;
                    let same = ListChange {
                        entries,
                        ..ListChange::default()
                    };
                    (same, Delta::default())
                }
                Fetched::Failed(problem) => {
                    change.execute(
                        "UPDATE partner_lists SET tried = ?2, problem = ?3 WHERE id = ?1",
                        (feed, now, problem),
                    )?;
                    (ListChange::default(), Delta::default())
                }
            };
            Ok((came, delta.applied(change, view)?))
        })
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
        let store = self.store();
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let select = "SELECT entry FROM partners WHERE list = ?1 AND entry > ?2
             ORDER BY entry LIMIT ?3";
        select_entries(
            store.connection(),
            select,
            (list, after.unwrap_or_default(), limit),
        )
    }
}

/// Changes to the index.
#[derive(Default)]
struct Delta {
    added: Vec<Entry>,
    removed: Vec<Entry>,
}

impl Delta {
    fn with(
        mut self,
        view: &View,
        account: AccountId,
        list: ListId,
        added: Vec<PartnerEntry>,
        removed: Vec<PartnerEntry>,
    ) -> Self {
        let separators: &Separators = &view.core.separators;
        let index = &view.partners.index;
        let entry = |entry: PartnerEntry| (index.hash(account, &entry.key(separators)), list);
        self.added.extend(added.into_iter().map(entry));
        self.removed.extend(removed.into_iter().map(entry));
        self
    }

    /// Returns the partners of a view with these changes, and with the lists read from the store.
    fn applied(self, change: &Connection, view: &View) -> Result<Partners> {
        let before = &view.partners.index;
        let index = match self.added.is_empty() && self.removed.is_empty() {
            true => before.clone(),
            false => before.changed(self.added, self.removed),
        };
        Ok(Partners {
            index,
            lists: Arc::new(partner_view::read_lists(change)?),
        })
    }
}

fn is_own(view: &View, account: AccountId, entry: &PartnerEntry) -> bool {
    let is_of = |address: &Address| matches!(view.recipient(address), Recipient::Of(of) if of.account == account);
    match entry {
        PartnerEntry::Address(address) => is_of(address),
        PartnerEntry::Domain(domain) => {
            let of = view.domain(domain.as_ascii());
            of.is_some_and(|of| of.account == account)
        }
    }
}

/// Returns the id of the account's list of this source; creates the list if there is none.
fn list_id(change: &Connection, account: AccountId, source: &PartnerSource) -> Result<ListId> {
    let (kind, name) = source.list().ok_or_else(|| unknown("list", source))?;
    let account = account.to_string();
    let insert = "INSERT OR IGNORE INTO partner_lists (account, kind, name, created)
         VALUES (?1, ?2, ?3, ?4)";
    change.execute(insert, (&account, kind, name, stored(Millis::now())))?;
    let select = "SELECT id FROM partner_lists WHERE account = ?1 AND kind = ?2 AND name = ?3";
    let id = change.query_row(select, (&account, kind, name), |row| row.get(0));
    Ok(id?)
}

fn find_list<'a>(
    view: &'a View,
    account: AccountId,
    source: &PartnerSource,
) -> Result<&'a PartnerList> {
    let mut lists = view.partner_lists();
    let list = lists.find(|list| list.account == account && list.source == *source);
    Ok(list.ok_or_else(|| Refusal::NoPartnerList {
        account,
        list: source.clone(),
    })?)
}

/// Deletes lists without entries, except feeds.
fn remove_empty_lists(change: &Connection) -> rusqlite::Result<()> {
    let delete = "DELETE FROM partner_lists WHERE kind <> 'feed'
         AND NOT EXISTS (SELECT 1 FROM partners WHERE list = id)";
    change.execute(delete, []).map(drop)
}

fn select_entries(
    connection: &Connection,
    select: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<PartnerEntry>> {
    let mut select = connection.prepare_cached(select)?;
    let rows = select.query_map(values, |row| row.get::<_, String>(0))?;
    let entries = rows.map(|entry| {
        let entry = entry?;
        let damaged = |_| DirectoryError::Damaged(format!("partner {entry}"));
        entry.parse().map_err(damaged)
    });
    entries.collect()
}

/// Returns the number of entries in a list.
fn count_entries(change: &Connection, list: ListId) -> rusqlite::Result<usize> {
    let count = "SELECT count(*) FROM partners WHERE list = ?1";
    let length: u32 = change.query_row(count, [list], |row| row.get(0))?;
    Ok(length as usize)
}

fn stage(change: &Connection, import: ImportId, entries: &[PartnerEntry]) -> Result<()> {
    let insert = "INSERT OR IGNORE INTO incoming (import, entry) VALUES (?1, ?2)";
    let mut insert = change.prepare_cached(insert)?;
    for entry in entries {
        insert.execute((import.stored(), entry.to_string()))?;
    }
    Ok(())
}

fn unstage(change: &Connection, import: ImportId) -> rusqlite::Result<()> {
    for table in ["incoming", "imports"] {
        let delete = format!("DELETE FROM {table} WHERE import = ?1");
        change.execute(&delete, [import.stored()])?;
    }
    Ok(())
}

/// Returns an error unless the import has begun and not ended.
fn require_begun(change: &Connection, import: ImportId) -> Result<()> {
    change.execute_batch(IMPORT_TABLES)?;
    let select = "SELECT EXISTS (SELECT 1 FROM imports WHERE import = ?1)";
    match change.query_row(select, [import.stored()], |row| row.get(0))? {
        true => Ok(()),
        false => refuse(Refusal::NoImport),
    }
}

/// Moves staged entries into a list, in addition to its entries or in their place.
fn move_staged(
    change: &Connection,
    view: &View,
    account: AccountId,
    list: ListId,
    import: ImportId,
    replace: bool,
) -> Result<(ListChange, Delta)> {
    let import_id = import.stored();
    let mut gone = Vec::new();
    if replace {
        let absent = "FROM partners WHERE list = ?1 AND NOT EXISTS
             (SELECT 1 FROM incoming i WHERE i.import = ?2 AND i.entry = partners.entry)";
        gone = select_entries(change, &format!("SELECT entry {absent}"), (list, import_id))?;
        change.execute(&format!("DELETE {absent}"), (list, import_id))?;
    }
    let fresh = "SELECT entry FROM incoming WHERE import = ?2 AND NOT EXISTS
         (SELECT 1 FROM partners p WHERE p.list = ?1 AND p.entry = incoming.entry)";
    let new = select_entries(change, fresh, (list, import_id))?;
    change.execute(
        "INSERT OR IGNORE INTO partners (list, entry, added)
         SELECT ?1, entry, ?3 FROM incoming WHERE import = ?2",
        (list, import_id, stored(Millis::now())),
    )?;
    unstage(change, import)?;
    let came = ListChange {
        added: new.len(),
        removed: gone.len(),
        entries: count_entries(change, list)?,
    };
    let delta = Delta::default().with(view, account, list, new, gone);
    Ok((came, delta))
}
