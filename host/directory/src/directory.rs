//! The open directory: settings, changes, and the current view.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use gatepost_files::sqlite::{self, Newer, Synced};
use gatepost_message::{Domain, Millis, Separators};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{
    Credential, DirectoryError, SupportAddress, UserName, View,
    email_id::EmailIds,
    key_ring::KeyRing,
    partner_view::Partners,
    rows, schema, state,
    uses::{PendingUses, UseWriter},
    view::{Core, ViewContents},
};

/// Limits on what an account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of connected domains of an account.
    pub domains_per_account: usize,
    /// Maximum number of support addresses in one domain of an account.
    pub addresses_per_domain: usize,
    /// Maximum number of live credentials for one domain, and for one account's submission. More
    /// than one, because a new one has to be in use before the old one is revoked.
    pub live_sets: usize,
}

impl Default for Limits {
    /// Returns 4 domains, 50 addresses each, 2 live credentials.
    fn default() -> Self {
        Self {
            domains_per_account: 4,
            addresses_per_domain: 50,
            live_sets: 2,
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

/// State behind the lock.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    pub(crate) ring: KeyRing,
    pub(crate) limits: Limits,
    reserved: Reserved,
    separators: Separators,
}

/// Domains of accounts in the configuration, each with the name of its account.
pub type Reserved = HashMap<Domain, String>;

/// Open directory, shared behind an `Arc`. Methods that change or list block on the disk;
/// [`Directory::view`] and [`Directory::record_use`] never do. Dropping it writes the pending uses,
/// which blocks for a moment.
#[derive(Debug)]
pub struct Directory {
    store: Arc<Mutex<Store>>,
    view: ArcSwap<View>,
    uses: Arc<PendingUses>,
    _writer: UseWriter,
}

impl Directory {
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
        Self::open_checked(settings).map_err(|error| state::explain_damage(error, &settings.path))
    }

    fn open_checked(settings: &Settings) -> Result<Self, DirectoryError> {
        let path = &settings.path;
        let failed = |source| DirectoryError::Open {
            path: path.clone(),
            source,
        };
        if path.exists()
            && let Some(why) = state::why_foreign(path).map_err(failed)?
        {
            return Err(DirectoryError::Unusable {
                path: path.clone(),
                why,
            });
        }
        let connection = connect(path).map_err(failed)?;
        let connection = connection.map_err(|newer| DirectoryError::Newer {
            path: path.clone(),
            found: newer.found,
            known: schema::CURRENT,
        })?;
        let any = "SELECT EXISTS (SELECT 1 FROM credentials)";
        let encrypted: bool = connection.query_row(any, [], |row| row.get(0))?;
        let had_ring = settings.key_ring.exists();
        let ring = KeyRing::open(&settings.key_ring, !encrypted)?;
        let any = "SELECT EXISTS (SELECT 1 FROM accounts)";
        if !had_ring && connection.query_row(any, [], |row| row.get(0))? {
            tracing::warn!(
                key_ring = %settings.key_ring.display(),
                "the key ring was missing and a new one was made: ids of mail sent before are not \
                 known any more; put its lines back above the new one's if you have them"
            );
        }
        let view = read_view(&connection, &ring, &settings.separators)?;
        let store = Arc::new(Mutex::new(Store {
            connection,
            ring,
            limits: settings.limits,
            reserved: Reserved::new(),
            separators: settings.separators.clone(),
        }));
        let uses = Arc::new(PendingUses::default());
        let writer = UseWriter::start(&uses, &store)?;
        Ok(Self {
            store,
            view: ArcSwap::from_pointee(view),
            uses,
            _writer: writer,
        })
    }

    /// Returns the current view. It never changes: ask again to see later changes.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Records a login with this credential. It is on disk within five seconds, together with all
    /// others.
    pub fn record_use(&self, user: &UserName, now: Millis) {
        self.uses.record(user, now);
    }

    /// Sets the limits of accounts from now on. Anything over them stays.
    pub fn set_limits(&self, limits: Limits) {
        self.store().limits = limits;
    }

    /// Sets the separators with which partner addresses are compared. If they differ, blocks while
    /// all addresses are read again.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn set_separators(&self, separators: Separators) -> Result<(), DirectoryError> {
        let mut store = self.store();
        if store.separators != separators {
            let view = read_view(&store.connection, &store.ring, &separators)?;
            store.separators = separators;
            self.view.store(Arc::new(view));
        }
        Ok(())
    }

    /// Sets the domains that no account may get as its native domain from now on. An account that
    /// has one keeps it.
    pub fn set_reserved_domains(&self, domains: Reserved) {
        self.store().reserved = domains;
    }

