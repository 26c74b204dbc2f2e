//! Backups of the store and the configuration: begun by one request, awaited by others. One goes on
//! if nobody awaits it, and ends with the relay.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use clap::Args;
use gatepost_backup::{
    BackupError, BackupKeys, BackupProgress, BackupSource, BackupStage, Manifest,
};
use gatepost_message::Millis;
use gatepost_spool::SpoolError;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::code::Code;
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Longest time for which a request waits for the end of a backup.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Request to begin a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BeginBackup {
    /// New folder for the backup, on another disk if possible. The relay makes it, as its user.
    pub to: PathBuf,
    /// Leave out the key ring, private keys, files of passwords, and a configuration that holds a
    /// password: then the backup opens nothing, and restoring it needs the key ring.
    #[arg(long)]
    #[serde(default)]
    pub without_keys: bool,
}

/// Request to wait for a backup, one second at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitBackup {
    /// Id of the backup.
    pub id: u64,
}

/// State of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    tag = "state",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum BackupState {
    /// It is being made.
    Running {
        /// Id of the backup.
        id: u64,
        /// Progress.
        #[serde(flatten)]
        progress: BackupProgress,
    },
    /// It is complete.
    Complete {
        /// Folder of the backup.
        folder: PathBuf,
        /// Time at which it was begun: what was accepted before is in it.
        begun: Millis,
        /// Time at which it was complete.
        ended: Millis,
        /// Number of files.
        files: u64,
        /// Size of all files in bytes.
        bytes: u64,
        /// True if it has the keys.
        keys: bool,
    },
}

/// Progress so far, or the error.
type Progress = Result<BackupState, OperationError>;

/// Backups of one store, of which one is made at a time.
#[derive(Debug)]
pub struct Backups {
    source: ArcSwap<BackupSource>,
    last: Mutex<Option<(u64, watch::Receiver<Progress>)>>,
}

impl Backups {
    /// Makes backups of this store and configuration.
    pub fn new(source: BackupSource) -> Self {
        Self {
            source: ArcSwap::from_pointee(source),
            last: Mutex::default(),
        }
    }

    /// Has the next backup made of this store and configuration.
    pub fn activate(&self, source: BackupSource) {
        self.source.store(Arc::new(source));
    }
}

/// Begins a backup.
///
/// # Errors
/// Another one is being made.
pub fn begin(on: &Runtime, asked: BeginBackup) -> Result<BackupState, OperationError> {
    let mut last = on.backups.last.lock();
    let (id, running) = match &*last {
        Some((id, progress)) => (*id, is_running(&progress.borrow()) && !is_over(progress)),
        None => (0, false),
    };
    if running {
        let text = "another backup is being made";
        return Err(OperationError::new(Code::BackupUnderWay, text));
    }
    if !asked.to.is_absolute() {
        let text = format!("{} is not an absolute path", asked.to.display());
        return Err(OperationError::new(Code::NotBackedUp, text));
    }
    let id = id + 1;
    let state = move |progress: BackupProgress| BackupState::Running { id, progress };
    let begun = state(BackupProgress {
        stage: BackupStage::Queue,
        done: 0,
        total: 0,
    });
    let (sender, progress) = watch::channel(Ok(begun.clone()));
    *last = Some((id, progress));
    drop(last);
    let (queue, source) = (Arc::clone(&on.queue), on.backups.source.load_full());
    tokio::spawn(async move {
        let reported = sender.clone();
        let report = Arc::new(move |progress| {
            let _former = reported.send_replace(Ok(state(progress)));
        });
        let keys = match asked.without_keys {
            true => BackupKeys::LeftOut,
            false => BackupKeys::Included,
        };
        let written = gatepost_backup::write(&*queue, &source, &asked.to, keys, report).await;
        let folder = asked.to.display();
        match &written {
            Ok(_) => tracing::info!(%folder, "backup complete"),
            Err(error) => tracing::error!(%folder, %error, "backup given up"),
        }
        let ended = written.map(|manifest| complete(asked.to, &manifest));
        let _former = sender.send_replace(ended.map_err(OperationError::from));
    });
    Ok(begun)
}

fn complete(folder: PathBuf, manifest: &Manifest) -> BackupState {
    BackupState::Complete {
        folder,
        begun: manifest.begun,
        ended: manifest.ended,
        files: manifest.files.len() as u64,
        bytes: manifest.files.iter().map(|file| file.size).sum(),
        keys: manifest.keys,
    }
}

/// Waits for a backup, one second at most.
///
/// # Errors
/// It was given up, or is not the last one that was begun.
pub async fn wait(on: &Runtime, asked: AwaitBackup) -> Result<BackupState, OperationError> {
    let progress = {
        let last = on.backups.last.lock();
        let last = last.as_ref().filter(|(id, _)| *id == asked.id);
        last.map(|(_, progress)| progress.clone())
    };
    let mut progress = progress.ok_or_else(|| {
        let text = "the backup is not the last one of this relay";
        OperationError::new(Code::UnknownBackup, text)
    })?;
    let ended = progress.wait_for(|progress| !is_running(progress));
    let ended = timeout(HEARTBEAT, ended).await;
    let ended = ended.map(|ended| ended.map(|ended| ended.clone()));
    match ended {
        Ok(Ok(ended)) => ended,
        // The task has panicked.
        Ok(Err(_)) => Err(OperationError::new(
            Code::Internal,
            "the backup was broken off by a defect",
        )),
        Err(_) => progress.borrow().clone(),
    }
}

fn is_running(progress: &Progress) -> bool {
    matches!(progress, Ok(BackupState::Running { .. }))
}

/// Returns true if the task of a backup has ended.
fn is_over(progress: &watch::Receiver<Progress>) -> bool {
    progress.has_changed().is_err()
}

impl From<BackupError> for OperationError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Spool(SpoolError::CopyUnderWay) => Self::new(Code::BackupUnderWay, error),
            BackupError::Spool(error @ (SpoolError::Closed | SpoolError::Corrupt(_))) => {
                error.into()
            }
            _ => Self::new(Code::NotBackedUp, error),
        }
    }
}
