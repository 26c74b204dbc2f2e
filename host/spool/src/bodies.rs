//! The seam for the bytes of large messages, which a queue does not keep itself.

use std::{fmt, io, sync::Arc};

use gatepost_message::{Body, Checksum, TransactionId};

use crate::SpoolError;

/// Store of large bodies, each under the id of its transaction.
///
/// A body arrives by a [`BodyWriter`], and belongs to no message at first: its
/// [`StagedBytes`] remove it when they are dropped. The queue [keeps](StagedBytes::keep) it in the
/// commit of its message, [opens](BodyStore::open) it for delivery, and
/// [removes](BodyStore::remove) it once the message is finished.
pub trait BodyStore: fmt::Debug + Send + Sync + 'static {
    /// Returns `Err(SpoolError::Full)` while the store is below its watermark and takes no body. At
    /// most 100 ms old; never waits.
    fn room(&self) -> Result<(), SpoolError>;

    /// Begins the bytes of one message, of which so many will be written at once. May block.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if there is no room for them.
    fn create(&self, id: TransactionId, first: u64) -> io::Result<Box<dyn BodyWriter>>;

    /// Returns a body that was kept. It is read on first access, which blocks.
    fn open(&self, body: &StoredBody) -> Arc<dyn Body>;

    /// Removes the bytes of a message that was kept. May block.
    ///
    /// # Errors
    /// Those of the store.
    fn remove(&self, id: TransactionId) -> Result<(), SpoolError>;
}

/// Writer of the bytes of one message. Dropped without [`BodyWriter::finish`], it leaves nothing
/// behind.
pub trait BodyWriter: fmt::Debug + Send + Sync {
    /// Appends octets. May block.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if the store is below its watermark.
    fn write(&mut self, octets: &[u8]) -> io::Result<()>;

    /// Appends the last octets, and makes all of them durable, which blocks for as long as that
    /// takes.
    ///
    /// # Errors
    /// [`SpoolError::Full`] if the store is below its watermark; nothing is left behind then.
    fn finish(self: Box<Self>, last: &[u8]) -> Result<Arc<dyn StagedBytes>, SpoolError>;
}

/// Durable bytes of a message that is not accepted yet. Dropped, they are removed, unless they were
/// kept.
pub trait StagedBytes: fmt::Debug + Send + Sync {
    /// Fills `buf` from `offset` on, as [`Body::read_at`].
    ///
    /// # Errors
    /// Those of the store.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Makes the bytes those of a stored message, so that they stay.
    fn keep(&self);
}

/// Description of a body in a [`BodyStore`], as a queue stores it with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBody {
    /// Transaction id of its message.
    pub id: TransactionId,
    /// Position in the stored bytes at which the body begins, behind the header section.
    pub offset: u64,
    /// Octets of the body.
    pub length: u64,
    /// CRC-32 of all stored bytes; `None` if an earlier version wrote them.
    pub checksum: Option<u32>,
}

/// A body that is durable in a [`BodyStore`], but belongs to no message yet. It is removed when the
/// last clone is dropped, unless the message was accepted.
#[derive(Debug, Clone)]
pub struct StagedBody {
    id: TransactionId,
    offset: u64,
    length: u64,
    checksum: u32,
    /// The bytes; `None` for a body that belongs to the store, where it is read.
    bytes: Option<Arc<dyn StagedBytes>>,
}

impl StagedBody {
    pub(crate) fn new(
        id: TransactionId,
        offset: u64,
        length: u64,
        checksum: u32,
        bytes: Arc<dyn StagedBytes>,
    ) -> Self {
        Self {
            bytes: Some(bytes),
            ..Self::already_stored(id, offset, length, checksum)
        }
    }

    /// Makes the body of a message that is in the store already, as the journal describes it.
    pub(crate) fn already_stored(
        id: TransactionId,
        offset: u64,
        length: u64,
        checksum: u32,
    ) -> Self {
        Self {
            id,
            offset,
            length,
            checksum,
            bytes: None,
        }
    }

    /// Returns the body for reading.
    pub fn body(&self) -> Arc<dyn Body> {
        Arc::new(BodyReader(self.clone()))
    }

    /// Returns the description that a queue stores with the message.
    pub fn stored(&self) -> StoredBody {
        StoredBody {
            id: self.id,
            offset: self.offset,
            length: self.length,
            checksum: Some(self.checksum),
        }
    }

    /// Returns the bytes, to be kept once the message is accepted; `None` if they were already.
    pub fn bytes(&self) -> Option<&Arc<dyn StagedBytes>> {
        self.bytes.as_ref()
    }

    /// Returns the id of the transaction that the body was staged for.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// Returns a copy without the bytes, for a body that belongs to the store. It cannot be read.
    pub(crate) fn without_bytes(&self) -> Self {
        Self {
            bytes: None,
            ..self.clone()
        }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Returns the CRC-32 of all stored bytes.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum
    }
}

impl StoredBytes for StagedBody {
    fn part(&self) -> StoredBody {
        self.stored()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = self.bytes.as_deref();
        let bytes = bytes.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        bytes.read_at(offset, buf)
    }
}

/// Stored bytes, of which a part is a body.
pub(crate) trait StoredBytes: fmt::Debug + Send + Sync {
    /// Returns the place of the body.
    fn part(&self) -> StoredBody;

    /// Reads stored bytes, those before the body too.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
}

/// Reader of a body; keeps its bytes while it is held.
#[derive(Debug)]
pub(crate) struct BodyReader<B>(pub(crate) B);

impl<B: StoredBytes> Body for BodyReader<B> {
    fn len(&self) -> u64 {
        self.0.part().length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let StoredBody {
            offset: start,
            length,
            ..
        } = self.0.part();
        read_part(
            |offset, buf| self.0.read_at(offset, buf),
            start,
            length,
            offset,
            buf,
        )
    }

    fn checksum(&self) -> io::Result<Option<Checksum>> {
        let StoredBody {
            offset, checksum, ..
        } = self.0.part();
        let read = |offset, buf: &mut [u8]| self.0.read_at(offset, buf);
        checksum
            .map(|expected| checksum_from(read, offset, expected))
            .transpose()
    }
}

/// Octets read at a time.
const CHUNK: usize = 64 << 10;

/// Returns a checksum for the octets from `start` to the end: it expects the CRC-32 of all octets,
/// and those before `start` are added already.
fn checksum_from(
    read: impl Fn(u64, &mut [u8]) -> io::Result<usize>,
    start: u64,
    expected: u32,
) -> io::Result<Checksum> {
    let mut checksum = Checksum::new(expected);
    let mut octets = vec![0; usize::try_from(start).map_or(CHUNK, |start| start.min(CHUNK))];
    let mut offset = 0;
    while offset < start {
        match read_part(&read, 0, start, offset, &mut octets) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                checksum.add(&octets[..length]);
                offset += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(checksum)
}

/// Reads at `offset` within the part that starts at `start` and is `length` long.
fn read_part(
    read: impl Fn(u64, &mut [u8]) -> io::Result<usize>,
    start: u64,
    length: u64,
    offset: u64,
    buf: &mut [u8],
) -> io::Result<usize> {
    let rest = length.saturating_sub(offset);
    let wanted = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
    read(start + offset.min(length), &mut buf[..wanted])
}
