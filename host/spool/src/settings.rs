//! How a store is opened, and how the process ends when the disk cannot be trusted.

use std::{fmt, path::PathBuf, sync::Arc};

/// Where a store is and how it behaves.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// The directory of the store, made if it is not there. Holds `spool.db`, `journal`,
    /// `lock` and `incoming/`; belongs on one file system, local, and to one relay.
    pub directory: PathBuf,
    /// Intake stops while fewer bytes than this are free on the store's file system.
    ///
    /// Deliveries are still recorded then: a result changes a few pages of the log, which is
    /// mostly written over in place and bounded (see [`SpoolSettings::max_log_bytes`]), and what
    /// is finished frees room. So this must be more than twice the bound of the log, as
    /// [`SpoolSettings::with_min_free`] sees to; the default is 256 MiB.
    pub min_free_bytes: u64,
    /// The write-ahead log is carried over into the database when the relay is idle, and at the
    /// latest after about so many bytes; the default is 32 MiB. Half as much is set aside for the
    /// journal.
    pub max_log_bytes: u64,
    /// How many octets of memory the marks of one policy for one account may take, as many its
    /// counts, and as many the machines that an account knows; the default is 8 MiB. Beyond that
    /// the weakest is forgotten: the mark that ends soonest, the count that is least and longest
    /// past, the machine that would be forgotten first.
    pub remembered_bytes: usize,
    /// What ends the process.
    pub fatal: Fatal,
}

impl SpoolSettings {
    /// The defaults, in that directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            min_free_bytes: 256 << 20,
            max_log_bytes: 32 << 20,
            remembered_bytes: 8 << 20,
            fatal: Fatal::default(),
        }
    }

    /// The same with another bound for intake, and a log small enough for it.
    #[must_use]
    pub fn with_min_free(mut self, bytes: u64) -> Self {
        self.min_free_bytes = bytes;
        self.max_log_bytes = self.max_log_bytes.min(bytes / 4);
        self
    }
}

/// What happens when a commit or an fsync fails.
///
/// After a failed fsync the kernel may have dropped the very pages it could not write, and a
/// second fsync would report success: whatever is retried then is a lie. The only honest way on
/// is a new process that reads back what is really there. So the default prints one line to
/// standard error and exits with status 74 (`EX_IOERR`). Tests put a hook of their own here; once
/// it returns, the spool is [closed](crate::SpoolError::Closed).
#[derive(Clone)]
pub struct Fatal(Arc<dyn Fn(&str) + Send + Sync>);

impl Fatal {
    /// Calls `hook` with what happened, in a sentence.
    pub fn new(hook: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// What an operator is told of what happened.
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
