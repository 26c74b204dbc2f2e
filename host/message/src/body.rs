//! The body of a message, wherever it is kept.

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
