//! Changes of a view.

use std::sync::Arc;

use gatepost_message::{Address, CanonicalAddress};
use rpds::HashTrieMapSync as Map;

use super::{CredentialEntry, Destination, Holdings, View};
use crate::{
    Account, AccountId, Agreement, Canonical, Connector, ConnectorId, Credential, DirectoryChange,
    DirectoryError, DirectoryRow, Known, Restriction, RowKey, SealedCredential, SupportAddress,
    UserName, key_ring::KeyRing,
};

impl View {
    /// Makes a change.
    ///
    /// # Errors
    /// The key ring cannot decrypt the verifier of a credential, a connection, an endpoint, or the
    /// private half of a DKIM key.
    pub(crate) fn apply(
        &mut self,
        change: &DirectoryChange,
        ring: &KeyRing,
    ) -> Result<(), DirectoryError> {
        match change {
            DirectoryChange::Put(DirectoryRow::Account(account)) => self.put_account(account),
            DirectoryChange::Put(DirectoryRow::Connector(connector)) => {
                self.put_connector(connector)
            }
            DirectoryChange::Put(DirectoryRow::Address(address)) => self.put_address(address),
            DirectoryChange::Put(DirectoryRow::Credential(sealed)) => {
                self.put_credential(sealed, ring)?
            }
            DirectoryChange::Put(DirectoryRow::Agreement(agreement)) => {
                self.put_agreement(*agreement)
            }
            DirectoryChange::Put(DirectoryRow::List(list)) => {
                self.partners.put(list);
                self.change_holdings(list.account, |of| insert(&mut of.lists, list.id));
            }
            DirectoryChange::Put(DirectoryRow::Connection(sealed)) => {
                self.put_connection(sealed, ring)?;
            }
            DirectoryChange::Put(DirectoryRow::Restriction(restriction)) => {
                let account = restriction.account.as_str().into();
                (self.restrictions).insert_mut(account, Arc::new(Restriction::clone(restriction)));
            }
            DirectoryChange::Remove(RowKey::Restriction(account)) => {
                self.restrictions.remove_mut(account.as_str());
            }
            DirectoryChange::Put(DirectoryRow::DkimKey(sealed)) => {
                self.put_dkim_key(sealed, ring)?;
            }
            DirectoryChange::Remove(RowKey::DkimKey(name)) => self.remove_dkim_key(name),
            DirectoryChange::Put(DirectoryRow::Administrator(row)) => self.put_administrator(row),
            DirectoryChange::Put(DirectoryRow::Probe(row)) => self.put_probe(row),
            DirectoryChange::Put(DirectoryRow::Handover(row)) => self.put_handover(row),
            DirectoryChange::Put(DirectoryRow::ApiToken(row)) => self.put_api_token(row),
            DirectoryChange::Remove(
                key @ (RowKey::Administrator { .. }
                | RowKey::Probe(_)
                | RowKey::Handover(_)
                | RowKey::ApiToken(_)),
            ) => self.remove_of_account(key),
            // No part of the view: the log is read from the store.
            DirectoryChange::KeepRequest(_)
            | DirectoryChange::ForgetRequest { .. }
            | DirectoryChange::ForgetRequests(_)
            | DirectoryChange::Audit(_)
            | DirectoryChange::ForgetAudit(_)
            | DirectoryChange::EraseAudit { .. }
            | DirectoryChange::EraseFromAudit { .. } => {}
            DirectoryChange::Remove(RowKey::Connection { account, name }) => {
                self.remove_connection(*account, name);
            }
            DirectoryChange::Put(DirectoryRow::Endpoint(sealed)) => {
                self.put_endpoint(sealed, ring)?;
            }
            DirectoryChange::Remove(RowKey::Endpoint { account, name }) => {
                self.remove_endpoint(*account, name);
            }
            DirectoryChange::Remove(RowKey::Account(id)) => self.remove_account(*id),
            DirectoryChange::Remove(RowKey::Connector(id)) => self.remove_connector(*id),
            DirectoryChange::Remove(RowKey::Address { canonical, account }) => {
                self.remove_address(canonical, *account);
            }
            DirectoryChange::Remove(RowKey::Credential(user)) => {
                self.remove_credential(user);
            }
            DirectoryChange::Remove(RowKey::Agreement { one, other }) => {
                self.remove_agreement(*one, *other)
            }
            DirectoryChange::Remove(RowKey::List(id)) => {
                if let Some(account) = self.partner_list(*id).map(|list| list.account) {
                    self.partners.remove(*id);
                    self.change_holdings(account, |of| of.lists.retain(|list| list != id));
                }
            }
            DirectoryChange::AddEntries { list, entries, .. } => {
                self.partners.add(*list, entries, &self.terms.separators);
            }
            DirectoryChange::RemoveEntries { list, entries } => {
                self.partners.take(*list, entries, &self.terms.separators);
            }
        }
        Ok(())
    }

