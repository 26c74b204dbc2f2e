//! Restoring of a backup to a new store.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use gatepost_connections::SqliteStandings;
use gatepost_directory::{Directory, Settings};
use gatepost_files::{Owner, beside};
use gatepost_message::{Millis, TransactionId};
use gatepost_spool::{
    Fatal, Filter, QueueAdmin as _, RestoredQueue, SpoolSettings, SqliteSpool, Status,
    is_held_by_restore,
};
use serde::Serialize;

use crate::error::RestoreError;
use crate::manifest::{Manifest, ManifestFile, digest};
use crate::progress::{BackupReport, BackupStage, tell};

/// Suffix of a store until it is complete.
const PART: &str = ".restoring";

/// Name of the key ring in the store.
const KEY_RING: &str = "key-ring";

/// Files without which a store cannot be.
const NEEDED: [&str; 3] = ["spool.db", "directory.db", "connections.db"];

/// Number of messages that are listed at a time.
const PAGE: usize = 1000;

/// Order to restore a backup.
#[derive(Debug, Clone)]
pub struct RestoreOrder {
    /// Folder of the backup.
    pub from: PathBuf,
    /// Folder of the new store, which does not exist or is empty.
    pub store: PathBuf,
    /// Settings of the directory in the new store.
    pub directory: Settings,
    /// Key ring to take, where the backup has none.
    pub key_ring: Option<PathBuf>,
    /// Treatment of queued mail.
    pub queue: RestoredQueue,
    /// Handler of a disk that cannot be trusted.
    pub fatal: Fatal,
}

/// Store that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Restored {
    /// Folder of the store.
    pub store: PathBuf,
    /// Version of Gatepost that made the backup.
    pub version: String,
    /// Time at which the backup was begun.
    pub begun: Millis,
    /// Number of recipients that are held.
    pub recipients: u64,
    /// Number of messages whose body is missing or short, as it was when the backup was made.
    pub damaged_bodies: usize,
    /// Messages with a recipient that is held since.
    #[serde(skip)]
    pub held: Vec<HeldMessage>,
}

/// Message that is held since it may have been delivered after the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeldMessage {
    /// Transaction id.
    pub id: TransactionId,
    /// Time of reception.
    pub received_at: Millis,
    /// Account that the message belongs to.
    pub account: Option<String>,
    /// Reverse-path.
    pub from: String,
    /// Recipients that are held.
    pub to: Vec<String>,
}

/// Restores a backup. Blocks on the disk between its waits.
///
/// # Errors
/// The backup is not complete, was altered, or is of a later version; the store is in use, or not
/// empty; or the store that was made cannot be opened. Nothing is left of that store then.
pub async fn restore(
    order: RestoreOrder,
    now: Millis,
    report: BackupReport,
) -> Result<Restored, RestoreError> {
    let manifest = Manifest::read(&order.from)?;
    refuse_used(&order.store)?;
    let files = files_to_restore(&order.from, &manifest)?;
    let unfinished = Unfinished::begin(&order.store)?;
    let part = &unfinished.0;
    for (done, (file, below)) in files.iter().enumerate() {
        tell(&report, BackupStage::Digests, done, files.len());
        copy(&order.from, file, &part.join(below))?;
    }
    tell(&report, BackupStage::Digests, files.len(), files.len());
    let keys = take_key_ring(&order, part)?;
    let restored = open_parts(&order, part, &manifest, now, &report).await?;
    finish(&order, part, keys)?;
    Ok(restored)
}

/// Refuses a place where a store is, or something else.
fn refuse_used(store: &Path) -> Result<(), RestoreError> {
    let mut entries = match fs::read_dir(store) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(RestoreError::NotEmpty(store.to_owned()));
        }
        Err(error) => return Err(RestoreError::io("read", store)(error)),
    };
    if entries.next().is_none() {
        return Ok(());
    }
    let lock = File::options().write(true).open(store.join("lock"));
    let locked = lock.map(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    match locked {
        Ok(true) => Err(RestoreError::InUse(store.to_owned())),
        _ => Err(RestoreError::NotEmpty(store.to_owned())),
    }
}

