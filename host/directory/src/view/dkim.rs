//! Keys of DKIM in a view.

use std::sync::Arc;

use gatepost_dkim::{Algorithm, PrivateKey, Signer};

use super::View;
use crate::{
    DirectoryError, DkimKey, DkimKeyName, DkimState, KeyOwner, Sealed, SealedDkimKey,
    key_ring::KeyRing,
};

/// Key with what is stored of it.
#[derive(Debug, Clone)]
pub(crate) struct DkimEntry {
    pub(crate) key: DkimKey,
    pub(crate) sealed: Option<Sealed>,
    /// The key as it signs; `None` once it is retired.
    signer: Option<Arc<Signer>>,
}

/// Compares what is stored.
impl PartialEq for DkimEntry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.sealed == other.sealed
    }
}

impl DkimEntry {
    /// Returns true if the key signs or may sign again. A retired one goes by itself.
    pub(crate) fn may_sign(&self) -> bool {
        self.key.state != DkimState::Retired
    }

    /// Returns the private half, if it is not gone.
    pub(crate) fn private(&self) -> Option<&PrivateKey> {
        self.signer.as_ref().map(|signer| &signer.key)
    }
}

impl View {
    /// Returns the DKIM keys of an owner, ordered by domain and selector.
    pub fn dkim_keys(&self, owner: KeyOwner) -> impl Iterator<Item = &DkimKey> {
        self.dkim_entries(owner).iter().map(|entry| &entry.key)
    }

    /// Returns every DKIM key, the site's first.
    pub fn all_dkim_keys(&self) -> impl Iterator<Item = &DkimKey> {
        self.all_dkim_entries().map(|entry| &entry.key)
    }

    /// Returns the keys that sign mail of a domain now, one of each algorithm: those whose record
    /// was seen.
    pub fn signers(&self, owner: KeyOwner, domain: &str) -> Vec<Arc<Signer>> {
        let of_domain = |entry: &&DkimEntry| {
            entry.key.state == DkimState::Active && entry.key.domain.as_ascii() == domain
        };
        let newest = |algorithm: Algorithm| {
            let entries = self.dkim_entries(owner).iter().filter(of_domain);
            let alike = entries.filter(|entry| entry.key.algorithm == algorithm);
            let newest = alike.max_by_key(|entry| entry.key.created)?;
            newest.signer.clone()
        };
        Algorithm::ALL.into_iter().filter_map(newest).collect()
    }

    pub(crate) fn dkim_entries(&self, owner: KeyOwner) -> &[DkimEntry] {
        match owner {
            KeyOwner::Site => &self.site_dkim,
            KeyOwner::Account(id) => self.holdings(id).map_or(&[], |of| &of.dkim),
        }
    }

    pub(crate) fn all_dkim_entries(&self) -> impl Iterator<Item = &DkimEntry> {
        let owned = self.accounts.values().flat_map(|of| of.dkim.iter());
        self.site_dkim.iter().chain(owned)
    }

    pub(super) fn put_dkim_key(
        &mut self,
        row: &SealedDkimKey,
        ring: &KeyRing,
    ) -> Result<(), DirectoryError> {
        let SealedDkimKey { key, sealed } = row;
        let name = key.name();
        let before = self.dkim_entries(key.owner).iter();
        let mut before = before.filter(|entry| entry.key.name() == name);
        let before = before.find(|entry| entry.sealed == *sealed);
        let signer = match (before, sealed) {
            (_, None) => None,
            (Some(before), Some(_)) => before.signer.clone(),
            (None, Some(sealed)) => Some(Arc::new(Signer {
                domain: key.domain.clone(),
                selector: key.selector.clone(),
                key: ring.open_dkim_key(key, sealed)?,
            })),
        };
        let entry = DkimEntry {
            key: key.clone(),
            sealed: sealed.clone(),
            signer,
        };
        self.change_dkim(key.owner, |entries| {
            match entries.binary_search_by(|of| of.key.name().cmp(&name)) {
                Ok(at) => entries[at] = entry,
                Err(at) => entries.insert(at, entry),
            }
        });
        Ok(())
    }

    pub(super) fn remove_dkim_key(&mut self, name: &DkimKeyName) {
        self.change_dkim(name.owner, |entries| {
            entries.retain(|entry| entry.key.name() != *name);
        });
    }

    fn change_dkim(&mut self, owner: KeyOwner, change: impl FnOnce(&mut Vec<DkimEntry>)) {
        match owner {
            KeyOwner::Site => change(Arc::make_mut(&mut self.site_dkim)),
            KeyOwner::Account(id) => {
                self.change_holdings(id, |of| change(Arc::make_mut(&mut of.dkim)));
            }
        }
    }
}
