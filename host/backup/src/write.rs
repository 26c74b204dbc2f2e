//! Making of a backup.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_files::{FileError, beside, sqlite};
use gatepost_message::Millis;
use gatepost_spool::{CopyProgress, CopyReport, QueueAdmin, SpoolError};
use tokio::task::spawn_blocking;

use crate::error::BackupError;
use crate::manifest::{self, FORM, Manifest, ManifestFile, digest, files_of};
use crate::progress::{BackupProgress, BackupReport, BackupStage, tell};
use crate::source::{BackupKeys, BackupSource};

/// Suffix of a backup until it is complete.
const PART: &str = ".part";

/// Makes a backup in a new folder.
///
/// # Errors
/// The folder exists, or something cannot be copied; then nothing is left of it.
pub async fn write(
    queue: &dyn QueueAdmin,
    source: &BackupSource,
    to: &Path,
    keys: BackupKeys,
    report: BackupReport,
) -> Result<Manifest, BackupError> {
    let part = begin(source, to)?;
    let unfinished = Unfinished(Some(part.clone()));
    let begun = Millis::now();
    let store = part.join("store");
    make_folder(&store)?;
    queue.copy_to(store, of_queue(&report)).await?;
    let (source, to) = (source.clone(), to.to_owned());
    let rest = spawn_blocking(move || {
        let manifest = finish(&source, &part, &to, keys, begun, &report);
        unfinished.kept_if(manifest.is_ok());
        manifest
    });
    rest.await.unwrap_or(Err(SpoolError::Closed.into()))
}

/// Makes the folder in which the backup is made.
fn begin(source: &BackupSource, to: &Path) -> Result<PathBuf, BackupError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let parent = match to.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(BackupError::Exists(to.to_owned())),
    };
    let found = parent.canonicalize();
    let found = found.map_err(BackupError::io("find the folder", parent))?;
    let store = source.store.canonicalize();
    let store = store.map_err(BackupError::io("find the store", &source.store))?;
    if found.starts_with(store) {
        return Err(BackupError::InStore(to.to_owned()));
    }
    let part = beside(to, PART);
    let made = DirBuilder::new().mode(0o700).create(&part);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(BackupError::Unfinished(part))
        }
        Err(error) => Err(BackupError::io("make the folder", &part)(error)),
        Ok(()) => Ok(part),
    }
}

/// Folder of a backup that is not complete. Dropped, it is removed.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    fn kept_if(mut self, complete: bool) {
        if complete {
            self.0 = None;
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(part) = &self.0 {
            // What cannot be removed is named when the next backup is begun there.
            let _ = fs::remove_dir_all(part);
        }
    }
}

fn of_queue(report: &BackupReport) -> CopyReport {
    let report = Arc::clone(report);
    CopyReport::new(move |progress| {
        let (stage, done, total) = match progress {
            CopyProgress::Database { done, total } => (BackupStage::Queue, done, total),
            CopyProgress::Bodies { done, total } => (BackupStage::Bodies, done, total),
        };
        report(BackupProgress { stage, done, total });
    })
}

/// Copies all but the queue, writes the manifest, and gives the backup its name.
fn finish(
    source: &BackupSource,
    part: &Path,
    to: &Path,
    keys: BackupKeys,
    begun: Millis,
    report: &BackupReport,
) -> Result<Manifest, BackupError> {
    let store = part.join("store");
    for (done, name) in ["directory.db", "connections.db"].into_iter().enumerate() {
        tell(report, BackupStage::Directory, done, 3);
        let path = source.store.join(name);
        let copied = sqlite::copy(&path, &store.join(name));
        copied.map_err(|source| BackupError::Database { path, source })?;
    }
    copy_tokens(&source.store.join("tokens"), &store.join("tokens"))?;
    copy_policies(&source.store.join("policies"), &store.join("policies"))?;
    if keys == BackupKeys::Included {
        copy(&source.key_ring, &store.join("key-ring"))?;
        // Only where the log names addresses by it.
        let log_key = source.store.join("log.key");
        if log_key.exists() {
            copy(&log_key, &store.join("log.key"))?;
        }
    }
    tell(report, BackupStage::Directory, 3, 3);
    copy_configuration(source, &part.join("configuration"), keys, report)?;
    let manifest = Manifest {
        form: FORM,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        begun,
        ended: Millis::now(),
        keys: keys == BackupKeys::Included,
        files: describe(part, report)?,
    };
    let path = part.join(manifest::NAME);
    let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from);
    let written = text.and_then(|text| gatepost_files::replace(&path, &text));
    written.map_err(BackupError::io("write", &path))?;
    // Renaming would replace an empty folder that was made meanwhile.
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let named = fs::rename(part, to).and_then(|()| gatepost_files::sync_folder(to));
    named.map_err(BackupError::io("name the backup", to))?;
    Ok(manifest)
}

