//! The directory as the rest of the relay sees it.

use std::{
    collections::HashMap,
    fs::File,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use gatepost_message::{Domain, Millis, Separators};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{
    Credential, DirectoryError, SupportAddress, UserName, View,
    email_id::EmailIds,
    key_ring::KeyRing,
    partner_view::Partners,
    rows, schema, state,
    uses::{Uses, Writer},
    view::{Contents, Core},
};

/// How long to wait for somebody else's lock on the database: a postmaster with the sqlite3 shell.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much an account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connected domains of an account.
    pub domains_per_account: usize,
    /// Support addresses in one domain of an account.
    pub addresses_per_domain: usize,
    /// Credentials that are live at a time for one domain, and for one account's submission: a new
    /// one has to be in use before the old one can go.
    pub live_sets: usize,
}

impl Default for Limits {
    /// 4 domains, 50 addresses each, 2 credentials.
    fn default() -> Self {
        Self {
            domains_per_account: 4,
            addresses_per_domain: 50,
            live_sets: 2,
        }
    }
}

/// Where the directory is, and what may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database.
    pub path: PathBuf,
    /// The file of the keys that encrypt a part of it.
    pub key_ring: PathBuf,
    /// How much an account may have.
    pub limits: Limits,
    /// What sets a sub-address apart where partner addresses are compared.
    pub separators: Separators,
}

/// What only one may touch at a time.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    pub(crate) ring: KeyRing,
    pub(crate) limits: Limits,
    reserved: Reserved,
    separators: Separators,
}

/// Domains that belong to accounts which are not in the directory, with the names of these.
pub type Reserved = HashMap<Domain, String>;

/// The directory, open. Shared behind an `Arc`. Methods that change or list block while they read
/// and write the disk; [`Directory::view`] and [`Directory::record_use`] never do. Dropped, it
/// writes the last uses, which blocks for a moment.
#[derive(Debug)]
pub struct Directory {
    store: Arc<Mutex<Store>>,
    view: ArcSwap<View>,
    uses: Arc<Uses>,
    _writer: Writer,
}

impl Directory {
    /// Opens the directory, makes it and its key ring if they are not there, and brings it to the
    /// present schema.
    ///
    /// # Errors
    /// A file cannot be opened, a later version wrote it, the key ring lacks a key, or the file is
    /// missing, emptied or damaged where there was a directory ([`DirectoryError::Lost`],
    /// [`DirectoryError::Unusable`]).
    pub fn open(settings: &Settings) -> Result<Self, DirectoryError> {
        // Before SQLite opens it: that would drop the log of an empty database.
        state::refuse_lost(settings)?;
        Self::open_whole(settings).map_err(|error| state::unusable(error, &settings.path))
    }

    fn open_whole(settings: &Settings) -> Result<Self, DirectoryError> {
        let path = &settings.path;
        let failed = |source| DirectoryError::Open {
            path: path.clone(),
            source,
        };
        if path.exists()
            && let Some(why) = state::foreign(path).map_err(failed)?
        {
            return Err(DirectoryError::Unusable {
                path: path.clone(),
                why,
            });
        }
        let connection = connect(path).map_err(failed)?;
        let connection = connection.map_err(|found| DirectoryError::Newer {
            path: path.clone(),
            found,
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
        let view = view(&connection, &ring, &settings.separators)?;
        let store = Arc::new(Mutex::new(Store {
            connection,
            ring,
            limits: settings.limits,
            reserved: Reserved::new(),
            separators: settings.separators.clone(),
        }));
        let uses = Arc::new(Uses::default());
        let writer = Writer::start(&uses, &store)?;
        Ok(Self {
            store,
            view: ArcSwap::from_pointee(view),
            uses,
            _writer: writer,
        })
    }

    /// The directory as it stands. Does not change any more: ask again to see what has.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Somebody has logged in with this credential. On disk within five seconds,
    /// together with all others.
    ///
    pub fn record_use(&self, user: &UserName, now: Millis) {
        self.uses.record(user, now);
    }

    /// Holds accounts to these limits from now on; what is over them stays.
    pub fn limit(&self, limits: Limits) {
        self.store().limits = limits;
    }

    /// Compares partner addresses by these separators from now on. Blocks while it reads all of
    /// them again, where they are others.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn separate(&self, separators: Separators) -> Result<(), DirectoryError> {
        let mut store = self.store();
        if store.separators != separators {
            let view = view(&store.connection, &store.ring, &separators)?;
            store.separators = separators;
            self.view.store(Arc::new(view));
        }
        Ok(())
    }

    /// From now on no account is given one of these as its native domain; who has one keeps it.
    pub fn reserve(&self, domains: Reserved) {
        self.store().reserved = domains;
    }

    /// Every support address, by their canonical forms.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn addresses(&self) -> Result<Vec<SupportAddress>, DirectoryError> {
        Ok(rows::addresses(&self.store().connection)?)
    }

