//! Octets of a message, from the first to the last, checked on the way.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Body, Checksum, Message};

/// Octets of a body that are in memory at once.
const PIECE: usize = 64 * 1024;

/// Pieces of a message: its header section, then its body. Reading them blocks. The last piece
/// comes only if the body is what was stored.
pub(crate) struct MessagePieces {
    head: Option<Bytes>,
    body: Arc<dyn Body>,
    offset: u64,
    checksum: Option<Checksum>,
}

impl MessagePieces {
    pub(crate) fn of(message: &Message) -> Self {
        Self {
            head: Some(message.head().clone()),
            body: Arc::clone(message.body()),
            offset: 0,
            checksum: None,
        }
    }

    fn piece(&mut self) -> io::Result<Option<Bytes>> {
        if let Some(head) = self.head.take() {
            self.checksum = self.body.checksum()?;
            return Ok(Some(head));
        }
        let rest = self.body.len() - self.offset;
        if rest == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; usize::try_from(rest).unwrap_or(PIECE).min(PIECE)];
        let length = loop {
            match self.body.read_at(self.offset, &mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => break length,
            }
        };
        piece.truncate(length);
        self.offset += length as u64;
        if let Some(checksum) = &mut self.checksum {
            checksum.add(&piece);
        }
        if self.offset == self.body.len()
            && let Some(checksum) = self.checksum.take()
        {
            checksum.check()?;
        }
        Ok(Some(Bytes::from(piece)))
    }
}

impl Iterator for MessagePieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.piece().transpose()
    }
}
