//! Connections of accounts in a view.

use std::sync::Arc;

use gatepost_connections::{ConnectionName, rank};
use gatepost_message::Address;

use super::View;
use crate::{AccountId, DirectoryError, OwnedConnection, SealedConnection, key_ring::KeyRing};

/// Connection with what is stored of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConnectionEntry {
    pub(crate) owned: OwnedConnection,
    sealed: SealedConnection,
}

impl std::ops::Deref for ConnectionEntry {
    type Target = OwnedConnection;

    fn deref(&self) -> &OwnedConnection {
        &self.owned
    }
}

impl View {
    /// Returns the connections of an account, ordered by name; none if there is no such account.
    pub fn connections(&self, account: AccountId) -> impl Iterator<Item = &OwnedConnection> {
        let owned = self
            .holdings(account)
            .map_or(&[][..], |of| of.connections());
        owned.iter().map(|entry| &entry.owned)
    }

    /// Returns every connection, ordered by account and name.
    pub fn all_connections(&self) -> Vec<&OwnedConnection> {
        let mut all: Vec<_> = self
            .accounts
            .values()
            .flat_map(|of| of.connections().iter().map(|entry| &entry.owned))
            .collect();
        all.sort_by_key(|owned| (owned.account, owned.connection.name.clone()));
        all
    }

    /// Returns the connection of an account with this name.
    pub fn connection(&self, account: AccountId, name: &str) -> Option<&OwnedConnection> {
        let entries = self.holdings(account)?.connections();
        let found = entries.binary_search_by(|entry| entry.connection.name.as_str().cmp(name));
        found.ok().map(|at| &entries[at].owned)
    }

    /// Returns the connection of an account through which mail of a sender leaves, with its rank:
    /// the one that serves the address, else its brand, else its domain.
    pub fn connection_of(
        &self,
        account: AccountId,
        sender: &Address,
    ) -> Option<(u8, &OwnedConnection)> {
        let brand = self.brand_of(account, sender);
        let ranked = self.connections(account).filter_map(|owned| {
            let rank = rank(&owned.connection.serves, sender, brand)?;
            Some((rank, owned))
        });
        ranked.max_by_key(|(rank, _)| *rank)
    }

    /// Returns the brand of an address of an account. A sub-address has that of its mailbox.
    pub fn brand_of(&self, account: AccountId, address: &Address) -> Option<&str> {
        let found = self.address_of(account, address)?;
        found.brand.as_ref().map(|brand| brand.as_str())
    }

    pub(super) fn put_connection(
        &mut self,
        sealed: &SealedConnection,
        ring: &KeyRing,
    ) -> Result<(), DirectoryError> {
        let before = self.holdings(sealed.account).and_then(|of| {
            let mut entries = of.connections().iter();
            entries.find(|entry| entry.sealed.sealed == sealed.sealed)
        });
        let connection = match before.filter(|before| before.connection.name == sealed.name) {
            Some(before) => Arc::clone(&before.connection),
            None => ring.open_connection(sealed)?.into(),
        };
        let entry = ConnectionEntry {
            owned: OwnedConnection {
                account: sealed.account,
                created: sealed.created,
                changed: sealed.changed,
                generation: sealed.generation,
                connection,
            },
            sealed: sealed.clone(),
        };
        self.change_holdings(sealed.account, |of| {
            let entries = Arc::make_mut(&mut of.connections);
            match entries.binary_search_by(|of| of.connection.name.cmp(&sealed.name)) {
                Ok(at) => entries[at] = entry,
                Err(at) => entries.insert(at, entry),
            }
        });
        Ok(())
    }

    pub(super) fn remove_connection(&mut self, account: AccountId, name: &ConnectionName) {
        self.change_holdings(account, |of| {
            Arc::make_mut(&mut of.connections).retain(|entry| entry.connection.name != *name);
        });
    }
}