    pub(super) fn change_holdings(
        &mut self,
        account: AccountId,
        change: impl FnOnce(&mut Holdings),
    ) {
        if let Some(holdings) = self.accounts.get_mut(&account) {
            change(Arc::make_mut(holdings));
        }
    }

    fn put_account(&mut self, account: &Arc<Account>) {
        if self.accounts.contains_key(&account.id) {
            return self.change_holdings(account.id, |of| of.account = Arc::clone(account));
        }
        let holdings = Holdings::new(Arc::clone(account));
        let native = account.profile.native_domain.as_ascii().into();
        self.domains.insert_mut(native, holdings.native());
        self.accounts.insert_mut(account.id, Arc::new(holdings));
    }

    fn remove_account(&mut self, id: AccountId) {
        if let Some(account) = self.account(id) {
            let native = Arc::<str>::from(account.profile.native_domain.as_ascii());
            self.domains.remove_mut(&native);
            self.accounts.remove_mut(&id);
        }
    }

    fn put_connector(&mut self, connector: &Connector) {
        self.remove_connector(connector.id);
        let destination = Destination {
            account: connector.claim.account,
            connector: Some(connector.id),
        };
        self.connectors
            .insert_mut(connector.id, destination.account);
        if let Some(domain) = &connector.details.return_path {
            let domain = domain.as_ascii().into();
            self.return_paths.insert_mut(domain, connector.id);
        }
        if connector.state.receives() {
            let domain = connector.claim.domain.as_ascii().into();
            self.domains.insert_mut(domain, destination);
        }
        self.change_holdings(destination.account, |of| {
            let connectors = Arc::make_mut(&mut of.connectors);
            let key = |of: &Connector| (of.created, of.id);
            let at = connectors.partition_point(|of| key(of) < key(connector));
            connectors.insert(at, connector.clone());
        });
    }

    fn remove_connector(&mut self, id: ConnectorId) {
        let Some(connector) = self.find_connector(id) else {
            return;
        };
        let account = connector.claim.account;
        let domain = Arc::<str>::from(connector.claim.domain.as_ascii());
        let return_path = connector.details.return_path.as_ref();
        if let Some(return_path) = return_path.map(|of| Arc::<str>::from(of.as_ascii())) {
            self.return_paths.remove_mut(&return_path);
        }
        let owner = self.domains.get(&domain);
        if owner.is_some_and(|of| of.connector == Some(id)) {
            self.domains.remove_mut(&domain);
        }
        self.connectors.remove_mut(&id);
        self.change_holdings(account, |of| {
            Arc::make_mut(&mut of.connectors).retain(|connector| connector.id != id);
        });
    }

    fn put_address(&mut self, address: &SupportAddress) {
        let canonical = address.canonical();
        self.remove_address(&canonical, address.account);
        let mut all = self.addresses_at(&canonical).to_vec();
        let at = all.partition_point(|of| of.account < address.account);
        all.insert(at, address.clone());
        self.addresses.insert_mut(canonical.clone(), all.into());
        self.put_target(address);
        let destination = address.destination();
        if self.is_sharer(destination.account) {
            self.share(canonical.as_str(), destination);
        }
        self.change_holdings(destination.account, |of| {
            of.change_place(destination.connector, |place| {
                place.addresses.insert_mut(canonical);
            });
            of.disconnected_addresses += usize::from(address.details.disconnected.is_some());
        });
    }