/// Returns the files of the store with their places in it.
fn files_to_restore<'a>(
    from: &Path,
    manifest: &'a Manifest,
) -> Result<Vec<(&'a ManifestFile, &'a Path)>, RestoreError> {
    let files = manifest.files.iter();
    let files = files.filter_map(|file| Some((file, file.below("store")?)));
    let files: Vec<_> = files.collect();
    let missing = NEEDED.iter().find(|name| {
        let mut files = files.iter();
        files.all(|(_, below)| *below != Path::new(name))
    });
    match missing {
        None => Ok(files),
        Some(name) => Err(RestoreError::NoBackup {
            path: from.to_owned(),
            why: format!("it has no store/{name}"),
        }),
    }
}

/// Folder of a store that is not complete. Dropped, it is removed.
struct Unfinished(PathBuf);

impl Unfinished {
    fn begin(store: &Path) -> Result<Self, RestoreError> {
        let part = beside(store, PART);
        match DirBuilder::new().mode(0o700).create(&part) {
            Ok(()) => Ok(Self(part)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(RestoreError::Unfinished(part))
            }
            Err(error) => Err(RestoreError::io("make the folder", &part)(error)),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It has another name once it is complete. What cannot be removed is named the next time.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies a file of the backup, and compares its digest.
fn copy(from: &Path, file: &ManifestFile, to: &Path) -> Result<(), RestoreError> {
    let path = from.join(&file.path);
    let altered = |why: String| RestoreError::Altered {
        path: path.clone(),
        why,
    };
    if let Some(folder) = to.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(RestoreError::io("make the folder", folder))?;
    }
    let opened = gatepost_files::open(&path).map_err(|error| altered(error.to_string()))?;
    let copied = (|| {
        let mut options = File::options();
        let mut to = options.write(true).create_new(true).mode(0o600).open(to)?;
        let digested = digest(opened, |piece| to.write_all(piece))?;
        to.sync_all()?;
        io::Result::Ok(digested)
    })();
    let (size, sha256) = copied.map_err(RestoreError::io("copy", &path))?;
    if size != file.size {
        return Err(altered(format!("it has {size} octets of {}", file.size)));
    }
    if sha256 != file.sha256 {
        return Err(altered("its digest is another one".to_owned()));
    }
    Ok(())
}

/// Place of the key ring that the restored relay reads.
enum KeyPlace {
    /// In the store.
    Store,
    /// Outside of it, where there is one already: that stays.
    OutsideAlready,
    /// Outside of it, where there is none.
    Outside,
}

/// Puts the key ring that the restored relay will read into the new store, so that the directory is
/// opened with it.
fn take_key_ring(order: &RestoreOrder, part: &Path) -> Result<KeyPlace, RestoreError> {
    let place = &order.directory.key_ring;
    let ring = part.join(KEY_RING);
    let is_in_store = *place == order.store.join(KEY_RING);
    let take = |from: &Path| {
        let octets = gatepost_files::read(from, gatepost_files::SETTINGS);
        let octets = octets.map_err(|error| RestoreError::io("read", from)(error.into()))?;
        let written = gatepost_files::replace(&ring, &zeroize::Zeroizing::new(octets));
        written.map_err(RestoreError::io("write", &ring))
    };
    if !is_in_store && place.exists() {
        take(place)?;
        return Ok(KeyPlace::OutsideAlready);
    }
    match (&order.key_ring, ring.exists()) {
        (Some(given), _) => take(given)?,
        (None, true) => {}
        (None, false) => return Err(RestoreError::NoKeys(place.clone())),
    }
    Ok(match is_in_store {
        true => KeyPlace::Store,
        false => KeyPlace::Outside,
    })
}

/// Opens each part of the new store as the relay would, which brings it to the present schema, and
/// sees to the queue.
async fn open_parts(
    order: &RestoreOrder,
    part: &Path,
    manifest: &Manifest,
    now: Millis,
    report: &BackupReport,
) -> Result<Restored, RestoreError> {
    tell(report, BackupStage::Opening, 0, NEEDED.len());
    drop(Directory::open(&Settings {
        path: part.join("directory.db"),
        key_ring: part.join(KEY_RING),
        ..order.directory.clone()
    })?);
    tell(report, BackupStage::Opening, 1, NEEDED.len());
    drop(SqliteStandings::open(&part.join("connections.db"))?);
    tell(report, BackupStage::Opening, 2, NEEDED.len());
    let mut settings = SpoolSettings::new(part);
    settings.fatal = order.fatal.clone();
    let spool = SqliteSpool::open_copy(settings)?;
    let recipients = spool.restored(manifest.begun, now, order.queue).await?;
    let restored = Restored {
        store: order.store.clone(),
        version: manifest.version.clone(),
        begun: manifest.begun,
        recipients,
        damaged_bodies: spool.damaged_bodies().len(),
        held: held(&spool).await?,
    };
    tell(report, BackupStage::Opening, 3, NEEDED.len());
    Ok(restored)
}

/// Lists the messages that are held since the store was restored.
async fn held(spool: &SqliteSpool) -> Result<Vec<HeldMessage>, RestoreError> {
    let (mut held, mut after) = (Vec::new(), None);
    loop {
        let page = spool.list(Filter {
            status: Some(Status::Held),
            after,
            limit: PAGE,
            ..Filter::default()
        });
        let page = page.await?;
        let Some(last) = page.last() else {
            return Ok(held);
        };
        after = Some(last.id);
        for message in page {
            let recipients = message
                .recipients
                .iter()
                .filter(|of| is_held_by_restore(of));
            let to: Vec<_> = recipients.map(|of| of.address.to_string()).collect();
            if !to.is_empty() {
                held.push(HeldMessage {
                    id: message.id,
                    received_at: message.received_at,
                    account: message.account,
                    from: message.reverse_path.to_string(),
                    to,
                });
            }
        }
    }
}

/// Puts the key ring in its place, and gives the store its name and its owner.
fn finish(order: &RestoreOrder, part: &Path, keys: KeyPlace) -> Result<(), RestoreError> {
    let ring = part.join(KEY_RING);
    let place = &order.directory.key_ring;
    let owner = Owner::of(&order.store);
    if let Some(owner) = owner {
        let given = owner.give_all(part);
        given.map_err(RestoreError::io("give to the relay", part))?;
    }
    match keys {
        KeyPlace::Store => {}
        KeyPlace::OutsideAlready => remove(&ring)?,
        KeyPlace::Outside => {
            let read = gatepost_files::read(&ring, gatepost_files::SETTINGS);
            let written = read.map_err(io::Error::from).and_then(|octets| {
                gatepost_files::replace(place, &zeroize::Zeroizing::new(octets))
            });
            written.map_err(RestoreError::io("write", place))?;
            if let Some(owner) = owner {
                let given = owner.give(place);
                given.map_err(RestoreError::io("give to the relay", place))?;
            }
            remove(&ring)?;
        }
    }
    let synced = File::open(part).and_then(|folder| folder.sync_all());
    synced.map_err(RestoreError::io("sync", part))?;
    // In the place of an empty folder, too; another one is left alone.
    let named = fs::rename(part, &order.store);
    let named = named.and_then(|()| gatepost_files::sync_folder(&order.store));
    named.map_err(RestoreError::io("name the store", &order.store))
}

fn remove(path: &Path) -> Result<(), RestoreError> {
    fs::remove_file(path).map_err(RestoreError::io("remove", path))
}
