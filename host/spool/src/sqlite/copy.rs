//! Copies of the store while it is used.
//!
//! The writer itself copies the database, some pages between two batches, by SQLite's online backup:
//! - no reader keeps the WAL from being copied into the database, however long the copy takes;
//! - SQLite writes what the same connection commits meanwhile to the copy, too, so that the copy
//!   never begins anew under load, and is of the moment of its last page.
//!
//! All of the journal is in the database when the copy begins, and again before its last pages. So
//! the copy needs no journal, and a new store is made of it without one ([`forget_journal`]). Put
//! back beside the journal of its own store, it takes over what that holds. Bodies in files are
//! copied last; none is removed before ([`RemovalPause`]).

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use gatepost_files::{
    sqlite::{self, create_private},
    user_version,
};
use parking_lot::Mutex;
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use tokio::{sync::oneshot, task::spawn_blocking};

use crate::{
    CopyProgress, CopyReport, SpoolError, Ticket,
    disk::{Disk, RemovalPause, failed_to},
};

use super::{
    SqliteSpool,
    bodies::expected_files,
    schema::{CURRENT, HAS_JOURNAL},
};

/// Pages of one step, for which a batch may have to wait.
const PAGES: i32 = 128;

/// Factor by which a copy may take more steps than it has pages, before it is given up. A change
/// that is rolled back begins it anew.
const MOST_BEGINNINGS: u64 = 20;

/// Copy of the database that the writer is asked for.
pub(super) struct DatabaseCopy {
    path: PathBuf,
    report: CopyReport,
    /// Channel for the outcome, until it is sent.
    outcome: Mutex<Option<oneshot::Sender<Result<(), SpoolError>>>>,
}

impl DatabaseCopy {
    /// Creates the file of the copy, which must not exist.
    pub(super) fn create(&self) -> Result<Connection, SpoolError> {
        create_private(&self.path);
        let created = Connection::open(&self.path).and_then(|connection| {
            // A copy that is not finished is thrown away, and a finished one is synced as a file.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            Ok(connection)
        });
        created.map_err(not_copied)
    }

    pub(super) fn report(&self, progress: CopyProgress) {
        self.report.tell(progress);
    }

    pub(super) fn answer(&self, copied: Result<(), SpoolError>) {
        if let Some(outcome) = self.outcome.lock().take() {
            // Nobody waits for a copy that was given up.
            let _ = outcome.send(copied);
        }
    }
}

/// Returns the error of a copy. It says nothing of the state of the store.
fn not_copied(error: rusqlite::Error) -> SpoolError {
    SpoolError::NotCopied(error.to_string())
}

/// Rest of a copy after a step.
pub(super) enum StepsLeft {
    /// All pages are copied.
    None,
    /// Some are left.
    Some(CopyProgress),
}

/// Steps of a copy.
pub(super) struct CopySteps<'from, 'to> {
    backup: Backup<'from, 'to>,
    taken: u64,
}

impl<'from, 'to> CopySteps<'from, 'to> {
    pub(super) fn begin(
        from: &'from Connection,
        to: &'to mut Connection,
    ) -> Result<Self, SpoolError> {
        let backup = Backup::new(from, to).map_err(not_copied)?;
        Ok(Self { backup, taken: 0 })
    }

    /// Returns true if the next step may be the last one.
    pub(super) fn next_is_last(&self) -> bool {
        self.taken > 0 && self.backup.progress().remaining <= PAGES
    }

    /// Copies some pages.
    pub(super) fn take(&mut self) -> Result<StepsLeft, SpoolError> {
        if self.backup.step(PAGES).map_err(not_copied)? == StepResult::Done {
            return Ok(StepsLeft::None);
        }
        let progress = self.backup.progress();
        let total = u64::try_from(progress.pagecount).unwrap_or(0);
        let left = u64::try_from(progress.remaining).unwrap_or(0);
        self.taken += 1;
        if self.taken > MOST_BEGINNINGS * (1 + total / u64::from(PAGES.unsigned_abs())) {
            let why = "it is changed too often; try again when less mail is on its way";
            return Err(SpoolError::NotCopied(why.to_owned()));
        }
        Ok(StepsLeft::Some(CopyProgress::Database {
            done: total.saturating_sub(left),
            total,
        }))
    }
}

/// Copies the store into an empty folder.
pub(super) fn copy_to(spool: &SqliteSpool, folder: PathBuf, report: CopyReport) -> Ticket<()> {
    let disk = Arc::clone(&spool.disk);
    let Some(pause) = RemovalPause::begin(&disk) else {
        return Box::pin(async { Err(SpoolError::CopyUnderWay) });
    };
    let (outcome, copied) = oneshot::channel();
    let copy = Arc::new(DatabaseCopy {
        path: folder.join("spool.db"),
        report: report.clone(),
        outcome: Mutex::new(Some(outcome)),
    });
    // The whole journal is in the database when the copy begins.
    let begun = spool.change(move |context| {
        context.after.copies.push(Arc::clone(&copy));
        Ok(())
    });
    Box::pin(async move {
        begun.await?;
        copied.await.unwrap_or(Err(SpoolError::Closed))?;
        let rest = spawn_blocking(move || {
            let finished = finish(&folder, &disk, &report);
            drop(pause);
            finished
        });
        rest.await.unwrap_or(Err(SpoolError::Closed))
    })
}

/// Copies the bodies that a copied database names, and makes all of it durable.
fn finish(folder: &Path, disk: &Disk, report: &CopyReport) -> Result<(), SpoolError> {
    let path = folder.join("spool.db");
    let bodies = bodies_of(&path).map_err(not_copied)?;
    sync(&path)?;
    let incoming = folder.join("incoming");
    let mut private = DirBuilder::new();
    let made = private.mode(0o700).create(&incoming);
    made.map_err(failed_to("make directory", &incoming))?;
    let total = bodies.len() as u64;
    for (done, name) in (0..).zip(&bodies) {
        report.tell(CopyProgress::Bodies { done, total });
        let from = disk.incoming().join(name);
        match copy_file(&from, &incoming.join(name)) {
            Ok(()) => {}
            // The store is damaged, and says so; the other messages are saved all the same.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(path = %from.display(), "a body is missing, in the copy as well");
            }
            Err(error) => return Err(failed_to("copy", &from)(error)),
        }
    }
    report.tell(CopyProgress::Bodies { done: total, total });
    sync(&incoming)?;
    sync(folder)
}

/// Has a copied database know of no journal, since there is none in a new store.
pub(super) fn forget_journal(path: &Path) -> rusqlite::Result<()> {
    let connection = sqlite::connect(path)?;
    // One of a later version is refused when it is opened.
    if (HAS_JOURNAL..=CURRENT).contains(&user_version(&connection)?) {
        connection.execute_batch("DELETE FROM journal; DELETE FROM carried;")?;
    }
    Ok(())
}

/// Returns the names of the bodies that have files.
fn bodies_of(path: &Path) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open(path)?;
    let bodies = expected_files(&connection)?.into_keys().collect();
    // One file, without a log beside it.
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(bodies)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = gatepost_files::open(from)?;
    let mut options = File::options();
    let mut to = options.write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

fn sync(path: &Path) -> Result<(), SpoolError> {
    let synced = fs::File::open(path).and_then(|file| file.sync_all());
    synced.map_err(failed_to("sync", path))
}
