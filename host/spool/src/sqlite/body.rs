//! Bodies of stored messages, read on first access.

use std::{
    fs::File,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use gatepost_message::{Body, BodyDamage, Checksum, TransactionId};
use rusqlite::{Connection, OptionalExtension};

use crate::{SpoolError, disk::Disk, staging::file_checksum, staging::read_part};

/// Reader of bodies: a connection of its own, and the directory of the files.
#[derive(Debug)]
pub(super) struct BodyStore {
    connection: Mutex<Connection>,
    disk: Arc<Disk>,
}

impl BodyStore {
    /// Makes a body store; `connection` must be read-only.
    pub(super) fn new(connection: Connection, disk: Arc<Disk>) -> Self {
        Self {
            connection: Mutex::new(connection),
            disk,
        }
    }

    /// Returns the body of a message, `length` octets long; at `offset` of its file, if it has one.
    /// The CRC-32 is that of the whole file, or of the octets in the database; `None` if an earlier
    /// version wrote them.
    pub(super) fn body(
        self: &Arc<Self>,
        id: TransactionId,
        length: u64,
        offset: Option<u64>,
        checksum: Option<u32>,
    ) -> Arc<dyn Body> {
        match offset {
            Some(offset) => Arc::new(FileBody {
                path: self.disk.body(id),
                offset,
                length,
                checksum,
                file: OnceLock::new(),
            }),
            None => Arc::new(InlineBody {
                body_store: Arc::clone(self),
                id,
                length,
                checksum,
                bytes: OnceLock::new(),
            }),
        }
    }

    fn inline(&self, id: TransactionId) -> Result<Option<Vec<u8>>, SpoolError> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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
    body_store: Arc<BodyStore>,
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
                let read = self.body_store.inline(self.id).map_err(io::Error::other)?;
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

/// A body in a file of its own.
#[derive(Debug)]
struct FileBody {
    path: PathBuf,
    offset: u64,
    length: u64,
    checksum: Option<u32>,
    file: OnceLock<File>,
}

impl FileBody {
    /// Returns the file, which is opened once and held.
    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let opened = gatepost_files::open(&self.path).map_err(io::Error::from)?;
        let (found, due) = (opened.metadata()?.len(), self.offset + self.length);
        if found < due {
            let why = format!("{} has {found} octets of {due}", self.path.display());
            return Err(BodyDamage { why }.into());
        }
        Ok(self.file.get_or_init(|| opened))
    }
}

impl Body for FileBody {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        read_part(self.file()?, self.offset, self.length, offset, buf)
    }

    fn checksum(&self) -> io::Result<Option<Checksum>> {
        match self.checksum {
            Some(expected) => file_checksum(self.file()?, self.offset, expected).map(Some),
            None => Ok(None),
        }
    }
}

fn no_such_message(id: TransactionId) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("message {id} has left the spool"),
    )
}