/// Copies the encrypted tokens of connections, which lie in a folder for each.
fn copy_tokens(from: &Path, to: &Path) -> Result<(), BackupError> {
    let files = match files_of(from) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BackupError::io("read", from)(error)),
    };
    for file in files {
        let name = file.strip_prefix(from).unwrap_or(&file);
        // One that is just being written, or was just removed with its connection.
        if name.extension().is_none_or(|suffix| suffix != "part") && file.exists() {
            copy(&file, &to.join(name))?;
        }
    }
    Ok(())
}

/// Copies the history of the policies' versions: first the file that names the modules, then the
/// modules.
fn copy_policies(from: &Path, to: &Path) -> Result<(), BackupError> {
    let state = Path::new("state.json");
    if !from.join(state).exists() {
        return Ok(());
    }
    copy(&from.join(state), &to.join(state))?;
    for file in files_of(from).map_err(BackupError::io("read", from))? {
        let name = file.strip_prefix(from).unwrap_or(&file);
        // One that is no longer named may just have been removed.
        if name.extension().is_some_and(|suffix| suffix == "wasm") && file.exists() {
            copy(&file, &to.join(name))?;
        }
    }
    Ok(())
}

fn copy_configuration(
    source: &BackupSource,
    to: &Path,
    keys: BackupKeys,
    report: &BackupReport,
) -> Result<(), BackupError> {
    let files = &source.configuration;
    for (done, file) in files.iter().enumerate() {
        tell(report, BackupStage::Configuration, done, files.len());
        if file.is_secret && keys == BackupKeys::LeftOut {
            continue;
        }
        let (Some(parent), Some(name)) = (file.path.parent(), file.path.file_name()) else {
            continue;
        };
        let parent = match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        };
        // A file that is missing is missed by the configuration itself.
        let Ok(parent) = parent.canonicalize() else {
            continue;
        };
        let below = parent.strip_prefix("/").unwrap_or(&parent);
        if parent.join(name).exists() {
            copy(&parent.join(name), &to.join(below).join(name))?;
        }
    }
    tell(report, BackupStage::Configuration, files.len(), files.len());
    Ok(())
}

/// Returns all files of the backup with their digests, and makes them durable.
fn describe(part: &Path, report: &BackupReport) -> Result<Vec<ManifestFile>, BackupError> {
    let files = files_of(part).map_err(BackupError::io("read", part))?;
    let folders: BTreeSet<_> = files.iter().filter_map(|file| file.parent()).collect();
    for folder in folders {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(BackupError::io("sync", folder))?;
    }
    let total = files.len();
    let mut described = Vec::with_capacity(total);
    for (done, file) in files.into_iter().enumerate() {
        tell(report, BackupStage::Digests, done, total);
        let digested = File::open(&file).and_then(|opened| {
            opened.sync_all()?;
            digest(opened, |_| Ok(()))
        });
        let (size, sha256) = digested.map_err(BackupError::io("read", &file))?;
        let path = file.strip_prefix(part).unwrap_or(&file);
        let path = path.to_str().map(str::to_owned);
        let not_text = || io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8");
        let path = path.ok_or_else(|| BackupError::io("name", &file)(not_text()))?;
        described.push(ManifestFile { path, size, sha256 });
    }
    tell(report, BackupStage::Digests, total, total);
    Ok(described)
}

fn make_folder(path: &Path) -> Result<(), BackupError> {
    let mut private = DirBuilder::new();
    let made = private.recursive(true).mode(0o700).create(path);
    made.map_err(BackupError::io("make the folder", path))
}

/// Copies a regular file to a new one with mode 0600, in a private folder.
fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    let copied = gatepost_files::open(from).and_then(|mut from| {
        let mut options = File::options();
        let mut to = options.write(true).create_new(true).mode(0o600).open(to)?;
        io::copy(&mut from, &mut to)?;
        Ok(to.sync_all()?)
    });
    let copied = copied.map_err(|error: FileError| io::Error::from(error));
    copied.map_err(BackupError::io("copy", from))
}
