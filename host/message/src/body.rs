//! The body of a message, wherever it is kept, and how it is told that it is what was stored.

use std::{fmt, io};

use bytes::Bytes;

/// Octets after the header section, readable at any offset: in memory, or in a file of the spool.
/// A body does not change while it is held.
pub trait Body: Send + Sync + fmt::Debug {
    /// How many octets there are.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from `offset` on, as far as there are octets; gives how many. Fewer than asked
    /// for does not mean the end; none does, unless `buf` is empty.
    ///
    /// # Errors
    /// Those of the store that keeps the body.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// The octets, where they are in memory anyway: to read them blocks nobody then.
    fn in_memory(&self) -> Option<&Bytes> {
        None
    }

    /// What tells whether the octets are those that were stored; `None` where nothing does. Whoever
    /// passes the body on reads it from the first octet to the last, adds them, and
    /// [checks](Checksum::check) before the last of them goes.
    ///
    /// # Errors
    /// Those of the store that keeps the body.
    fn checksum(&self) -> io::Result<Option<Checksum>> {
        Ok(None)
    }
}

/// A CRC-32 that a body should have, in the making.
#[derive(Debug, Clone)]
pub struct Checksum {
    so_far: crc32fast::Hasher,
    expected: u32,
}

impl Checksum {
    /// Of octets that should come to this CRC-32; none has been added.
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

    /// Holds all that was added against what was expected.
    ///
    /// # Errors
    /// [`BodyDamage`] where they differ.
    pub fn check(self) -> Result<(), BodyDamage> {
        match self.so_far.finalize() == self.expected {
            true => Ok(()),
            false => Err(BodyDamage {
                why: "it is not what was stored".to_owned(),
            }),
        }
    }
}

/// The octets of a body that are read are not those that were stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is damaged: {why}")]
pub struct BodyDamage {
    /// What is wrong with it.
    pub why: String,
}

impl BodyDamage {
    /// Whether this is what an error of reading says.
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
