//! Segments of a request's body: octets in memory, and what is read from the stored message as it is
//! sent.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatepost_content::Attachment;
use gatepost_message::Message;

use crate::pieces::MessagePieces;

/// Segment of a body.
#[derive(Debug, Clone)]
pub(crate) enum Segment {
    /// These octets.
    Octets(Bytes),
    /// The message, octet for octet.
    Message,
    /// An attachment, decoded.
    Attachment(Attachment),
    /// An attachment in base64, for services that take nothing else.
    Base64(Attachment),
}

/// Pieces of a body.
pub(crate) type BodyPieces = Box<dyn Iterator<Item = io::Result<Bytes>> + Send>;

impl Segment {
    /// Returns the octets of the segment.
    pub(crate) fn length(&self, message: &Message) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::Message => message.size(),
            Self::Attachment(attachment) => attachment.size,
            Self::Base64(attachment) => attachment.size.div_ceil(3) * 4,
        }
    }

    fn pieces(&self, message: &Message) -> BodyPieces {
        match self {
            Self::Octets(octets) => Box::new(std::iter::once(Ok(octets.clone()))),
            Self::Message => Box::new(MessagePieces::of(message)),
            Self::Attachment(attachment) => Box::new(attachment.pieces(message)),
            Self::Base64(attachment) => Box::new(Base64Pieces::of(attachment.pieces(message))),
        }
    }
}

/// Reads a body from the first octet to the last. Reading blocks.
pub(crate) fn pieces(
    segments: Arc<[Segment]>,
    message: Message,
) -> impl Iterator<Item = io::Result<Bytes>> + Send {
    let count = segments.len();
    (0..count).flat_map(move |at| segments[at].pieces(&message))
}

/// Pieces in base64.
struct Base64Pieces<I> {
    pieces: Option<I>,
    /// Octets that are not encoded yet: fewer than three.
    rest: Vec<u8>,
}

impl<I> Base64Pieces<I> {
    fn of(pieces: I) -> Self {
        Self {
            pieces: Some(pieces),
            rest: Vec::new(),
        }
    }
}

impl<I: Iterator<Item = io::Result<Bytes>>> Iterator for Base64Pieces<I> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let piece = self.pieces.as_mut()?.next();
            let whole = match piece {
                Some(Ok(piece)) => {
                    self.rest.extend_from_slice(&piece);
                    let whole = self.rest.len() / 3 * 3;
                    let rest = self.rest.split_off(whole);
                    std::mem::replace(&mut self.rest, rest)
                }
                Some(Err(error)) => {
                    self.pieces = None;
                    return Some(Err(error));
                }
                None => {
                    self.pieces = None;
                    std::mem::take(&mut self.rest)
                }
            };
            if !whole.is_empty() {
                return Some(Ok(STANDARD.encode(whole).into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Base64Pieces;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;

    #[test]
    fn base64_is_the_same_in_any_pieces() {
        let octets: Vec<u8> = (0..=100).collect();
        for length in 0..octets.len() {
            for piece in 1..8 {
                let pieces = octets[..length].chunks(piece);
                let pieces = pieces.map(|piece| Ok(Bytes::copy_from_slice(piece)));
                let found: Result<Vec<_>, _> = Base64Pieces::of(pieces).collect();
                assert_eq!(
                    found.ok().map(|found| found.concat()),
                    Some(STANDARD.encode(&octets[..length]).into_bytes())
                );
            }
        }
    }
}
