//! Erasure of accounts.

use gatepost_message::Millis;

use crate::{
    Account, AccountId, Directory, DirectoryChange, DirectoryError, ErasedItems, rules::erasure,
};

type Result<T> = std::result::Result<T, DirectoryError>;

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
