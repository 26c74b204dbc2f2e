//! Staging: the octets of a message until it is accepted.

use std::{io, io::Write, sync::Arc};

use bytes::Bytes;
use gatepost_message::{HeadEnd, Message, TransactionId};

use crate::{BodyStore, BodyWriter, NewBody, SpoolError, StagedBody, StagedBytes};

/// Most octets of a message that is kept in memory and then by the queue. A larger one has a place
/// of its own in the [`BodyStore`], so that it neither takes up memory nor stalls the writer.
pub const INLINE_LIMIT: usize = 256 << 10;

/// Octets gathered in memory before they are written to the body store.
const CHUNK: usize = 64 << 10;

/// Capacity allocated at the first octet: enough for most messages, so that the buffer is not moved
/// while it grows.
const INITIAL_CAPACITY: usize = 16 << 10;

/// Writer for the octets of one message. Dropped without [`Staging::finish`], it leaves nothing
/// behind.
///
/// Writing fails with [`io::ErrorKind::StorageFull`] when the body store is below its watermark.
#[derive(Debug)]
pub struct Staging {
    id: TransactionId,
    body_store: Arc<dyn BodyStore>,
    buffer: Vec<u8>,
    /// Writer in the body store, once the message is large.
    writer: Option<Box<dyn BodyWriter>>,
    /// Checksum of the octets in the body store.
    checksum: crc32fast::Hasher,
    length: u64,
}

impl Staging {
    /// Begins the octets of one message, which go to this store if they become many.
    ///
    /// # Errors
    /// [`SpoolError::Full`] as [`BodyStore::room`].
    pub fn begin(body_store: &Arc<dyn BodyStore>, id: TransactionId) -> Result<Self, SpoolError> {
        body_store.room()?;
        Ok(Self {
            id,
            body_store: Arc::clone(body_store),
            buffer: Vec::new(),
            writer: None,
            checksum: crc32fast::Hasher::new(),
            length: 0,
        })
    }

    /// Returns the octets written so far.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Returns true if no octet was written.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Ends the message: splits the header section from the body, and makes a large body durable,
    /// which blocks for as long as the disk takes.
    ///
    /// The header section is read into memory: the session must bound its length.
    ///
    /// # Errors
    /// [`SpoolError::Full`] if the disk is; nothing is left behind then.
    pub fn finish(mut self) -> Result<Staged, SpoolError> {
        let Some(writer) = self.writer else {
            let raw = Bytes::from(self.buffer);
            let end = HeadEnd::default().find(&raw, true).unwrap_or(raw.len());
            return Ok(Staged {
                head: raw.slice(..end),
                body: NewBody::Inline(raw.slice(end..)),
            });
        };
        self.checksum.update(&self.buffer);
        let bytes = writer.finish(&self.buffer)?;
        let head = read_head(&*bytes).map_err(|error| {
            let what = format!("read back the body of transaction {}", self.id);
            SpoolError::io(what)(error)
        })?;
        let offset = head.len() as u64;
        let length = self.length - offset;
        let body = StagedBody::new(self.id, offset, length, self.checksum.finalize(), bytes);
        Ok(Staged {
            head,
            body: NewBody::Staged(body),
        })
    }

    fn write_out(&mut self) -> io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let first = self.buffer.len() as u64;
                none.insert(self.body_store.create(self.id, first)?)
            }
        };
        writer.write(&self.buffer)?;
        self.checksum.update(&self.buffer);
        self.buffer.clear();
        self.buffer.shrink_to(CHUNK);
        Ok(())
    }
}

impl Write for Staging {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let limit = if self.writer.is_some() {
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

/// Reads the header section from the start of the bytes, a growing piece at a time.
fn read_head(bytes: &dyn StagedBytes) -> io::Result<Bytes> {
    let mut head = Vec::new();
    let mut end = HeadEnd::default();
    loop {
        let complete = !read_piece(bytes, &mut head)?;
        if let Some(length) = end.find(&head, complete) {
            head.truncate(length);
            head.shrink_to_fit();
            return Ok(head.into());
        }
    }
}

/// Appends the next piece of the bytes; returns false at their end.
fn read_piece(bytes: &dyn StagedBytes, head: &mut Vec<u8>) -> io::Result<bool> {
    let begin = head.len();
    head.resize(begin + CHUNK, 0);
    let read = loop {
        match bytes.read_at(begin as u64, &mut head[begin..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    head.truncate(begin + *read.as_ref().unwrap_or(&0));
    read.map(|length| length > 0)
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
