//! Views made from a store.

use gatepost_message::Separators;

use super::{Terms, View, partners::Partners};
use crate::{
    DirectoryChange, DirectoryError, DirectoryStore, RowKey, Rows, Settings, email_id::EmailIds,
    key_ring::KeyRing, ownership_token::OwnershipTokens, return_token::ReturnTokens,
    sqlite::SqliteStore, state, store::each_page,
};

impl View {
    /// Reads a directory without opening it as [`Directory`](crate::Directory) and without changing
    /// it; `None` if there is none. Blocks.
    ///
    /// # Errors
    /// It has another schema, or it or its key ring cannot be read.
    pub fn read(settings: &Settings) -> Result<Option<Self>, DirectoryError> {
        if !settings.path.exists() {
            return Ok(None);
        }
        state::refuse_lost(settings)?;
        let store = SqliteStore::read(&settings.path)?;
        Self::read_from(&store, settings).map(Some)
    }

    /// Reads a view from a store, and writes nothing.
    pub(crate) fn read_from(
        store: &dyn DirectoryStore,
        settings: &Settings,
    ) -> Result<Self, DirectoryError> {
        let rows = store.rows()?;
        let ring = match has_encrypted(&rows) || settings.key_ring.exists() {
            true => KeyRing::open(&settings.key_ring, false)?,
            // Opening would create a key ring here.
            false => KeyRing::ephemeral()?,
        };
        Self::load(rows, store, &ring, settings.separators.clone())
    }

    /// Makes a view of the rows and the entries of a store.
    pub(crate) fn load(
        rows: Rows,
        store: &dyn DirectoryStore,
        ring: &KeyRing,
        separators: Separators,
    ) -> Result<Self, DirectoryError> {
        let mut view = Self::with(Terms::new(ring, separators));
        view.partners.last_list = rows.last_list;
        for row in rows.rows {
            view.apply(&DirectoryChange::Put(row), ring)?;
        }
        view.load_entries(store)?;
        Ok(view)
    }

    /// Returns the view with other separators, for which all entries are read again.
    pub(crate) fn with_separators(
        &self,
        store: &dyn DirectoryStore,
        ring: &KeyRing,
        separators: Separators,
    ) -> Result<Self, DirectoryError> {
        let mut view = self.clone();
        view.terms = Terms::new(ring, separators).into();
        view.share_all_anew();
        view.load_entries(store)?;
        Ok(view)
    }

    /// Returns the view with email ids by all keys of a ring.
    pub(crate) fn with_keys(&self, ring: &KeyRing) -> Self {
        Self {
            terms: Terms::new(ring, self.terms.separators.clone()).into(),
            ..self.clone()
        }
    }

    fn load_entries(&mut self, store: &dyn DirectoryStore) -> Result<(), DirectoryError> {
        let mut partners = Partners {
            lists: self.partners.lists.clone(),
            last_list: self.partners.last_list,
            ..Partners::empty()
        };
        let mut added = Vec::new();
        for list in self.partner_lists() {
            let before = added.len();
            each_page(store, list.id, |page| {
                added.extend(partners.hashed(list, &page, &self.terms.separators));
                Ok(())
            })?;
            partners.set_count(list.id, added.len() - before);
        }
        partners.index = partners.index.changed(added, Vec::new());
        self.partners = partners;
        Ok(())
    }
}

impl Terms {
    fn new(ring: &KeyRing, separators: Separators) -> Self {
        Self {
            unknown_user_key: ring.derive("salts of unknown users"),
            email_ids: EmailIds::new(ring.derive_from_each(EmailIds::PURPOSE)),
            return_tokens: ReturnTokens::new(ring.derive_from_each(ReturnTokens::PURPOSE)),
            ownership_tokens: OwnershipTokens::new(ring.derive_from_each(OwnershipTokens::PURPOSE)),
            probe_keys: ring.derive_from_each("probes"),
            record_key: Some(ring.derive("record of policies")),
            separators,
        }
    }
}

/// Returns true if a part of the rows is encrypted.
pub(crate) fn has_encrypted(rows: &Rows) -> bool {
    rows.rows.iter().any(|row| {
        matches!(
            row.key(),
            RowKey::Credential(_)
                | RowKey::Connection { .. }
                | RowKey::DkimKey(_)
                | RowKey::Endpoint { .. }
        )
    })
}