    fn remove_address(&mut self, canonical: &Canonical, account: AccountId) {
        let mut all = self.addresses_at(canonical).to_vec();
        let Some(at) = all.iter().position(|of| of.account == account) else {
            return;
        };
        let removed = all.remove(at);
        self.remove_target(&removed);
        let destination = removed.destination();
        match all.is_empty() {
            true => drop(self.addresses.remove_mut(canonical)),
            false => self.addresses.insert_mut(canonical.clone(), all.into()),
        }
        if self.is_sharer(account) {
            self.unshare(canonical.as_str(), destination);
        }
        self.change_holdings(account, |of| {
            of.change_place(destination.connector, |place| {
                place.addresses.remove_mut(canonical);
            });
            of.disconnected_addresses -= usize::from(removed.details.disconnected.is_some());
        });
    }

    fn put_credential(
        &mut self,
        sealed: &SealedCredential,
        ring: &KeyRing,
    ) -> Result<(), DirectoryError> {
        let SealedCredential {
            credential,
            verifier: sealed,
        } = sealed;
        let user = &credential.user_name;
        let before = self.credentials.get(user);
        let verifier = match before.filter(|before| before.sealed == *sealed) {
            Some(before) => before.known.verifier.clone(),
            None => ring.open_verifier(user, sealed)?,
        };
        self.remove_credential(user);
        let entry = CredentialEntry {
            known: Arc::new(Known {
                credential: credential.clone(),
                verifier,
            }),
            sealed: sealed.clone(),
        };
        let is_live = entry.known.is_live();
        self.credentials.insert_mut(user.clone(), Arc::new(entry));
        if credential.is_removed() {
            let key = RowKey::Credential(user.clone());
            self.change_holdings(credential.account, |of| {
                of.in_flight.insert(key);
            });
            return Ok(());
        }
        self.change_holdings(credential.account, |of| {
            of.change_place(credential.scope.connector(), |place| {
                place.credentials.insert_mut(user.clone());
                place.live += usize::from(is_live);
            });
            if credential.alias.is_some() && is_live {
                of.live_alias = Some(user.clone());
            }
        });
        self.count_alias(credential, |aliased| aliased + 1);
        Ok(())
    }

    fn remove_credential(&mut self, user: &UserName) {
        let Some(entry) = self.credentials.get(user).cloned() else {
            return;
        };
        let credential = &entry.known.credential;
        self.credentials.remove_mut(user);
        if credential.is_removed() {
            let key = RowKey::Credential(user.clone());
            return self.change_holdings(credential.account, |of| {
                of.in_flight.remove(&key);
            });
        }
        self.change_holdings(credential.account, |of| {
            of.change_place(credential.scope.connector(), |place| {
                place.credentials.remove_mut(user);
                place.live -= usize::from(entry.known.is_live());
            });
            of.live_alias.take_if(|holder| holder == user);
        });
        self.count_alias(credential, |aliased| aliased - 1);
    }

    /// Counts a credential with an alias, and shares the alias as long as any has it.
    fn count_alias(&mut self, credential: &Credential, count: impl FnOnce(usize) -> usize) {
        let account = credential.account;
        let Some(holdings) = self
            .holdings(account)
            .filter(|_| credential.alias.is_some())
        else {
            return;
        };
        let (before, after) = (holdings.aliased, count(holdings.aliased));
        let alias = holdings.alias.clone().filter(|_| self.is_sharer(account));
        let native = holdings.native();
        self.change_holdings(account, |of| of.aliased = after);
        match alias {
            Some(alias) if before == 0 => self.share(alias.as_str(), native),
            Some(alias) if after == 0 => self.unshare(alias.as_str(), native),
            _ => {}
        }
    }

