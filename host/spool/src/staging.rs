//! Staging: the octets of a message until it is accepted.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, OpenOptionsExt as _},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use gatepost_message::{Body, Checksum, HeadEnd, Message, TransactionId};

use crate::{NewBody, SpoolError, disk::Disk, disk::failed_to};

/// Most octets of a message that is kept in memory and then in the database. A larger one has a
/// file of its own, so that it neither takes up memory nor stalls the writer.
pub const INLINE_LIMIT: usize = 256 << 10;

/// Octets gathered in memory before they are written to the file.
const CHUNK: usize = 64 << 10;

/// Capacity allocated at the first octet: enough for most messages, so that the buffer is not moved
/// while it grows.
const INITIAL_CAPACITY: usize = 16 << 10;

/// Writer for the octets of one message. Dropped without [`Staging::finish`], it leaves nothing
/// behind.
///
/// Writing fails with [`io::ErrorKind::StorageFull`] when the disk is below its watermark.
#[derive(Debug)]
pub struct Staging {
    id: TransactionId,
    disk: Arc<Disk>,
    buffer: Vec<u8>,
    file: Option<StagedFile>,
    /// Checksum of the octets in the file.
    checksum: crc32fast::Hasher,
    length: u64,
}

impl Staging {
    pub(crate) fn new(id: TransactionId, disk: Arc<Disk>) -> Self {
        Self {
            id,
            disk,
            buffer: Vec::new(),
            file: None,
            checksum: crc32fast::Hasher::new(),
            length: 0,
        }
    }

    /// Returns the octets written so far.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Returns true if no octet was written.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Ends the message: splits the header section from the body, and makes the file of a large
    /// body durable, which blocks for as long as the disk takes.
    ///
    /// The header section is read into memory: the session must bound its length.
    ///
    /// # Errors
    /// [`SpoolError::Full`] if the disk is; nothing is left behind then.
    pub fn finish(mut self) -> Result<Staged, SpoolError> {
        let what = || format!("write the body of transaction {}", self.id);
        if self.file.is_none() {
            let raw = Bytes::from(self.buffer);
            let end = HeadEnd::default().find(&raw, true).unwrap_or(raw.len());
            return Ok(Staged {
                head: raw.slice(..end),
                body: NewBody::Inline(raw.slice(end..)),
            });
        }
        let what = what();
        self.write_out().map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => self.disk.full_error(),
            _ => SpoolError::io(what)(error),
        })?;
        let Some(file) = self.file.take() else {
            return Err(SpoolError::Closed);
        };
        let opened = file.file().map_err(failed_to("read back", &file.path))?;
        let head = read_head(opened).map_err(failed_to("read back", &file.path))?;
        self.disk.sync(opened, &file.path)?;
        self.disk.sync_directory(&self.disk.incoming())?;
        let body = StagedBody {
            id: self.id,
            offset: head.len() as u64,
            length: self.length - head.len() as u64,
            checksum: self.checksum.finalize(),
            file: Arc::new(file),
        };
        Ok(Staged {
            head,
            body: NewBody::Staged(body),
        })
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.disk
            .room(self.buffer.len() as u64)
            .map_err(|error| match error {
                SpoolError::Full { .. } => io::Error::new(io::ErrorKind::StorageFull, error),
                other => io::Error::other(other),
            })?;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(StagedFile::create(self.disk.body(self.id))?),
        };
        file.file()?.write_all(&self.buffer)?;
        self.checksum.update(&self.buffer);
        self.buffer.clear();
        self.buffer.shrink_to(CHUNK);
        Ok(())
    }
}

impl Write for Staging {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let limit = if self.file.is_some() {
            CHUNK
        } else {
            INLINE_LIMIT
        };
        if !self.buffer.is_empty() && self.buffer.len() + octets.len() > limit {
            self.write_out()?;
        }
        if self.buffer.capacity() == 0 {
            self.buffer.reserve(INITIAL_CAPACITY);
        }
        // A piece larger than the buffer passes through it at once: the buffer never holds more
        // than it held before and that piece.
        self.buffer.extend_from_slice(octets);
        self.length += octets.len() as u64;
        if self.buffer.len() > limit {
            self.write_out()?;
        }
        Ok(octets.len())
    }

    /// Does nothing: only [`Staging::finish`] makes octets durable.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the header section from the start of the file, a growing piece at a time.
