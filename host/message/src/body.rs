//! The body of a message, in memory or on disk, and its checksum.

use std::{fmt, io};

use bytes::Bytes;

/// Octets after the header section, readable at any offset: in memory, or in a file of the spool.
/// A body does not change while it is held.
pub trait Body: Send + Sync + fmt::Debug {
    /// Returns the number of octets.
    fn len(&self) -> u64;

    /// Returns true if there are no octets.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from `offset` on, and returns the number of octets read. Fewer octets than asked
    /// for do not mean the end; none do, unless `buf` is empty.
    ///
    /// # Errors
    /// Those of the store that keeps the body.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Returns the octets if they are in memory, where reading them does not block.
    fn in_memory(&self) -> Option<&Bytes> {
        None
    }

    /// Returns the checksum by which damage is found, if there is one. A reader that passes the
    /// body on adds all octets from the first to the last, and [checks](Checksum::check) before it
    /// passes on the last.
    ///
    /// # Errors
    /// Those of the store that keeps the body.
    fn checksum(&self) -> io::Result<Option<Checksum>> {
        Ok(None)
    }
}

/// Running CRC-32 of a body, with the expected value.
#[derive(Debug, Clone)]
pub struct Checksum {
    so_far: crc32fast::Hasher,
    expected: u32,
}

impl Checksum {
    /// Begins a checksum that is expected to come to this CRC-32.
    pub fn new(expected: u32) -> Self {
        Self {
            so_far: crc32fast::Hasher::new(),
            expected,
        }
    }

    /// Adds the next octets.
    pub fn add(&mut self, octets: &[u8]) {
        self.so_far.update(octets);
    }

    /// Compares the CRC-32 of the octets added with the expected value.
    ///
    /// # Errors
    /// [`BodyDamage`] if they differ.
    pub fn check(self) -> Result<(), BodyDamage> {
        match self.so_far.finalize() == self.expected {
            true => Ok(()),
            false => Err(BodyDamage {
                why: "it is not what was stored".to_owned(),
            }),
        }
    }
}

/// Error: the octets read of a body are not those that were stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is damaged: {why}")]
pub struct BodyDamage {
    /// Description of the damage.
    pub why: String,
}

impl BodyDamage {
    /// Returns true if an error of reading is caused by damage.
    pub fn is_cause_of(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|cause| cause.is::<Self>())
    }
}

impl From<BodyDamage> for io::Error {
    fn from(damaged: BodyDamage) -> Self {
        Self::new(io::ErrorKind::InvalidData, damaged)
    }
}

impl Body for Bytes {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..))
            .unwrap_or_default();
        let length = rest.len().min(buf.len());
        buf[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn in_memory(&self) -> Option<&Bytes> {
        Some(self)
    }
}
