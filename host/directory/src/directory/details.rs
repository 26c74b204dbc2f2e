//! Changes to the data that the relay itself keeps of accounts, connectors and addresses, and to
//! what goes with an account: probes, handovers and the audit log.

use gatepost_message::{Address, Millis};

use crate::{
    Account, AccountDetails, AccountId, AddressDetails, AuditEntry, AuditQuery, AuditRecord,
    Connector, ConnectorDetails, ConnectorId, Directory, DirectoryChange, DirectoryError, Handover,
    Probe, ProbeId, SupportAddress, rules::details,
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

    /// Changes what the relay keeps of a connector.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn change_connector(
        &self,
        id: ConnectorId,
        change: impl FnOnce(&mut ConnectorDetails),
    ) -> Result<Connector> {
        self.change(|view, _| details::of_connector(view, id, change))
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

    /// Adds a probe, or replaces the one with its id.
    ///
    /// # Errors
    /// The account has no such address, or the store failed.
    pub fn put_probe(&self, probe: Probe) -> Result<()> {
        self.change(|view, _| details::put_probe(view, probe))
    }

    /// Takes a probe away, so that it proves something once; `None` if it was taken before.
    ///
    /// # Errors
    /// The store failed.
    pub fn take_probe(&self, id: &ProbeId) -> Result<Option<Probe>> {
        self.change(|view, _| details::take_probe(view, id))
    }

    /// Begins a probe: it replaces the one of the same kind that is on its way for the address,
    /// changes what is kept of the address, and may be in the audit log, all in one commit.
    ///
    /// # Errors
    /// The account has no such address, or the store failed.
    pub fn begin_probe(
        &self,
        probe: Probe,
        change: impl FnOnce(&mut AddressDetails),
        entry: Option<AuditEntry>,
    ) -> Result<()> {
        self.change(|view, _| details::begin_probe(view, probe, change, entry))
    }

    /// Changes the record of a probe that is on its way; nothing happens if it is not any more.
    ///
    /// # Errors
    /// The store failed.
    pub fn change_probe(&self, id: &ProbeId, change: impl FnOnce(&mut Probe)) -> Result<()> {
        self.change(|view, _| details::change_probe(view, id, change))
    }

    /// Takes a probe away with its finding, in one commit. `change` changes what is kept of the
    /// address, and returns the entry of the audit log, if it is worth one. Returns `None`, and changes nothing, if the
    /// probe was taken before.
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

    /// Adds a secret that a link shows once.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn put_handover(&self, handover: Handover) -> Result<()> {
        self.change(|view, _| details::put_handover(view, handover))
    }

    /// Takes a handover away, so that it is shown once; `None` if it was taken before.
    ///
    /// # Errors
    /// The store failed.
    pub fn take_handover(&self, id: &str) -> Result<Option<Handover>> {
        self.change(|view, _| details::take_handover(view, id))
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
