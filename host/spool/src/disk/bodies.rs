//! Large bodies as files of the store's directory: `incoming/<transaction id>`.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use gatepost_message::{Body, BodyDamage, TransactionId};

use super::{Disk, failed_to};
use crate::{
    BodyStore, BodyWriter, SpoolError, StagedBytes, StoredBody,
    bodies::{BodyReader, StoredBytes},
};

/// The files in `incoming/`.
#[derive(Debug)]
pub(crate) struct DiskBodies(pub(crate) Arc<Disk>);

impl BodyStore for DiskBodies {
    fn room(&self) -> Result<(), SpoolError> {
        self.0.room(0)
    }

    fn create(&self, id: TransactionId, first: u64) -> io::Result<Box<dyn BodyWriter>> {
        refuse_without_room(&self.0, first)?;
        let path = self.0.body(id);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Box::new(FileWriter {
            id,
            disk: Arc::clone(&self.0),
            staged: StagedFile {
                path,
                file,
                keep: AtomicBool::new(false),
            },
        }))
    }

    fn open(&self, body: &StoredBody) -> Arc<dyn Body> {
        Arc::new(BodyReader(FileBody {
            path: self.0.body(body.id),
            body: *body,
            file: OnceLock::new(),
        }))
    }

    fn remove(&self, id: TransactionId) -> Result<(), SpoolError> {
        if let Some(removals) = &mut *self.0.removals.lock() {
            removals.push(id);
            return Ok(());
        }
        remove(&self.0, id)
    }
}

fn remove(disk: &Disk, id: TransactionId) -> Result<(), SpoolError> {
    let path = disk.body(id);
    fs::remove_file(&path).map_err(failed_to("remove", &path))
}

/// Pause in the removal of bodies, while the store is copied. Dropped, it removes those that were to
/// be removed meanwhile. If the process ends before, the next start removes them.
#[derive(Debug)]
pub(crate) struct RemovalPause(Arc<Disk>);

impl RemovalPause {
    /// Begins a pause; `None` if there is one, since one copy is made at a time.
    pub(crate) fn begin(disk: &Arc<Disk>) -> Option<Self> {
        let mut removals = disk.removals.lock();
        if removals.is_some() {
            return None;
        }
        *removals = Some(Vec::new());
        Some(Self(Arc::clone(disk)))
    }
}

impl Drop for RemovalPause {
    fn drop(&mut self) {
        let removals = self.0.removals.lock().take();
        for id in removals.into_iter().flatten() {
            if let Err(error) = remove(&self.0, id) {
                tracing::warn!(%error, "cannot remove the body of a finished message");
            }
        }
    }
}

fn refuse_without_room(disk: &Disk, octets: u64) -> io::Result<()> {
    disk.room(octets).map_err(|error| match error {
        SpoolError::Full { .. } => io::Error::new(io::ErrorKind::StorageFull, error),
        other => io::Error::other(other),
    })
}

/// Writer of a file in `incoming/`.
#[derive(Debug)]
struct FileWriter {
    id: TransactionId,
    disk: Arc<Disk>,
    staged: StagedFile,
}

impl BodyWriter for FileWriter {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        refuse_without_room(&self.disk, octets.len() as u64)?;
        self.staged.file.write_all(octets)
    }

    fn finish(mut self: Box<Self>, last: &[u8]) -> Result<Arc<dyn StagedBytes>, SpoolError> {
        self.write(last).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => self.disk.full_error(),
            _ => SpoolError::io(format!("write the body of transaction {}", self.id))(error),
        })?;
        self.disk.sync(&self.staged.file, &self.staged.path)?;
        self.disk.sync_directory(&self.disk.incoming())?;
        Ok(Arc::new(self.staged))
    }
}

/// A file in `incoming/`, removed when dropped unless it is to be kept.
#[derive(Debug)]
struct StagedFile {
    path: PathBuf,
    file: File,
    keep: AtomicBool,
}

impl StagedBytes for StagedFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn keep(&self) {
        self.keep.store(true, Ordering::Relaxed);
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.keep.load(Ordering::Relaxed)
            && let Err(error) = fs::remove_file(&self.path)
        {
            // The next start removes it.
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a staged body");
        }
    }
}

/// A stored body in a file of its own.
#[derive(Debug)]
struct FileBody {
    path: PathBuf,
    body: StoredBody,
    file: OnceLock<File>,
}

impl FileBody {
    /// Returns the file, which is opened once and held.
    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let opened = gatepost_files::open(&self.path).map_err(io::Error::from)?;
        let due = self.body.offset + self.body.length;
        let found = opened.metadata()?.len();
        if found < due {
            let why = format!("{} has {found} octets of {due}", self.path.display());
            return Err(BodyDamage { why }.into());
        }
        Ok(self.file.get_or_init(|| opened))
    }
}

impl StoredBytes for FileBody {
    fn part(&self) -> StoredBody {
        self.body
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file()?.read_at(buf, offset)
    }
}
