//! Bodies of stored messages, read on first access.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use gatepost_message::{Body, Checksum, TransactionId};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};

use crate::{BodyStore, SpoolError, StoredBody, disk::Disk};

/// Reader of bodies: a connection of its own for those in the database, and the store of the others.
#[derive(Debug)]
pub(super) struct BodyReader {
    connection: Mutex<Connection>,
    disk: Arc<Disk>,
    body_store: Arc<dyn BodyStore>,
}

impl BodyReader {
    /// Makes a reader; `connection` must be read-only.
    pub(super) fn new(
        connection: Connection,
        disk: Arc<Disk>,
        body_store: Arc<dyn BodyStore>,
    ) -> Self {
        Self {
            connection: Mutex::new(connection),
            disk,
            body_store,
        }
    }

    /// Returns the body of a message, `length` octets long; at `offset` of its bytes in the body
    /// store, if it is there. The CRC-32 is that of all these bytes, or of the octets in the
    /// database; `None` if an earlier version wrote them.
    pub(super) fn body(
        self: &Arc<Self>,
        id: TransactionId,
        length: u64,
        offset: Option<u64>,
        checksum: Option<u32>,
    ) -> Arc<dyn Body> {
        match offset {
            Some(offset) => self.stored(&StoredBody {
                id,
                offset,
                length,
                checksum,
            }),
            None => Arc::new(InlineBody {
                reader: Arc::clone(self),
                id,
                length,
                checksum,
                bytes: OnceLock::new(),
            }),
        }
    }

    /// Returns a body of the body store.
    pub(super) fn stored(&self, body: &StoredBody) -> Arc<dyn Body> {
        self.body_store.open(body)
    }

    /// Removes the body of a finished message from the body store.
    pub(super) fn remove(&self, id: TransactionId) -> Result<(), SpoolError> {
        self.body_store.remove(id)
    }

    fn inline(&self, id: TransactionId) -> Result<Option<Vec<u8>>, SpoolError> {
        let connection = self.connection.lock();
        let mut statement = connection.prepare_cached(
            "SELECT body FROM contents JOIN messages ON messages.number = message WHERE id = ?1",
        )?;
        let read = statement.query_row([id.to_string()], |row| row.get(0));
        let read = read.optional().map_err(SpoolError::from);
        read.inspect_err(|error| {
            self.disk.note_damage(error);
        })
    }
}

/// A body in the database.
#[derive(Debug)]
struct InlineBody {
    reader: Arc<BodyReader>,
    id: TransactionId,
    length: u64,
    checksum: Option<u32>,
    bytes: OnceLock<Bytes>,
}

impl Body for InlineBody {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = match self.bytes.get() {
            Some(bytes) => bytes,
            None => {
                let read = self.reader.inline(self.id).map_err(io::Error::other)?;
                let read = read.ok_or_else(|| no_such_message(self.id))?;
                self.bytes.get_or_init(|| read.into())
            }
        };
        bytes.read_at(offset, buf)
    }

    fn in_memory(&self) -> Option<&Bytes> {
        self.bytes.get()
    }

    fn checksum(&self) -> io::Result<Option<Checksum>> {
        Ok(self.checksum.map(Checksum::new))
    }
}

fn no_such_message(id: TransactionId) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("message {id} has left the spool"),
    )
}
