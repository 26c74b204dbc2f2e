//! Endpoints of accounts in a view.

use std::sync::Arc;

use gatepost_message::Address;

use super::View;
use crate::{
    AccountEndpoint, AccountId, Canonical, DirectoryError, EndpointName, EndpointScope,
    SealedEndpoint, key_ring::KeyRing,
};

impl View {
    /// Returns the endpoints of an account, ordered by name; none if there is no such account.
    pub fn endpoints(&self, account: AccountId) -> impl Iterator<Item = &AccountEndpoint> {
        let owned = self.holdings(account).map_or(&[][..], |of| &of.endpoints);
        owned.iter()
    }

    /// Returns every endpoint, ordered by account and name.
    pub fn all_endpoints(&self) -> Vec<&AccountEndpoint> {
        let mut all: Vec<_> = (self.accounts.values())
            .flat_map(|of| of.endpoints.iter())
            .collect();
        all.sort_by_key(|of| (of.account, of.name.clone()));
        all
    }

    /// Returns the endpoint of an account with this name.
    pub fn endpoint(&self, account: AccountId, name: &str) -> Option<&AccountEndpoint> {
        let endpoints = &self.holdings(account)?.endpoints;
        let found = endpoints.binary_search_by(|of| of.name.as_str().cmp(name));
        found.ok().map(|at| &endpoints[at])
    }

    /// Returns the endpoint that gets an account's mail for a recipient: that of the support
    /// address, else of its brand, else of the account. A sub-address has that of its mailbox.
    pub fn endpoint_of(&self, account: AccountId, recipient: &Address) -> Option<&AccountEndpoint> {
        let endpoints = &self.holdings(account)?.endpoints;
        if endpoints.is_empty() {
            return None;
        }
        let found = self.address_of(account, recipient);
        let canonical = found.map(|of| of.canonical());
        let rank = |scope: &EndpointScope| match scope {
            EndpointScope::Account => Some(1),
            EndpointScope::Brand(brand) => {
                (found.and_then(|of| of.brand.as_ref()) == Some(brand)).then_some(2)
            }
            EndpointScope::Address(address) => {
                (canonical.is_some() && Canonical::of(address) == canonical).then_some(3)
            }
        };
        let ranked = endpoints
            .iter()
            .filter_map(|of| Some((rank(&of.scope)?, of)));
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, of)| of)
    }

    pub(super) fn put_endpoint(
        &mut self,
        sealed: &SealedEndpoint,
        ring: &KeyRing,
    ) -> Result<(), DirectoryError> {
        let (scope, settings) = ring.open_endpoint(sealed)?;
        let endpoint = AccountEndpoint {
            account: sealed.account,
            name: sealed.name.clone(),
            scope,
            created: sealed.created,
            changed: sealed.changed,
            generation: sealed.generation,
            settings: settings.into(),
        };
        self.change_holdings(sealed.account, |of| {
            let endpoints = Arc::make_mut(&mut of.endpoints);
            match endpoints.binary_search_by(|of| of.name.cmp(&sealed.name)) {
                Ok(at) => endpoints[at] = endpoint,
                Err(at) => endpoints.insert(at, endpoint),
            }
        });
        Ok(())
    }

    pub(super) fn remove_endpoint(&mut self, account: AccountId, name: &EndpointName) {
        self.change_holdings(account, |of| {
            Arc::make_mut(&mut of.endpoints).retain(|of| of.name != *name);
        });
    }
}
