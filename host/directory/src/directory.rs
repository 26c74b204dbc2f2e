//! The open directory: settings, the current view, and changes.

mod accounts;
mod administrators;
mod api_tokens;
mod connections;
mod credentials;
mod details;
mod disconnection;
mod dkim;
mod endpoints;
mod erasures;
mod handovers;
mod kept_requests;
mod partners;
mod restrictions;
mod sandboxes;

use std::{collections::HashMap, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use gatepost_message::{Domain, Millis, Separators};
use zeroize::Zeroizing;

pub use self::partners::Fetched;
use crate::{
    Credential, DirectoryChange, DirectoryError, DirectoryRow, DirectoryStore, ForwardingToken,
    Sealed, SupportAddress, UserName, View,
    key_ring::KeyRing,
    rules,
    shared::{LockedState, SharedDirectory},
    sqlite::SqliteStore,
    state,
    uses::{CredentialUse, PendingGrace, UseWriter},
    view::has_encrypted,
};

/// Limits on what an account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of connected domains of an account.
    pub domains_per_account: usize,
    /// Maximum number of support addresses in one domain of an account.
    pub addresses_per_domain: usize,
    /// Maximum number of live credentials for one domain, and for one account's submission. More
    /// than one, because a new one has to be in use before the old one is retired.
    pub live_sets: usize,
    /// Maximum number of connections of an account.
    pub connections_per_account: usize,
    /// Time for which a credential must not have been used before it is retired.
    pub retire_unused: Duration,
}

impl Default for Limits {
    /// Returns 4 domains, 50 addresses each, 2 live credentials, 20 connections, a day without use.
    fn default() -> Self {
        Self {
            domains_per_account: 4,
            addresses_per_domain: 50,
            live_sets: 2,
            connections_per_account: 20,
            retire_unused: Duration::from_secs(86_400),
        }
    }
}

/// Files and limits of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Path of the database.
    pub path: PathBuf,
    /// Path of the key ring, whose keys encrypt a part of the database.
    pub key_ring: PathBuf,
    /// Limits on what an account may have.
    pub limits: Limits,
    /// Separators of sub-addresses when partner addresses are compared.
    pub separators: Separators,
}

/// Domains of accounts in the configuration, each with the name of its account.
pub type Reserved = HashMap<Domain, String>;

/// Open directory, shared behind an `Arc`. Methods that change or list block on the disk;
/// [`Directory::view`] and [`Directory::record_use`] never do. Dropping it writes the pending uses,
/// which blocks for a moment.
#[derive(Debug)]
pub struct Directory {
    shared: Arc<SharedDirectory>,
    _writer: UseWriter,
}

