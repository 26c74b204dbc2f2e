//! The store's directory and its free space.

mod bodies;

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use gatepost_message::TransactionId;
use parking_lot::Mutex;
use rusqlite::ErrorCode;

use crate::{Fatal, SpoolError, SpoolSettings, journal::Paths};

pub(crate) use self::bodies::{DiskBodies, RemovalPause};

/// Longest time for which a measurement of free space is used.
const MAX_AGE: Duration = Duration::from_millis(100);

/// Directory of a store: the paths of its files, its free space, and the [`Fatal`] handler.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    min_free_bytes: AtomicU64,
    max_log_bytes: AtomicU64,
    fatal: Fatal,
    dead: AtomicBool,
    corrupt: AtomicBool,
    last_free: Mutex<Option<(Instant, u64)>>,
    /// Bodies to be removed once the copy of the store that is under way has them; `None` if there
    /// is no copy.
    removals: Mutex<Option<Vec<TransactionId>>>,
}

impl Disk {
    pub(crate) fn new(settings: SpoolSettings) -> Self {
        Self {
            directory: settings.directory,
            min_free_bytes: settings.min_free_bytes.into(),
            max_log_bytes: settings.max_log_bytes.into(),
            fatal: settings.fatal,
            dead: AtomicBool::new(false),
            corrupt: AtomicBool::new(false),
            last_free: Mutex::new(None),
            removals: Mutex::new(None),
        }
    }

    /// Sets the watermark of free space, and the bound of the write-ahead log that follows from it.
    pub(crate) fn set_min_free(&self, bytes: u64) {
        let settings = SpoolSettings::new("").with_min_free(bytes);
        (self.min_free_bytes).store(settings.min_free_bytes, Ordering::Relaxed);
        (self.max_log_bytes).store(settings.max_log_bytes, Ordering::Relaxed);
    }

    /// Size of the write-ahead log, in bytes, after which it is copied into the database.
    pub(crate) fn max_log_bytes(&self) -> u64 {
        self.max_log_bytes.load(Ordering::Relaxed)
    }

    fn min_free_bytes(&self) -> u64 {
        self.min_free_bytes.load(Ordering::Relaxed)
    }

