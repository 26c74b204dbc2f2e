//! Disconnection of domains and addresses, and holds of accounts.

use gatepost_message::{Address, Millis};

use crate::{
    Account, AccountId, Connector, ConnectorId, Directory, DirectoryError, Hold, QueuedMail,
    Reason, SupportAddress,
    rules::{connector, details, disconnection},
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Disconnects a domain: its credentials stop working, its support addresses still receive, and
    /// mail in its name leaves from a default address.
    ///
    /// # Errors
    /// There is no such connector, it was never verified, or the store failed.
    pub fn disconnect_connector(&self, id: ConnectorId, queued: QueuedMail) -> Result<Connector> {
        self.change(|view, _| connector::disconnect(view, id, queued, Millis::now()))
    }

    /// Connects a disconnected domain again: all is as it was.
    ///
    /// # Errors
    /// There is no such connector, it was never verified, or the store failed.
    pub fn reconnect_connector(&self, id: ConnectorId) -> Result<Connector> {
        self.change(|view, _| connector::reconnect(view, id))
    }

    /// Disconnects one support address: no credential vouches for its mail, and mail in its name
    /// leaves from a default address.
    ///
    /// # Errors
    /// The account has no such address, it is in the native domain, or the store failed.
    pub fn disconnect_address(
        &self,
        account: AccountId,
        address: &Address,
        queued: QueuedMail,
    ) -> Result<SupportAddress> {
        self.change(|view, _| {
            disconnection::disconnect(view, account, address, queued, Millis::now())
        })
    }

    /// Connects a disconnected support address again.
    ///
    /// # Errors
    /// The account has no such address, or the store failed.
    pub fn reconnect_address(
        &self,
        account: AccountId,
        address: &Address,
    ) -> Result<SupportAddress> {
        self.change_address(account, address, |details| details.disconnected = None)
    }

    /// Holds an account's outgoing mail in the queue. A hold that there is already keeps its time,
    /// and its reason if no other is given.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn hold_account(&self, id: AccountId, reason: Option<Reason>) -> Result<Account> {
        let now = Millis::now();
        self.change_account(id, |details| {
            let former = details.hold.take();
            let (since, before) = former.map_or((now, None), |of| (of.since, of.reason));
            details.hold = Some(Hold {
                since,
                reason: reason.or(before),
            });
        })
    }

    /// Ends the hold of an account's outgoing mail, if there is one.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn release_account(&self, id: AccountId) -> Result<Account> {
        self.change(|view, _| details::of_account(view, id, |details| details.hold = None))
    }
}
