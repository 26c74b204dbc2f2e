//! Keys of a ledger, as hashes in memory: a key that is not among them has no row, and is answered
//! without the database.

use std::collections::{HashMap, HashSet, hash_map::RandomState};
use std::hash::BuildHasher as _;

use parking_lot::RwLock;
use rusqlite::{Connection, Row};

use crate::SpoolError;

/// Keys by account: the addresses of suppression lists, the Message-IDs that services gave, or the
/// names of keys under which programs got answers.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    hasher: RandomState,
    accounts: RwLock<HashMap<String, HashSet<u64>>>,
}

/// Change of a set.
#[derive(Debug)]
pub(super) enum KeyChange {
    Recorded { account: String, key: String },
    Gone { account: String, key: String },
}

impl KeyChange {
    pub(super) fn recorded(account: &str, key: &str) -> Self {
        Self::Recorded {
            account: account.to_owned(),
            key: key.to_owned(),
        }
    }

    pub(super) fn gone(account: &str, key: &str) -> Self {
        Self::Gone {
            account: account.to_owned(),
            key: key.to_owned(),
        }
    }
}

impl KeySet {
    /// Returns false if the key has no row.
    pub(super) fn may_hold(&self, account: &str, key: &str) -> bool {
        let accounts = self.accounts.read();
        (accounts.get(account)).is_some_and(|set| set.contains(&self.hasher.hash_one(key)))
    }

    /// Returns the number of keys of one account or of all.
    pub(super) fn count(&self, account: Option<&str>) -> u64 {
        let accounts = self.accounts.read();
        match account {
            Some(account) => accounts.get(account).map_or(0, HashSet::len) as u64,
            None => accounts.values().map(HashSet::len).sum::<usize>() as u64,
        }
    }

    /// Applies changes in order. A key that is gone stays if it is pending: it waits in the journal.
    pub(super) fn apply(
        &self,
        changes: impl IntoIterator<Item = KeyChange>,
        is_pending: impl Fn(&str, &str) -> bool,
    ) {
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_none() {
            return;
        }
        let mut accounts = self.accounts.write();
        for change in changes {
            match change {
                KeyChange::Recorded { account, key } => {
                    let hash = self.hasher.hash_one(&*key);
                    accounts.entry(account).or_default().insert(hash);
                }
                KeyChange::Gone { account, key } if !is_pending(&account, &key) => {
                    if let Some(set) = accounts.get_mut(&account) {
                        set.remove(&self.hasher.hash_one(&*key));
                        if set.is_empty() {
                            accounts.remove(&account);
                        }
                    }
                }
                KeyChange::Gone { .. } => {}
            }
        }
    }

    /// Loads the keys from the database: `select` returns the account first, and `key` reads the rest.
    pub(super) fn load(
        connection: &Connection,
        select: &str,
        key: impl Fn(&Row<'_>) -> rusqlite::Result<String>,
    ) -> Result<Self, SpoolError> {
        let set = Self::default();
        let mut select = connection.prepare(select)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (account, key) = (row.get(0)?, key(row)?);
            set.apply([KeyChange::Recorded { account, key }], |_, _| false);
        }
        Ok(set)
    }
}