    fn put_agreement(&mut self, agreement: Agreement) {
        let Agreement { one, other, .. } = agreement;
        self.remove_agreement(one, other);
        let agreements = Arc::make_mut(&mut self.agreements);
        let key = |of: &Agreement| (of.created, of.one, of.other);
        let at = agreements.partition_point(|of| key(of) < key(&agreement));
        agreements.insert(at, agreement);
        for (account, partner) in [(one, other), (other, one)] {
            if !self.is_sharer(account) {
                for (text, destination) in self.names_of(account) {
                    self.share(&text, destination);
                }
            }
            self.change_holdings(account, |of| insert(&mut of.partners, partner));
        }
    }

    fn remove_agreement(&mut self, one: AccountId, other: AccountId) {
        if !self.shares(one, other) {
            return;
        }
        Arc::make_mut(&mut self.agreements).retain(|of| (of.one, of.other) != (one, other));
        for (account, partner) in [(one, other), (other, one)] {
            self.change_holdings(account, |of| of.partners.retain(|of| *of != partner));
            if !self.is_sharer(account) {
                for (text, destination) in self.names_of(account) {
                    self.unshare(&text, destination);
                }
            }
        }
    }

    /// Shares all addresses of all accounts that share, after their forms have changed.
    pub(super) fn share_all_anew(&mut self) {
        self.shared = Map::new_sync();
        let sharers = self
            .accounts
            .keys()
            .copied()
            .filter(|id| self.is_sharer(*id));
        for account in sharers.collect::<Vec<_>>() {
            for (text, destination) in self.names_of(account) {
                self.share(&text, destination);
            }
        }
    }

    fn is_sharer(&self, account: AccountId) -> bool {
        self.holdings(account)
            .is_some_and(|of| !of.partners.is_empty())
    }

    /// Returns the addresses of an account, claimed ones too, with its alias and postmaster.
    fn names_of(&self, account: AccountId) -> Vec<(String, Destination)> {
        let Some(holdings) = self.holdings(account) else {
            return Vec::new();
        };
        let native = holdings.native();
        let addresses = holdings.places.iter().flat_map(|place| {
            let of = Destination {
                connector: place.connector,
                ..native
            };
            place
                .addresses
                .iter()
                .map(move |address| (address.as_str().to_owned(), of))
        });
        let alias = holdings.alias.iter().filter(|_| holdings.aliased > 0);
        let alias = alias.map(|alias| (alias.as_str().to_owned(), native));
        let domain = holdings.account.profile.native_domain.as_ascii();
        let postmaster = (format!("postmaster@{domain}"), native);
        addresses.chain(alias).chain([postmaster]).collect()
    }

    fn share(&mut self, text: &str, destination: Destination) {
        if let Some(form) = self.partner_form(text) {
            let mut all = self
                .shared
                .get(&form)
                .map_or(Vec::new(), |all| all.to_vec());
            let at = all.partition_point(|of| *of < destination);
            all.insert(at, destination);
            self.shared.insert_mut(form, all.into());
        }
    }

    fn unshare(&mut self, text: &str, destination: Destination) {
        let Some(form) = self.partner_form(text) else {
            return;
        };
        let mut all = self
            .shared
            .get(&form)
            .map_or(Vec::new(), |all| all.to_vec());
        if let Some(at) = all.iter().position(|of| *of == destination) {
            all.remove(at);
        }
        match all.is_empty() {
            true => drop(self.shared.remove_mut(&form)),
            false => self.shared.insert_mut(form, all.into()),
        }
    }

    fn partner_form(&self, text: &str) -> Option<CanonicalAddress> {
        let address = Address::parse(text).ok()?;
        Some(self.canonical(&address))
    }
}

/// Inserts into a sorted vector, unless it is there.
fn insert<T: Ord>(sorted: &mut Vec<T>, value: T) {
    if let Err(at) = sorted.binary_search(&value) {
        sorted.insert(at, value);
    }
}