fn read_head(mut file: &File) -> io::Result<Bytes> {
    let mut head = Vec::new();
    let mut end = HeadEnd::default();
    file.seek(SeekFrom::Start(0))?;
    loop {
        let complete = file.take(CHUNK as u64).read_to_end(&mut head)? == 0;
        if let Some(length) = end.find(&head, complete) {
            head.truncate(length);
            head.shrink_to_fit();
            return Ok(head.into());
        }
    }
}

/// A message that has arrived completely, in its two parts.
#[derive(Debug)]
pub struct Staged {
    /// Header section, with the empty line that ends it.
    pub head: Bytes,
    /// Body, to be handed in with [`NewMessage`](crate::NewMessage).
    pub body: NewBody,
}

impl Staged {
    /// Returns the message for policies; its body is not copied.
    pub fn message(&self) -> Message {
        Message::from_parts(self.head.clone(), self.body.body())
    }
}

/// A body that is durable in a file of its own, but belongs to no message yet. The file is removed
/// when the last clone is dropped, unless the message was accepted.
#[derive(Debug, Clone)]
pub struct StagedBody {
    id: TransactionId,
    offset: u64,
    length: u64,
    checksum: u32,
    file: Arc<StagedFile>,
}

impl StagedBody {
    /// Makes the body of a message that is in the store already, as the journal describes it.
    pub(crate) fn already_stored(
        id: TransactionId,
        offset: u64,
        length: u64,
        checksum: u32,
    ) -> Self {
        let file = Arc::new(StagedFile {
            path: PathBuf::new(),
            file: None,
            keep: AtomicBool::new(true),
        });
        Self {
            id,
            offset,
            length,
            checksum,
            file,
        }
    }

    /// Returns the body for reading.
    pub fn body(&self) -> Arc<dyn Body> {
        Arc::new(StagedReader {
            offset: self.offset,
            length: self.length,
            checksum: self.checksum,
            file: Arc::clone(&self.file),
        })
    }

    /// Returns a copy without the open file, for a body that belongs to the store. It cannot be
    /// read.
    pub(crate) fn without_file(&self) -> Self {
        Self::already_stored(self.id, self.offset, self.length, self.checksum)
    }

    pub(crate) fn id(&self) -> TransactionId {
        self.id
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Returns the CRC-32 of the whole file.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum
    }

    pub(crate) fn file(&self) -> &Arc<StagedFile> {
        &self.file
    }
}

/// A file in `incoming/`, removed when dropped unless it is to be kept.
#[derive(Debug)]
pub(crate) struct StagedFile {
    path: PathBuf,
    /// The open file; `None` if an earlier relay accepted it, since it is read by its path then.
    file: Option<File>,
    keep: AtomicBool,
}

impl StagedFile {
    fn create(path: PathBuf) -> io::Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path,
            file: Some(file),
            keep: AtomicBool::new(false),
        })
    }

    fn file(&self) -> io::Result<&File> {
        self.file
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Marks the file as the store's, so that it is not removed.
    pub(crate) fn keep(&self) {
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

/// Reader of a part of a staged file; keeps the file while it is held.
#[derive(Debug)]
struct StagedReader {
    offset: u64,
    length: u64,
    checksum: u32,
    file: Arc<StagedFile>,
}

impl Body for StagedReader {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        read_part(self.file.file()?, self.offset, self.length, offset, buf)
    }

    fn checksum(&self) -> io::Result<Option<Checksum>> {
        file_checksum(self.file.file()?, self.offset, self.checksum).map(Some)
    }
}

/// Returns a checksum for the octets from `start` to the end of a file: it expects the CRC-32 of
/// the whole file, and the octets before `start` are added already.
pub(crate) fn file_checksum(file: &File, start: u64, expected: u32) -> io::Result<Checksum> {
    let mut checksum = Checksum::new(expected);
    let mut octets = vec![0; usize::try_from(start).map_or(CHUNK, |start| start.min(CHUNK))];
    let mut offset = 0;
    while offset < start {
        match read_part(file, 0, start, offset, &mut octets) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                checksum.add(&octets[..length]);
                offset += length as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(checksum)
}

/// Reads at `offset` within the part of a file that starts at `start` and is `length` long.
pub(crate) fn read_part(
    file: &File,
    start: u64,
    length: u64,
    offset: u64,
    buf: &mut [u8],
) -> io::Result<usize> {
    let rest = length.saturating_sub(offset);
    let wanted = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
    file.read_at(&mut buf[..wanted], start + offset.min(length))
}