    /// Returns all support addresses, ordered by canonical form.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn addresses(&self) -> Result<Vec<SupportAddress>, DirectoryError> {
        Ok(rows::addresses(&self.store().connection)?)
    }

    /// Returns all credentials, revoked ones too, oldest first, with pending uses written before.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn credentials(&self) -> Result<Vec<Credential>, DirectoryError> {
        let store = self.store();
        self.uses.write(&store)?;
        Ok(rows::credentials(&store.connection)?)
    }

    /// Encrypts all encrypted values with a new key, and returns their number. Former keys stay in
    /// the key ring, for backups.
    ///
    /// # Errors
    /// The store or the key ring cannot be read or written.
    pub fn rekey(&self) -> Result<usize, DirectoryError> {
        self.store().ring.add_key()?;
        self.change(|change, store| {
            let credentials = rows::credentials(change)?;
            for Credential { user_name, .. } in &credentials {
                let verifier = rows::verifier(change, store.ring, user_name)?;
                let sealed = store
                    .ring
                    .seal(&rows::verifier_binding(user_name), &verifier.encode())?;
                change.execute(
                    "UPDATE credentials SET key_id = ?2, verifier = ?3 WHERE user_name = ?1",
                    (user_name.as_str(), sealed.key_id, sealed.bytes),
                )?;
            }
            Ok(credentials.len())
        })
    }

    /// Makes a change in a transaction, and publishes the resulting view.
    pub(crate) fn change<T>(
        &self,
        make: impl FnOnce(&Transaction<'_>, &ChangeContext<'_>) -> Result<T, DirectoryError>,
    ) -> Result<T, DirectoryError> {
        self.change_with(|change, store, view| {
            let made = make(change, store)?;
            let core = read_core(change, store.ring, store.separators)?;
            let partners = view.partners.clone();
            Ok((made, Arc::new(core), partners))
        })
    }

    /// Makes a change to lists of partners only. Reads only what has changed in them.
    pub(crate) fn change_partners<T>(
        &self,
        make: impl FnOnce(&Transaction<'_>, &View) -> Result<(T, Partners), DirectoryError>,
    ) -> Result<T, DirectoryError> {
        self.change_with(|change, _, view| {
            let (made, partners) = make(change, view)?;
            Ok((made, Arc::clone(&view.core), partners))
        })
    }

    fn change_with<T>(
        &self,
        make: impl FnOnce(
            &Transaction<'_>,
            &ChangeContext<'_>,
            &View,
        ) -> Result<(T, Arc<Core>, Partners), DirectoryError>,
    ) -> Result<T, DirectoryError> {
        let mut store = self.store();
        let Store {
            connection,
            ring,
            limits,
            reserved,
            separators,
        } = &mut *store;
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let context = ChangeContext {
            ring,
            limits,
            reserved,
            separators,
        };
        let (made, core, partners) = make(&change, &context, &self.view.load())?;
        change.commit()?;
        // Still under the lock, so that views are published in the order of the changes.
        self.view.store(Arc::new(View { core, partners }));
        Ok(made)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }
}

/// Data for a change beside the tables.
pub(crate) struct ChangeContext<'a> {
    pub(crate) ring: &'a KeyRing,
    pub(crate) reserved: &'a Reserved,
    pub(crate) limits: &'a Limits,
    separators: &'a Separators,
}

impl Store {
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Locks the store. A panic left no half of a change, because it was in a transaction.
pub(crate) fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl View {
    /// Reads a directory without opening it as [`Directory`] and without changing it; `None` if
    /// there is none. Blocks.
    ///
    /// # Errors
    /// It has another schema, or it or its key ring cannot be read.
    pub fn read(settings: &Settings) -> Result<Option<Self>, DirectoryError> {
        let path = &settings.path;
        if !path.exists() {
            return Ok(None);
        }
        state::refuse_lost(settings)?;
        let failed = |source| DirectoryError::Open {
            path: path.clone(),
            source,
        };
        let mut connection = sqlite::connect_reader(path).map_err(failed)?;
        let found = schema::version_of(&connection).map_err(failed)?;
        if found != schema::CURRENT {
            return Err(DirectoryError::Other {
                path: path.clone(),
                found,
                known: schema::CURRENT,
            });
        }
        // One read transaction for all tables.
        let moment = connection.transaction()?;
        Self::read_from(&moment, settings).map(Some)
    }

    /// Reads a view from a directory of the current schema.
    pub(crate) fn read_from(
        connection: &Connection,
        settings: &Settings,
    ) -> Result<Self, DirectoryError> {
        let any = "SELECT EXISTS (SELECT 1 FROM credentials)";
        let encrypted: bool = connection.query_row(any, [], |row| row.get(0))?;
        if !encrypted && !settings.key_ring.exists() {
            // `open` would create a key ring here; this function writes nothing.
            return read_view(connection, &KeyRing::ephemeral()?, &settings.separators);
        }
        let ring = KeyRing::open(&settings.key_ring, false)?;
        read_view(connection, &ring, &settings.separators)
    }
}

fn read_view(
    connection: &Connection,
    ring: &KeyRing,
    separators: &Separators,
) -> Result<View, DirectoryError> {
    Ok(View {
        core: Arc::new(read_core(connection, ring, separators)?),
        partners: Partners::read(connection, separators)?,
    })
}

fn read_core(
    connection: &Connection,
    ring: &KeyRing,
    separators: &Separators,
) -> Result<Core, DirectoryError> {
    let credentials = rows::credentials(connection)?.into_iter();
    let with_verifier = credentials.map(|credential| {
        let verifier = rows::verifier(connection, ring, &credential.user_name)?;
        Ok((credential, verifier))
    });
    let contents = ViewContents {
        accounts: rows::accounts(connection)?,
        connectors: rows::connectors(connection)?,
        addresses: rows::addresses(connection)?,
        credentials: with_verifier.collect::<Result<_, DirectoryError>>()?,
        agreements: rows::agreements(connection)?,
        separators: separators.clone(),
    };
    Ok(Core::new(
        contents,
        ring.derive("salts of unknown users"),
        EmailIds::new(ring.derive_from_each(EmailIds::PURPOSE)),
    ))
}

/// Opens the file. Returns its schema version as the error if a later version of Gatepost wrote it.
fn connect(path: &Path) -> rusqlite::Result<Result<Connection, Newer>> {
    sqlite::create_private(path);
    let mut connection = sqlite::connect(path)?;
    // A change that was answered is on disk: a revoked credential must not work again after a power
    // cut.
    sqlite::write_ahead(&connection, Synced::EachCommit)?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    Ok(schema::migrate(&mut connection)?.map(|()| connection))
}
