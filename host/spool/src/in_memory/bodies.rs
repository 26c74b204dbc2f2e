//! Bytes of large messages.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use gatepost_message::{Body, TransactionId};
use parking_lot::{Mutex, MutexGuard};

use super::room::Room;
use crate::{
    BodyStore, BodyWriter, SpoolError, StagedBytes, StoredBody,
    bodies::{BodyReader, StoredBytes},
};

/// All bodies by the id of their message, staged ones too; one that is being written is empty.
#[derive(Debug)]
struct Bodies {
    octets: Mutex<HashMap<TransactionId, Bytes>>,
    room: Arc<Room>,
}

impl Bodies {
    fn lock(&self) -> MutexGuard<'_, HashMap<TransactionId, Bytes>> {
        self.octets.lock()
    }

    /// Removes a body; returns false if there is none.
    fn remove(&self, id: TransactionId) -> bool {
        let removed = self.lock().remove(&id);
        let length = removed.as_ref().map_or(0, Bytes::len);
        self.room.free(length as u64);
        removed.is_some()
    }
}

/// A [`BodyStore`] in memory.
#[derive(Debug)]
pub(super) struct MemoryBodies(Arc<Bodies>);

impl MemoryBodies {
    pub(super) fn new(room: Arc<Room>) -> Self {
        Self(Arc::new(Bodies {
            octets: Mutex::default(),
            room,
        }))
    }

    /// Returns the transactions of all bodies, staged ones too.
    pub(super) fn ids(&self) -> Vec<TransactionId> {
        self.0.lock().keys().copied().collect()
    }
}

impl BodyStore for MemoryBodies {
    fn room(&self) -> Result<(), SpoolError> {
        self.0.room.check(0)
    }

    fn create(&self, id: TransactionId, first: u64) -> io::Result<Box<dyn BodyWriter>> {
        self.0.room.check(first).map_err(storage_full)?;
        match self.0.lock().entry(id) {
            Entry::Occupied(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Entry::Vacant(entry) => entry.insert(Bytes::new()),
        };
        Ok(Box::new(MemoryWriter {
            octets: Vec::new(),
            staged: StagedMemory {
                id,
                bodies: Arc::clone(&self.0),
                octets: Bytes::new(),
                keep: AtomicBool::new(false),
            },
        }))
    }

    fn open(&self, body: &StoredBody) -> Arc<dyn Body> {
        Arc::new(BodyReader(MemoryBody {
            bodies: Arc::clone(&self.0),
            body: *body,
            octets: OnceLock::new(),
        }))
    }

    fn remove(&self, id: TransactionId) -> Result<(), SpoolError> {
        match self.0.remove(id) {
            true => Ok(()),
            false => {
                let what = format!("remove the body of transaction {id}");
                Err(SpoolError::io(what)(io::ErrorKind::NotFound.into()))
            }
        }
    }
}

fn storage_full(error: SpoolError) -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, error)
}

#[derive(Debug)]
struct MemoryWriter {
    octets: Vec<u8>,
    staged: StagedMemory,
}

impl MemoryWriter {
    fn append(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        let length = (self.octets.len() + octets.len()) as u64;
        self.staged.bodies.room.check(length)?;
        self.octets.extend_from_slice(octets);
        Ok(())
    }
}

impl BodyWriter for MemoryWriter {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.append(octets).map_err(storage_full)
    }

    fn finish(mut self: Box<Self>, last: &[u8]) -> Result<Arc<dyn StagedBytes>, SpoolError> {
        self.append(last)?;
        let Self { octets, mut staged } = *self;
        staged.octets = octets.into();
        staged.bodies.room.add(staged.octets.len() as u64);
        (staged.bodies.lock()).insert(staged.id, staged.octets.clone());
        Ok(Arc::new(staged))
    }
}

/// A body that is removed when dropped, unless it is to be kept.
#[derive(Debug)]
struct StagedMemory {
    id: TransactionId,
    bodies: Arc<Bodies>,
    octets: Bytes,
    keep: AtomicBool,
}

impl StagedBytes for StagedMemory {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.octets.read_at(offset, buf)
    }

    fn keep(&self) {
        self.keep.store(true, Ordering::Relaxed);
    }
}

impl Drop for StagedMemory {
    fn drop(&mut self) {
        if !self.keep.load(Ordering::Relaxed) {
            self.bodies.remove(self.id);
        }
    }
}

/// A stored body, looked for when it is first read.
#[derive(Debug)]
struct MemoryBody {
    bodies: Arc<Bodies>,
    body: StoredBody,
    octets: OnceLock<Bytes>,
}

impl MemoryBody {
    /// Returns all octets, those before the body too.
    fn octets(&self) -> io::Result<&Bytes> {
        if let Some(octets) = self.octets.get() {
            return Ok(octets);
        }
        let found = self.bodies.lock().get(&self.body.id).cloned();
        let found = found.ok_or_else(|| {
            let text = format!("message {} has left the spool", self.body.id);
            io::Error::new(io::ErrorKind::NotFound, text)
        })?;
        Ok(self.octets.get_or_init(|| found))
    }
}

impl StoredBytes for MemoryBody {
    fn part(&self) -> StoredBody {
        self.body
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.octets()?.read_at(offset, buf)
    }
}