    /// Every credential, revoked ones too, oldest first, with uses just recorded.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn credentials(&self) -> Result<Vec<Credential>, DirectoryError> {
        let store = self.store();
        self.uses.write(&store)?;
        Ok(rows::credentials(&store.connection)?)
    }

    /// Encrypts everything anew with a new key, and gives how many values that were. Former keys
    /// stay in the key ring, for backups.
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
                    .seal(&rows::place(user_name), &verifier.encode())?;
                change.execute(
                    "UPDATE credentials SET key_id = ?2, verifier = ?3 WHERE user_name = ?1",
                    (user_name.as_str(), sealed.key_id, sealed.octets),
                )?;
            }
            Ok(credentials.len())
        })
    }

    /// Makes a change, all of it or nothing, and puts what results in view.
    pub(crate) fn change<T>(
        &self,
        make: impl FnOnce(&Transaction<'_>, &Parts<'_>) -> Result<T, DirectoryError>,
    ) -> Result<T, DirectoryError> {
        self.change_with(|change, store, view| {
            let made = make(change, store)?;
            let core = core(change, store.ring, store.separators)?;
            let partners = view.partners.clone();
            Ok((made, Arc::new(core), partners))
        })
    }

    /// The same where nothing but lists of partners changes: only what has changed in them is
    /// read.
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
            &Parts<'_>,
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
        let parts = Parts {
            ring,
            limits,
            reserved,
            separators,
        };
        let (made, core, partners) = make(&change, &parts, &self.view.load())?;
        change.commit()?;
        // Still under the lock, so that views follow each other as changes do.
        self.view.store(Arc::new(View { core, partners }));
        Ok(made)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }
}

/// What a change may need to know beside the tables.
pub(crate) struct Parts<'a> {
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

/// A panic leaves no half of a change: it was in a transaction.
pub(crate) fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl View {
    /// Reads a directory without opening it for anybody else, and changes nothing; `None` where
    /// there is none. Blocks.
    ///
    /// # Errors
    /// It is of another schema, or it or its key ring cannot be read.
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
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(PATIENCE)?;
        let found = schema::found(&connection).map_err(failed)?;
        if found != schema::CURRENT {
            return Err(DirectoryError::Other {
                path: path.clone(),
                found,
                known: schema::CURRENT,
            });
        }
        // One moment for all tables.
        let moment = connection.transaction()?;
        Self::over(&moment, settings).map(Some)
    }

    /// Reads a directory of the present schema.
    pub(crate) fn over(
        connection: &Connection,
        settings: &Settings,
    ) -> Result<Self, DirectoryError> {
        let any = "SELECT EXISTS (SELECT 1 FROM credentials)";
        let encrypted: bool = connection.query_row(any, [], |row| row.get(0))?;
        if !encrypted && !settings.key_ring.exists() {
            // As `open` would make it; nothing here is written.
            return view(connection, &KeyRing::alone()?, &settings.separators);
        }
        let ring = KeyRing::open(&settings.key_ring, false)?;
        view(connection, &ring, &settings.separators)
    }
}

fn view(
    connection: &Connection,
    ring: &KeyRing,
    separators: &Separators,
) -> Result<View, DirectoryError> {
    Ok(View {
        core: Arc::new(core(connection, ring, separators)?),
        partners: Partners::read(connection, separators)?,
    })
}

fn core(
    connection: &Connection,
    ring: &KeyRing,
    separators: &Separators,
) -> Result<Core, DirectoryError> {
    let credentials = rows::credentials(connection)?.into_iter();
    let with_verifier = credentials.map(|credential| {
        let verifier = rows::verifier(connection, ring, &credential.user_name)?;
        Ok((credential, verifier))
    });
    let contents = Contents {
        accounts: rows::accounts(connection)?,
        connectors: rows::connectors(connection)?,
        addresses: rows::addresses(connection)?,
        credentials: with_verifier.collect::<Result<_, DirectoryError>>()?,
        agreements: rows::agreements(connection)?,
        separators: separators.clone(),
    };
    Ok(Core::new(
        contents,
        ring.derived("salts of unknown users"),
        EmailIds::new(ring.derived_from_each(EmailIds::PURPOSE)),
    ))
}

/// Opens the file; gives its schema version if that is a later one.
fn connect(path: &Path) -> rusqlite::Result<Result<Connection, u32>> {
    // SQLite would make it readable for all. Its logs get its mode. If it cannot be made, SQLite
    // meets the same error and names it.
    let _made = (File::options().append(true).create(true).mode(0o600)).open(path);
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What was answered is on disk: a revoked credential must not come back with the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    Ok(schema::migrate(&mut connection)?.map(|()| connection))
}
