//! Changes to the data that the relay itself keeps of accounts and addresses, and to what
//! goes with an account: probes and the audit log.

use gatepost_message::{Address, Millis};

use crate::{
    Account, AccountDetails, AccountId, AddressDetails, AuditEntry, AuditQuery, AuditRecord,
    Directory, DirectoryChange, DirectoryError, Probe, ProbeId, SupportAddress, rules::details,
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Changes what the relay keeps of an account.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn change_account(
        &self,
        id: AccountId,
        change: impl FnOnce(&mut AccountDetails),
    ) -> Result<Account> {
        self.change(|view, _| details::of_account(view, id, change))
    }

    /// Changes what the relay keeps of a support address.
    ///
    /// # Errors
    /// The account has no such address, or the store failed.
    pub fn change_address(
        &self,
        account: AccountId,
        address: &Address,
        change: impl FnOnce(&mut AddressDetails),
    ) -> Result<SupportAddress> {
        self.change(|view, _| details::of_address(view, account, address, change))
    }

    /// Begins a probe: it replaces the one of the same kind that is on its way for the address, and
    /// changes what is kept of the address, in one commit.
    ///
    /// # Errors
    /// The account has no such address, or the store failed.
    pub fn begin_probe(
        &self,
        probe: Probe,
        change: impl FnOnce(&mut AddressDetails),
    ) -> Result<()> {
        self.change(|view, _| details::begin_probe(view, probe, change))
    }

    /// Changes the record of a probe that is on its way; nothing happens if it is not any more.
    ///
    /// # Errors
    /// The store failed.
    pub fn change_probe(&self, id: &ProbeId, change: impl FnOnce(&mut Probe)) -> Result<()> {
        self.change(|view, _| details::change_probe(view, id, change))
    }

    /// Takes a probe away with its finding, in one commit. `change` changes what is kept of the
    /// address, and returns the entry of the audit log, if it is worth one. Returns `None`, and
    /// changes nothing, if the probe was taken before.
    ///
    /// # Errors
    /// The store failed.
    pub fn settle_probe(
        &self,
        id: &ProbeId,
        change: impl FnOnce(&Probe, &mut AddressDetails) -> Option<AuditEntry>,
    ) -> Result<Option<Probe>> {
        self.change(|view, _| details::settle_probe(view, id, change))
    }

    /// Adds an entry to the audit log.
    ///
    /// # Errors
    /// The store failed.
    pub fn record_audit(&self, entry: AuditEntry) -> Result<()> {
        self.change(|_, _| details::audit(entry))
    }

    /// Removes the entries of the audit log from before this time.
    ///
    /// # Errors
    /// The store failed.
    pub fn forget_audit(&self, before: Millis) -> Result<()> {
        self.change(|_, _| {
            Ok::<_, DirectoryError>(((), vec![DirectoryChange::ForgetAudit(before)]))
        })
    }

    /// Returns entries of the audit log, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>> {
        self.shared.lock().store.audit(query)
    }
}
