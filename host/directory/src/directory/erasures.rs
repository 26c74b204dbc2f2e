//! Erasure of accounts.

use gatepost_message::{Millis, SoughtAddress};

use crate::{
    Account, AccountId, AuditQuery, Directory, DirectoryChange, DirectoryError, ErasedItems,
    erasure::without, rules::erasure,
};

type Result<T> = std::result::Result<T, DirectoryError>;

/// Entries of the audit log that are read together.
const AUDITED_AT_ONCE: usize = 1000;

/// Entries of a list of partners that are removed in one commit.
const ENTRIES_AT_ONCE: usize = 5000;

impl Directory {
    /// Begins the erasure of an account, or goes on with it: from now on nobody logs in for it, no mail
    /// comes in for it, and nothing of it can be changed.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn begin_erasure(&self, account: AccountId) -> Result<Account> {
        let now = Millis::now();
        self.change(|view, _| erasure::begin(view, account, now))
    }

    /// Removes some of what an account owns; returns what it was, or `None` if it owns nothing any
    /// more.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn erase_some(&self, account: AccountId) -> Result<Option<ErasedItems>> {
        self.change(|view, state| {
            let entries = |list| state.store.entries(list, "", ENTRIES_AT_ONCE);
            let (erased, changes) = erasure::remove_some(view, account, entries)?;
            let some = (!changes.is_empty()).then_some(erased);
            Ok::<_, DirectoryError>((some, changes))
        })
    }

    /// Removes the entries of the audit log that tell of an account, but those that say that it is
    /// erased. To be called before its domains and credentials are gone, by which they are known.
    ///
    /// # Errors
    /// The store failed.
    pub fn erase_audit(&self, account: AccountId) -> Result<()> {
        self.change(|view, _| {
            let change = DirectoryChange::EraseAudit {
                account: account.to_string(),
                names: erasure::names(view, account),
            };
            Ok::<_, DirectoryError>(((), vec![change]))
        })
    }

    /// Erases an address from the entries of the audit log, of one account or of all; returns the number
    /// of those that named it.
    ///
    /// # Errors
    /// The store failed.
    pub fn erase_from_audit(&self, account: Option<&str>, address: &SoughtAddress) -> Result<u64> {
        self.change(|_, state| {
            let mut query = AuditQuery {
                account: account.map(str::to_owned),
                before: None,
                limit: AUDITED_AT_ONCE,
            };
            let mut named = 0;
            loop {
                let records = state.store.audit(&query)?;
                named += (records.iter())
                    .filter(|record| without(&record.entry, account, address).is_some())
                    .count() as u64;
                query.before = records.last().map(|record| record.seq);
                if records.len() < AUDITED_AT_ONCE {
                    break;
                }
            }
            let change = DirectoryChange::EraseFromAudit {
                account: account.map(str::to_owned),
                address: address.clone(),
            };
            Ok::<_, DirectoryError>((named, vec![change]))
        })
    }

    /// Removes an account of which nothing else is left.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn finish_erasure(&self, account: AccountId) -> Result<()> {
        self.change(|view, _| erasure::finish(view, account))
    }

    /// Overwrites on the disk what was removed.
    ///
    /// # Errors
    /// The store failed.
    pub fn overwrite_erased(&self) -> Result<()> {
        self.shared.lock().store.overwrite_erased()
    }
}
