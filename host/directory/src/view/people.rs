//! Administrators, probes, handovers and tokens in a view.

use std::sync::Arc;

use super::View;
use crate::{AccountId, Administrator, Handover, Probe, ProbeId, RowKey, StoredApiToken};

impl View {
    /// Returns the administrators of an account, ordered by address.
    pub fn administrators(&self, account: AccountId) -> &[Administrator] {
        self.holdings(account).map_or(&[], |of| &of.administrators)
    }

    /// Returns true if an account has an administrator whose address is verified.
    pub fn has_verified_administrator(&self) -> bool {
        let mut all = self
            .accounts
            .values()
            .flat_map(|of| of.administrators.iter());
        all.any(|of| of.verified.is_some())
    }

    /// Returns a probe that is on its way.
    pub fn probe(&self, id: &ProbeId) -> Option<&Probe> {
        self.probes.get(id).map(|found| &**found)
    }

    /// Returns every probe that is on its way, in no order.
    pub fn probes(&self) -> impl Iterator<Item = &Probe> {
        self.probes.values().map(|found| &**found)
    }

    /// Returns a handover by its id.
    pub fn handover(&self, id: &str) -> Option<&Handover> {
        self.handovers.get(id).map(|found| &**found)
    }

    /// Returns every handover, in no order.
    pub fn handovers(&self) -> impl Iterator<Item = &Handover> {
        self.handovers.values().map(|found| &**found)
    }

    /// Returns the token of the HTTP API with this id.
    pub fn api_token(&self, id: &str) -> Option<&StoredApiToken> {
        self.api_tokens.get(id).map(|found| &**found)
    }

    /// Returns all tokens of the HTTP API, in no order.
    pub fn api_tokens(&self) -> impl Iterator<Item = &StoredApiToken> {
        self.api_tokens.values().map(|found| &**found)
    }

    pub(super) fn put_administrator(&mut self, row: &Administrator) {
        let key = row.canonical();
        self.change_holdings(row.account, |of| {
            let all = Arc::make_mut(&mut of.administrators);
            match all.binary_search_by(|of| of.canonical().cmp(&key)) {
                Ok(at) => all[at] = row.clone(),
                Err(at) => all.insert(at, row.clone()),
            }
        });
    }

    pub(super) fn put_probe(&mut self, row: &Probe) {
        let key = RowKey::Probe(row.id.clone());
        self.change_holdings(row.account, |of| {
            of.in_flight.insert(key);
        });
        (self.probes).insert_mut(row.id.clone(), Arc::new(row.clone()));
    }

    pub(super) fn put_handover(&mut self, row: &Handover) {
        let key = RowKey::Handover(row.id.clone());
        self.change_holdings(row.account, |of| {
            of.in_flight.insert(key);
        });
        (self.handovers).insert_mut(row.id.clone(), Arc::new(row.clone()));
    }

    pub(super) fn put_api_token(&mut self, row: &StoredApiToken) {
        if let Some(account) = row.token.account {
            let key = RowKey::ApiToken(row.token.id.clone());
            self.change_holdings(account, |of| {
                of.in_flight.insert(key);
            });
        }
        (self.api_tokens).insert_mut(row.token.id.clone(), Arc::new(row.clone()));
    }

    /// Removes an administrator, a probe, a handover or a token.
    pub(super) fn remove_of_account(&mut self, key: &RowKey) {
        let account = match key {
            RowKey::Administrator { account, canonical } => {
                return self.change_holdings(*account, |of| {
                    let all = Arc::make_mut(&mut of.administrators);
                    all.retain(|of| of.canonical() != *canonical);
                });
            }
            RowKey::Probe(id) => {
                let account = self.probe(id).map(|of| of.account);
                self.probes.remove_mut(id);
                account
            }
            RowKey::Handover(id) => {
                let account = self.handover(id).map(|of| of.account);
                self.handovers.remove_mut(id);
                account
            }
            RowKey::ApiToken(id) => {
                let account = self.api_token(id).and_then(|of| of.token.account);
                self.api_tokens.remove_mut(id);
                account
            }
            _ => None,
        };
        if let Some(account) = account {
            self.change_holdings(account, |of| {
                of.in_flight.remove(key);
            });
        }
    }
}