    /// Creates the store's directory and the one for bodies. Mail is private: a directory created
    /// here has mode 0700. A directory that exists keeps its mode.
    pub(crate) fn create_directories(&self) -> Result<(), SpoolError> {
        let incoming = self.incoming();
        let mut private = DirBuilder::new();
        match private.recursive(true).mode(0o700).create(&incoming) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let text = "something else stands in its place: move it out of the store";
                let error = io::Error::new(io::ErrorKind::AlreadyExists, text);
                Err(failed_to("make directory", &incoming)(error))
            }
            made => made.map_err(failed_to("make directory", &incoming)),
        }
    }

    /// Creates the database file if it is missing, and makes the created names durable.
    pub(crate) fn create_database(&self) -> Result<(), SpoolError> {
        // SQLite would create it readable for all. SQLite's logs get the mode of their database.
        let database = self.database();
        let mut options = File::options();
        gatepost_files::open_with(options.append(true).create(true).mode(0o600), &database)
            .map_err(|error| failed_to("make", &database)(error.into()))?;
        self.sync_directory(&self.directory)?;
        match self.directory.parent() {
            Some(parent) if parent.as_os_str().is_empty() => self.sync_directory(Path::new(".")),
            Some(parent) => self.sync_directory(parent),
            None => Ok(()),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join("spool.db")
    }

    /// Path of the database's write-ahead log; SQLite chooses the name.
    fn wal(&self) -> PathBuf {
        self.directory.join("spool.db-wal")
    }

    /// Paths of the journal and its mark file.
    pub(crate) fn journal(&self) -> Paths {
        journal_paths(&self.directory)
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.directory.join("incoming")
    }

    /// Path of a message's body, if the body has a file.
    pub(crate) fn body(&self, id: TransactionId) -> PathBuf {
        self.incoming().join(id.to_string())
    }

    /// Makes the names in a directory durable.
    pub(crate) fn sync_directory(&self, directory: &Path) -> Result<(), SpoolError> {
        let opened = File::open(directory).map_err(failed_to("open directory", directory))?;
        self.sync(&opened, directory)
    }

    /// Makes the contents of a file durable, or ends the process.
    pub(crate) fn sync(&self, file: &File, path: &Path) -> Result<(), SpoolError> {
        file.sync_all().map_err(|error| {
            self.fatal(&format!("fsync of {} failed: {error}", path.display()));
            SpoolError::Closed
        })
    }

    /// Ends the process, or in a test the store.
    pub(crate) fn fatal(&self, what: &str) {
        self.dead.store(true, Ordering::Release);
        self.fatal.call(what);
    }

    /// Returns true if the store has ended. Only a test sees this: otherwise the process ends, too.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// Returns true if the error says that the database is damaged. The first such error is logged
    /// and closes intake: mail accepted from then on could not be stored.
    pub(crate) fn note_damage(&self, error: &SpoolError) -> bool {
        if !is_damage(error) {
            return false;
        }
        if !self.corrupt.swap(true, Ordering::AcqRel) {
            metrics::gauge!("gatepost_store_damaged", "file" => "spool.db").set(1.0);
            tracing::error!(
                path = %self.database().display(),
                %error,
                "the spool's database is damaged: no mail is taken until it is mended (clients are \
                 told to try again), and what it holds is not delivered. Stop the relay, copy \
                 the store, see what `gatepost doctor` says, and put spool.db back from a backup \
                 or recover it with `sqlite3 spool.db .recover`"
            );
        }
        true
    }

    /// Returns true if the database is known to be damaged.
    pub(crate) fn is_corrupt(&self) -> bool {
        self.corrupt.load(Ordering::Acquire)
    }

    /// Refuses `needed` more bytes if they would leave less free space than the watermark. The
    /// measurement is at most 100 ms old.
    pub(crate) fn room(&self, needed: u64) -> Result<(), SpoolError> {
        if self.is_dead() {
            return Err(SpoolError::Closed);
        }
        self.check(self.free()?, needed)
    }

    /// Refuses `needed` more bytes as [`Disk::room`] does, but measures by the caller's number of
    /// free bytes.
    pub(crate) fn check(&self, free: u64, needed: u64) -> Result<(), SpoolError> {
        if self.is_corrupt() {
            return Err(SpoolError::Corrupt(self.database()));
        }
        let needed = self.min_free_bytes().saturating_add(needed);
        if free < needed {
            Err(SpoolError::Full { free, needed })
        } else {
            Ok(())
        }
    }

    /// Returns the error for a write that the file system refused for lack of space.
    pub(crate) fn full_error(&self) -> SpoolError {
        let free = self.free_now().unwrap_or(0);
        SpoolError::Full {
            free,
            needed: self.min_free_bytes().max(free.saturating_add(1)),
        }
    }

    fn free(&self) -> Result<u64, SpoolError> {
        let last_free = *self.last_free.lock();
        match last_free {
            Some((at, free)) if at.elapsed() < MAX_AGE => Ok(free),
            _ => self.free_now(),
        }
    }

    /// Returns the bytes free to this process, as the system says now, less the size of the
    /// write-ahead log. Copying the log into the database needs as much space again; without it the
    /// log could not be reused, and there would be no room to record deliveries.
    pub(crate) fn free_now(&self) -> Result<u64, SpoolError> {
        let stat = rustix::fs::statvfs(&self.directory)
            .map_err(io::Error::from)
            .map_err(failed_to("ask for free space in", &self.directory))?;
        let wal = fs::metadata(self.wal()).map_or(0, |wal| wal.len());
        let free = stat
            .f_bavail
            .saturating_mul(stat.f_frsize)
            .saturating_sub(wal);
        *self.last_free.lock() = Some((Instant::now(), free));
        Ok(free)
    }
}

/// Returns true if SQLite says that a file is not a database or is malformed.
pub(crate) fn is_damage(error: &SpoolError) -> bool {
    matches!(
        error.sqlite_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Returns the paths of a store's journal and mark file.
pub(crate) fn journal_paths(directory: &Path) -> Paths {
    Paths {
        journal: directory.join("journal"),
        mark: directory.join("journal.synced"),
    }
}

/// Returns a function that adds the attempted operation and its path to an I/O error.
pub(crate) fn failed_to(what: &str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    SpoolError::io(format!("{what} {}", path.display()))
}
