//! The store's directory, and how much room it has.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gatepost_message::TransactionId;
use rusqlite::ErrorCode;

use crate::{Fatal, SpoolError, SpoolSettings, journal::Paths};

/// How old the knowledge of free space may be.
const FRESH: Duration = Duration::from_millis(100);

/// The directory of a store: where its files are, whether there is room, and who is told when it
/// cannot be trusted any more.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    min_free_bytes: AtomicU64,
    max_log_bytes: AtomicU64,
    fatal: Fatal,
    dead: AtomicBool,
    corrupt: AtomicBool,
    seen: Mutex<Option<(Instant, u64)>>,
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
            seen: Mutex::new(None),
        }
    }

    /// Sets another watermark, and with it the bound of the log.
    pub(crate) fn keep_free(&self, bytes: u64) {
        let settings = SpoolSettings::new("").with_min_free(bytes);
        (self.min_free_bytes).store(settings.min_free_bytes, Ordering::Relaxed);
        (self.max_log_bytes).store(settings.max_log_bytes, Ordering::Relaxed);
    }

    /// After about so many bytes the log is carried over into the database.
    pub(crate) fn max_log_bytes(&self) -> u64 {
        self.max_log_bytes.load(Ordering::Relaxed)
    }

    fn min_free_bytes(&self) -> u64 {
        self.min_free_bytes.load(Ordering::Relaxed)
    }

    /// Makes the directory and the one for bodies. Mail is private: what is made here nobody else
    /// can read; a directory that is there already keeps the mode that it was given.
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

    /// Makes the file of the database where there is none, and all that was made durable.
    pub(crate) fn create_database(&self) -> Result<(), SpoolError> {
        // SQLite would make it readable for all. Its logs get the mode of their database.
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

    /// The database's write-ahead log, which SQLite names.
    fn log(&self) -> PathBuf {
        self.directory.join("spool.db-wal")
    }

    /// What was accepted a moment ago.
    pub(crate) fn journal(&self) -> Paths {
        journal(&self.directory)
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

    /// Where the body of a message is, if it has a file.
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

    /// Whether the store has ended and the process, in a test, has not.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// Whether SQLite says that the database is damaged. It is said loudly, once, and no mail is
    /// taken from then on: what is accepted could not be kept.
    pub(crate) fn judge(&self, error: &SpoolError) -> bool {
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

    /// Whether the database is known to be damaged.
    pub(crate) fn is_corrupt(&self) -> bool {
        self.corrupt.load(Ordering::Acquire)
    }

    /// Whether `needed` more bytes leave the watermark dry, as known for at most 100 ms.
    pub(crate) fn room(&self, needed: u64) -> Result<(), SpoolError> {
        if self.is_dead() {
            return Err(SpoolError::Closed);
        }
        self.check(self.free()?, needed)
    }

    /// The same against a number of free bytes that the caller keeps.
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

    /// The error for a file system that refused to take more.
    pub(crate) fn full(&self) -> SpoolError {
        let free = self.free_now().unwrap_or(0);
        SpoolError::Full {
            free,
            needed: self.min_free_bytes().max(free.saturating_add(1)),
        }
    }

    fn free(&self) -> Result<u64, SpoolError> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen {
            Some((at, free)) if at.elapsed() < FRESH => Ok(free),
            _ => self.free_now(),
        }
    }

    /// Bytes free to this process, asked of the system now. What stands in the log is set aside:
    /// it needs as much again in the database before the log can be written over, and a log that
    /// could not be carried over would leave no room to record deliveries.
    pub(crate) fn free_now(&self) -> Result<u64, SpoolError> {
        let stat = rustix::fs::statvfs(&self.directory)
            .map_err(io::Error::from)
            .map_err(failed_to("ask for free space in", &self.directory))?;
        let log = fs::metadata(self.log()).map_or(0, |log| log.len());
        let free = stat
            .f_bavail
            .saturating_mul(stat.f_frsize)
            .saturating_sub(log);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), free));
        Ok(free)
    }
}

/// Whether SQLite says that a file is not what it wrote.
pub(crate) fn is_damage(error: &SpoolError) -> bool {
    matches!(
        error.sqlite_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Where the journal of a store lies.
pub(crate) fn journal(directory: &Path) -> Paths {
    Paths {
        journal: directory.join("journal"),
        mark: directory.join("journal.synced"),
    }
}

/// Names what was tried, and where.
pub(crate) fn failed_to(what: &str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    SpoolError::io(format!("{what} {}", path.display()))
}
