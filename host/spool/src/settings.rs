//! Settings of a store, and the handler that ends the process when the disk cannot be trusted.

use std::{fmt, path::PathBuf, sync::Arc};

/// Directory, bounds and fatal handler of a store.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// Directory of the store, created if it is missing. Holds `spool.db`, `journal`, `lock` and
    /// `incoming/`; belongs on one local file system, and to one relay.
    pub directory: PathBuf,
    /// Intake stops while fewer bytes than this are free on the store's file system.
    ///
    /// Deliveries are still recorded then: a result changes a few pages of the write-ahead log,
    /// which is mostly overwritten in place and bounded (see [`SpoolSettings::max_log_bytes`]), and
    /// finished mail frees space. So this must be more than twice the bound of the log;
    /// [`SpoolSettings::with_min_free`] ensures that. The default is 256 MiB.
    pub min_free_bytes: u64,
    /// Size of the write-ahead log, in bytes, after which it is copied into the database, if the
    /// relay was not idle before; the default is 32 MiB. Half as much is allocated for the journal.
    pub max_log_bytes: u64,
    /// Most octets of memory for the marks of one policy in one account, for its counts, and for
    /// the machines that an account knows; the default is 8 MiB. Beyond that the weakest is
    /// evicted: the mark that ends soonest, the smallest and oldest count, the machine that would
    /// be forgotten first.
    pub remembered_bytes: usize,
    /// Handler that ends the process.
    pub fatal: Fatal,
}

impl SpoolSettings {
    /// Returns the default settings for that directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            min_free_bytes: 256 << 20,
            max_log_bytes: 32 << 20,
            remembered_bytes: 8 << 20,
            fatal: Fatal::default(),
        }
    }

    /// Returns the settings with another bound for intake, and a log small enough for it.
    #[must_use]
    pub fn with_min_free(mut self, bytes: u64) -> Self {
        self.min_free_bytes = bytes;
        self.max_log_bytes = self.max_log_bytes.min(bytes / 4);
        self
    }
}

/// Handler for a commit or an fsync that failed.
///
/// After a failed fsync the kernel may have dropped the very pages it could not write, and a second
/// fsync would report success, so retrying proves nothing. The only safe way on is a new process
/// that reads back what is really there. So the default prints one line to standard error and exits
/// with status 74 (`EX_IOERR`). Tests put a hook of their own here; once it returns, the spool is
/// [closed](crate::SpoolError::Closed).
#[derive(Clone)]
pub struct Fatal(Arc<dyn Fn(&str) + Send + Sync>);

impl Fatal {
    /// Makes a handler that calls `hook` with a description of the failure.
    pub fn new(hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Returns the sentence that tells an operator of the failure.
    pub fn sentence(what: &str) -> String {
        format!(
            "gatepost: {what}. What was accepted is safe only if it can be read back: stopping. \
             Check the disk, see what `gatepost doctor` finds, then start the relay again"
        )
    }

    pub(crate) fn call(&self, what: &str) {
        (self.0)(what);
    }
}

impl Default for Fatal {
    fn default() -> Self {
        Self::new(|what| {
            eprintln!("{}", Self::sentence(what));
            std::process::exit(74);
        })
    }
}

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fatal")
    }
}
