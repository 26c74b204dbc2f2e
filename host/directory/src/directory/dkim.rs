//! Changes to DKIM keys.

use gatepost_dkim::{Algorithm, PrivateKey, Seen, Selector};
use gatepost_message::{Domain, Millis};

use crate::{
    Directory, DirectoryError, DkimKey, DkimKeyName, DkimState, KeyOwner,
    rules::{self, dkim::NewDkimKey},
};

impl Directory {
    /// Makes a key of a domain, pending until its record is seen, at the free one of two selectors.
    /// For RSA, that takes up to some seconds.
    ///
    /// # Errors
    /// There is no such account, the domain is not the owner's, both selectors are taken, a key is
    /// pending already, or the store failed.
    pub fn add_dkim_key(
        &self,
        (owner, domain): (KeyOwner, &Domain),
        algorithm: Algorithm,
        turns: &[Selector; 2],
        now: Millis,
    ) -> Result<DkimKey, DirectoryError> {
        let selector =
            |view: &_| rules::dkim::free_selector(view, (owner, domain), algorithm, turns, now);
        // Asked before the key is made, which is work, and again under the lock.
        selector(&self.view())?;
        let private = PrivateKey::generate(algorithm).map_err(|_| DirectoryError::Random)?;
        let public = private.public().map_err(|_| DirectoryError::Random)?;
        self.change(|view, state| {
            let key = DkimKey {
                owner,
                domain: domain.clone(),
                selector: selector(view)?,
                algorithm,
                state: DkimState::Pending,
                created: now,
                since: now,
                finding: None,
                public,
            };
            let sealed = state.ring.seal_dkim_key(&key, &private)?;
            let added = rules::dkim::add(view, NewDkimKey { key, sealed })?;
            Ok::<_, DirectoryError>(added)
        })
    }

    /// Records what a look in the DNS has shown of a key, and returns the key in the state that
    /// follows.
    ///
    /// # Errors
    /// There is no such key, or the store failed.
    pub fn dkim_looked(
        &self,
        name: &DkimKeyName,
        seen: &Seen,
        now: Millis,
    ) -> Result<DkimKey, DirectoryError> {
        self.change(|view, _| rules::dkim::looked(view, name, seen, now))
    }

    /// Retires a key: it signs no more, and its private half is gone. One that never signed is
    /// removed.
    ///
    /// # Errors
    /// There is no such key, or the store failed.
    pub fn retire_dkim_key(
        &self,
        name: &DkimKeyName,
        now: Millis,
    ) -> Result<DkimKey, DirectoryError> {
        self.change(|view, _| rules::dkim::retire(view, name, now))
    }

    /// Removes the keys that were retired so long ago that no mail signed with them is on its way.
    ///
    /// # Errors
    /// The store failed.
    pub fn remove_rested_dkim_keys(&self, now: Millis) -> Result<(), DirectoryError> {
        self.change(|view, _| rules::dkim::remove_rested(view, now))
    }
}
