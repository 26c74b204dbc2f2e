//! Account with all that it owns.

use std::collections::BTreeSet;
use std::sync::Arc;

use rpds::HashTrieSetSync as Set;

use super::connections::ConnectionEntry;
use super::dkim::DkimEntry;
use crate::{
    Account, AccountEndpoint, AccountId, Administrator, Canonical, Connector, ConnectorId,
    Credential, Destination, RowKey, UserName,
};

/// Account with all that it owns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Holdings {
    pub(crate) account: Arc<Account>,
    /// Alias that one of its credentials may have.
    pub(super) alias: Option<Canonical>,
    /// Number of credentials with the alias, ended ones too.
    pub(super) aliased: usize,
    /// Live credential with the alias.
    pub(crate) live_alias: Option<UserName>,
    /// Connectors, oldest first.
    pub(crate) connectors: Arc<Vec<Connector>>,
    /// Addresses and credentials, where there are any, in order of their connectors.
    pub(super) places: Vec<DomainHoldings>,
    /// Number of addresses that are disconnected by themselves.
    pub(super) disconnected_addresses: usize,
    /// Ids of lists of partners, in order.
    pub(super) lists: Vec<u32>,
    /// Accounts with which it shares, in order.
    pub(super) partners: Vec<AccountId>,
    /// Connections, ordered by name.
    pub(super) connections: Arc<Vec<ConnectionEntry>>,
    /// Endpoints, ordered by name.
    pub(super) endpoints: Arc<Vec<AccountEndpoint>>,
    /// DKIM keys, ordered by domain and selector.
    pub(super) dkim: Arc<Vec<DkimEntry>>,
    /// Administrators, ordered by address.
    pub(super) administrators: Arc<Vec<Administrator>>,
    /// Probes, handovers, tokens and removed credentials, which go with the account.
    pub(super) in_flight: BTreeSet<RowKey>,
}

/// Property of an account in its native domain or by a connector.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DomainHoldings {
    /// Connector; `None` for the native domain, and for submission.
    pub(super) connector: Option<ConnectorId>,
    pub(super) addresses: Set<Canonical>,
    pub(super) credentials: Set<UserName>,
    /// Number of live credentials.
    pub(super) live: usize,
}

impl Holdings {
    pub(super) fn new(account: Arc<Account>) -> Self {
        let alias = Credential::alias_in(&account.profile.native_domain);
        Self {
            alias: alias.as_ref().and_then(Canonical::of),
            account,
            aliased: 0,
            live_alias: None,
            connectors: Arc::default(),
            places: Vec::new(),
            disconnected_addresses: 0,
            lists: Vec::new(),
            partners: Vec::new(),
            connections: Arc::default(),
            endpoints: Arc::default(),
            dkim: Arc::default(),
            administrators: Arc::default(),
            in_flight: BTreeSet::new(),
        }
    }

    /// Returns the destination of mail in the native domain.
    pub(super) fn native(&self) -> Destination {
        Destination {
            account: self.account.id,
            connector: None,
        }
    }

