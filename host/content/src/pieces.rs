//! Decoded octets of an attachment, from the first to the last.

use std::io;

use bytes::Bytes;
use gatepost_message::Message;

use crate::attachment::EncodedPart;
use crate::decoder::TransferDecoder;

/// Encoded octets that are in memory at once.
const PIECE: u64 = 64 * 1024;

/// Pieces of an attachment. Reading those of a stored message blocks.
pub struct AttachmentPieces {
    octets: Octets,
    offset: u64,
    end: u64,
    decoder: Option<TransferDecoder>,
}

/// Octets of a message.
pub(crate) enum Octets {
    /// In memory.
    Whole(Bytes),
    /// In the store.
    Stored(Message),
}

impl AttachmentPieces {
    pub(crate) fn new(place: &EncodedPart, octets: Octets) -> Self {
        Self {
            octets,
            offset: place.range.start,
            end: place.range.end,
            decoder: Some(place.decoder.clone()),
        }
    }

    fn piece(&mut self) -> io::Result<Option<Bytes>> {
        while let Some(decoder) = &mut self.decoder {
            let mut decoded = Vec::new();
            if self.offset == self.end {
                decoder.finish(&mut decoded);
                self.decoder = None;
            } else {
                let most = (self.end - self.offset).min(PIECE);
                let piece = self.octets.read(self.offset, most)?;
                self.offset += piece.len() as u64;
                decoder.decode(&piece, &mut decoded);
            }
            if !decoded.is_empty() {
                return Ok(Some(decoded.into()));
            }
        }
        Ok(None)
    }
}

impl Octets {
    /// Reads up to so many octets, and at least one.
    fn read(&self, offset: u64, most: u64) -> io::Result<Bytes> {
        let most = usize::try_from(most).map_err(io::Error::other)?;
        let of = |octets: &Bytes| {
            let begin = usize::try_from(offset).map_err(io::Error::other)?;
            let end = begin.saturating_add(most).min(octets.len());
            match begin < end {
                true => Ok(octets.slice(begin..end)),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        };
        let message = match self {
            Self::Whole(octets) => return of(octets),
            Self::Stored(message) => message,
        };
        let head = message.head().len() as u64;
        if offset < head {
            return of(message.head());
        }
        let mut piece = vec![0; most];
        loop {
            match message.body().read_at(offset - head, &mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    piece.truncate(length);
                    return Ok(piece.into());
                }
            }
        }
    }
}

impl Iterator for AttachmentPieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        let piece = self.piece();
        if piece.is_err() {
            self.decoder = None;
        }
        piece.transpose()
    }
}