impl Directory {
    /// Encrypts OAuth tokens with the newest key, for the connection with this key alone.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn seal_tokens(&self, connection: &str, tokens: &[u8]) -> Result<Sealed, DirectoryError> {
        self.shared.lock().ring.seal_tokens(connection, tokens)
    }

    /// Decrypts the OAuth tokens of the connection with this key.
    ///
    /// # Errors
    /// The key that encrypted them is not in the key ring, or they are damaged.
    pub fn open_tokens(
        &self,
        connection: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, DirectoryError> {
        self.shared.lock().ring.open_tokens(connection, sealed)
    }

    /// Opens the directory and brings it to the current schema. Creates it and its key ring if they
    /// do not exist.
    ///
    /// # Errors
    /// A file cannot be opened, a later version wrote it, the key ring lacks a key, or the file is
    /// missing, empty or damaged where there was a directory ([`DirectoryError::Lost`],
    /// [`DirectoryError::Unusable`]).
    pub fn open(settings: &Settings) -> Result<Self, DirectoryError> {
        // Checked before SQLite opens it, which would drop the log of an empty database.
        state::refuse_lost(settings)?;
        let opened = SqliteStore::open(&settings.path)
            .and_then(|store| Self::open_on(Box::new(store), settings));
        opened.map_err(|error| state::explain_damage(error, &settings.path))
    }

    /// Opens a directory on a store, which it has to itself from now on. Creates its key ring if it
    /// does not exist and nothing is encrypted yet. The path of the settings is not used.
    ///
    /// # Errors
    /// The store cannot be read, or the key ring cannot be read or lacks a key.
    pub fn open_on(
        store: Box<dyn DirectoryStore>,
        settings: &Settings,
    ) -> Result<Self, DirectoryError> {
        let rows = store.rows()?;
        let had_ring = settings.key_ring.exists();
        let ring = KeyRing::open(&settings.key_ring, !has_encrypted(&rows))?;
        let has_accounts = rows
            .rows
            .iter()
            .any(|row| matches!(row, DirectoryRow::Account(_)));
        if !had_ring && has_accounts {
            tracing::warn!(
                key_ring = %settings.key_ring.display(),
                "the key ring was missing and a new one was made: ids of mail sent before are not \
                 known any more; put its lines back above the new one's if you have them"
            );
        }
        let view = View::load(rows, &*store, &ring, settings.separators.clone())?;
        let state = LockedState::new(store, ring, settings.limits);
        let shared = Arc::new(SharedDirectory::new(state, view));
        // Addresses of an earlier version have none.
        shared.change(|view, _| rules::address::give_targets(view, ForwardingToken::random))?;
        let writer = UseWriter::start(&shared)?;
        Ok(Self {
            shared,
            _writer: writer,
        })
    }

    /// Returns the current view. It never changes: ask again to see later changes.
    pub fn view(&self) -> Arc<View> {
        self.shared.view().load_full()
    }

    /// Returns the number of changes since the directory was opened, for [`Directory::expecting`].
    pub fn revision(&self) -> u64 {
        self.shared.revision()
    }

    /// Does work whose first change is refused with
    /// [`ChangedMeanwhile`](crate::Refusal::ChangedMeanwhile) unless the directory still has this
    /// revision. Returns true beside the result if the work came to a change.
    pub fn expecting<T>(&self, revision: u64, work: impl FnOnce(&Self) -> T) -> (T, bool) {
        crate::expectation::expecting(revision, || work(self))
    }

    /// Records a login with this credential from a client. It is on disk within five seconds,
    /// together with all others.
    pub fn record_use(&self, user: &UserName, from: Option<IpAddr>, now: Millis) {
        self.shared.uses.record(user, CredentialUse::new(from, now));
    }

    /// Records a login with the right secret of this credential in its grace period, which is refused
    /// for now. It is on disk within five seconds, together with all others.
    pub fn record_grace_use(&self, user: &UserName, from: Option<IpAddr>, now: Millis) {
        let used = CredentialUse::new(from, now);
        self.shared.uses.record_in_grace(
            user,
            PendingGrace {
                count: 1,
                first: now,
                last: used,
            },
        );
    }

    /// Sets the limits of accounts from now on. Anything over them stays.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.lock().limits = limits;
    }

    /// Sets the separators with which partner addresses are compared. If they differ, blocks while
    /// all entries of partner lists are read again.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn set_separators(&self, separators: Separators) -> Result<(), DirectoryError> {
        let state = self.shared.lock();
        let view = self.view();
        if *view.separators() != separators {
            let view = view.with_separators(&*state.store, &state.ring, separators)?;
            self.shared.view().store(view.into());
        }
        Ok(())
    }

    /// Sets the domains that no account may get as its native domain from now on. An account that
    /// has one keeps it.
    pub fn set_reserved_domains(&self, domains: Reserved) {
        self.shared.lock().reserved = domains;
    }

    /// Returns all support addresses, ordered by canonical form.
    ///
    /// # Errors
    /// None: the view has them.
    pub fn addresses(&self) -> Result<Vec<SupportAddress>, DirectoryError> {
        Ok(self.view().addresses())
    }

    /// Returns all credentials, ended ones too, oldest first, with pending uses written before.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn credentials(&self) -> Result<Vec<Credential>, DirectoryError> {
        self.shared.write_uses()?;
        Ok(self.view().listed_credentials())
    }

    /// Encrypts all encrypted values with a new key, and returns their number. Former keys stay in
    /// the key ring, for backups.
    ///
    /// # Errors
    /// The store or the key ring cannot be written.
    pub fn rekey(&self) -> Result<usize, DirectoryError> {
        let rekeyed = self.change(|view, state| {
            state.ring.add_key()?;
            let mut changes = Vec::new();
            for known in view.credentials() {
                let user = &known.credential.user_name;
                let sealed = state.ring.seal_verifier(user, &known.verifier)?;
                changes.extend(rules::credential::reseal(view, user, sealed)?.1);
            }
            for owned in view.all_connections() {
                let sealed = (state.ring).seal_connection(owned.account, &owned.connection)?;
                let name = &owned.connection.name;
                let resealed = rules::connection::reseal(view, owned.account, name, sealed)?;
                changes.extend(resealed.1);
            }
            for owned in view.all_endpoints() {
                let (account, name) = (owned.account, &owned.name);
                let (scope, settings) = (&owned.scope, &owned.settings);
                let sealed = (state.ring).seal_endpoint(account, name, scope, settings)?;
                changes.extend(rules::endpoint::reseal(view, account, name, sealed)?.1);
            }
            for entry in view.all_dkim_entries() {
                if let Some(private) = entry.private() {
                    let sealed = state.ring.seal_dkim_key(&entry.key, private)?;
                    let resealed = rules::dkim::reseal(view, &entry.key.name(), sealed)?;
                    changes.extend(resealed.1);
                }
            }
            Ok::<_, DirectoryError>((changes.len(), changes))
        })?;
        let state = self.shared.lock();
        let view = self.view().with_keys(&state.ring);
        self.shared.view().store(view.into());
        Ok(rekeyed)
    }

    /// Makes a change that is decided from the newest view.
    fn change<T, E: Into<DirectoryError>>(
        &self,
        decide: impl FnOnce(&View, &mut LockedState) -> Result<(T, Vec<DirectoryChange>), E>,
    ) -> Result<T, DirectoryError> {
        self.shared.change(decide)
    }
}