    /// Returns the first kind of thing that the account still owns.
    pub(crate) fn contents(&self) -> Option<&'static str> {
        // All fields are named, so that what an account may own some day is not forgotten here.
        let Self {
            account: _,
            // Credentials, which are in `places` as well.
            alias: _,
            aliased: _,
            live_alias: _,
            connectors,
            places,
            // In `places`, too.
            disconnected_addresses: _,
            lists,
            partners,
            connections,
            endpoints,
            dkim,
            // They go with the account.
            administrators: _,
            in_flight: _,
        } = self;
        let has = |of: fn(&DomainHoldings) -> bool| places.iter().any(of);
        let kinds = [
            (has(|of| !of.credentials.is_empty()), "credentials"),
            (has(|of| !of.addresses.is_empty()), "support addresses"),
            (!connectors.is_empty(), "connectors"),
            (!lists.is_empty(), "partner addresses or feeds"),
            (!partners.is_empty(), "sharing agreements"),
            (!connections.is_empty(), "connections"),
            (!endpoints.is_empty(), "endpoints"),
            (dkim.iter().any(DkimEntry::may_sign), "DKIM keys"),
        ];
        first(kinds)
    }

    /// Returns the first kind of thing that a connector still has.
    pub(crate) fn contents_of(&self, connector: ConnectorId) -> Option<&'static str> {
        let DomainHoldings {
            connector: _,
            addresses,
            credentials,
            // Of the credentials.
            live: _,
        } = self.place(Some(connector))?;
        first([
            (!credentials.is_empty(), "credentials"),
            (!addresses.is_empty(), "support addresses"),
        ])
    }

    /// Returns the keys of the rows that go with the account when it is removed.
    pub(crate) fn goes_with_it(&self) -> impl Iterator<Item = RowKey> {
        let administrators = self.administrators.iter().map(|of| RowKey::Administrator {
            account: of.account,
            canonical: of.canonical(),
        });
        administrators.chain(self.in_flight.iter().cloned())
    }

    /// Returns the ids of the lists of partners, in order.
    pub(crate) fn lists(&self) -> &[u32] {
        &self.lists
    }

    /// Returns the keys of all rows that the account owns, each before those that it refers to; the
    /// account itself and its lists are left out.
    pub(crate) fn everything(&self) -> impl Iterator<Item = RowKey> {
        let id = self.account.id;
        let of_places = self.places.iter().flat_map(move |place| {
            let credentials = place.credentials.iter().cloned().map(RowKey::Credential);
            let addresses = place.addresses.iter().cloned();
            let addresses = addresses.map(move |canonical| RowKey::Address {
                canonical,
                account: id,
            });
            credentials.chain(addresses)
        });
        let agreements = self.partners.iter().map(move |with| RowKey::Agreement {
            one: id.min(*with),
            other: id.max(*with),
        });
        let connections = self
            .connections
            .iter()
            .map(move |entry| RowKey::Connection {
                account: id,
                name: entry.connection.name.clone(),
            });
        let endpoints = self.endpoints.iter().map(move |of| RowKey::Endpoint {
            account: id,
            name: of.name.clone(),
        });
        let keys = self.dkim.iter();
        let keys = keys.map(|entry| RowKey::DkimKey(entry.key.name()));
        let connectors = self.connectors.iter().map(|of| RowKey::Connector(of.id));
        self.goes_with_it()
            .chain(of_places)
            .chain(agreements)
            .chain(endpoints)
            .chain(connections)
            .chain(keys)
            .chain(connectors)
    }

    /// Returns the removed credentials.
    pub(crate) fn removed_credentials(&self) -> impl Iterator<Item = &UserName> {
        self.in_flight.iter().filter_map(|key| match key {
            RowKey::Credential(user) => Some(user),
            _ => None,
        })
    }

    /// Returns the connections, ordered by name.
    pub(crate) fn connections(&self) -> &[ConnectionEntry] {
        &self.connections
    }

    /// Returns the number of support addresses in a domain.
    pub(crate) fn addresses(&self, connector: Option<ConnectorId>) -> usize {
        self.place(connector).map_or(0, |of| of.addresses.size())
    }

    /// Returns the canonical forms of the support addresses of a connector, in no order.
    pub(super) fn addresses_of(&self, connector: ConnectorId) -> impl Iterator<Item = &Canonical> {
        let place = self.place(Some(connector)).into_iter();
        place.flat_map(|of| of.addresses.iter())
    }

    /// Returns the number of live credentials for a domain or for submission.
    pub(crate) fn live_credentials(&self, connector: Option<ConnectorId>) -> usize {
        self.place(connector).map_or(0, |of| of.live)
    }

    fn place(&self, connector: Option<ConnectorId>) -> Option<&DomainHoldings> {
        self.places.iter().find(|of| of.connector == connector)
    }

    /// Changes a place, which is made where there is none and dropped where nothing is left in it.
    pub(super) fn change_place(
        &mut self,
        connector: Option<ConnectorId>,
        change: impl FnOnce(&mut DomainHoldings),
    ) {
        let found = (self.places).binary_search_by_key(&connector, |of| of.connector);
        let at = found.unwrap_or_else(|at| {
            self.places.insert(at, DomainHoldings::empty(connector));
            at
        });
        let place = &mut self.places[at];
        change(place);
        if place.addresses.is_empty() && place.credentials.is_empty() {
            self.places.remove(at);
        }
    }
}

impl DomainHoldings {
    fn empty(connector: Option<ConnectorId>) -> Self {
        Self {
            connector,
            addresses: Set::new_sync(),
            credentials: Set::new_sync(),
            live: 0,
        }
    }
}

fn first<const N: usize>(kinds: [(bool, &'static str); N]) -> Option<&'static str> {
    let mut owned = kinds.into_iter().filter(|(is_owned, _)| *is_owned);
    owned.next().map(|(_, kind)| kind)
}
