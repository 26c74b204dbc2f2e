//! Properties of a message that not every server can accept.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Body, Checksum, LongLines, Message};

/// Octets of a body that are in memory at once.
const PIECE: usize = 64 * 1024;

/// Requirements of a message on the server that it is sent to, by its octets and not by what was
/// declared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// True if any octet is outside ASCII: needs 8BITMIME (RFC 6152).
    pub(crate) eight_bit: bool,
    /// True if octets of the header section are outside ASCII, and the client announced SMTPUTF8:
    /// needs SMTPUTF8 (RFC 6531).
    pub(crate) smtputf8: bool,
    /// True if a line has more than 998 octets: needs a server that is known to accept them (RFC
    /// 5321 section 4.5.3.1.6).
    pub(crate) long_lines: bool,
    /// True if the message ends in CRLF: DATA can carry it, otherwise only BDAT (RFC 3030).
    pub(crate) ends_in_crlf: bool,
}

impl Content {
    /// Examines a message; `smtputf8` is true if the client announced it.
    pub(crate) async fn of(message: &Message, smtputf8: bool) -> io::Result<Self> {
        let head_ascii = message.head().is_ascii();
        let mut lines = LongLines::default();
        lines.look(message.head());
        let body_ascii = examine(message.body(), head_ascii, &mut lines).await?;
        Ok(Self {
            eight_bit: !head_ascii || !body_ascii,
            smtputf8: smtputf8 && !head_ascii,
            long_lines: lines.found(),
            ends_in_crlf: ends_in_crlf(message).await?,
        })
    }
}

/// Reads a body once; returns true if it is ASCII, and finds its long lines. It also verifies that
/// the body is what was stored, before a connection is opened for it.
async fn examine(
    body: &Arc<dyn Body>,
    mut is_ascii: bool,
    lines: &mut LongLines,
) -> io::Result<bool> {
    let mut pieces = Pieces::of(body);
    loop {
        let piece = pieces.next().await?;
        if piece.is_empty() {
            return Ok(is_ascii);
        }
        is_ascii = is_ascii && piece.is_ascii();
        lines.look(&piece);
        if !is_ascii && lines.found() && pieces.checksum.is_none() {
            return Ok(false);
        }
    }
}

async fn ends_in_crlf(message: &Message) -> io::Result<bool> {
    match message.body().len() {
        0 => Ok(message.head().ends_with(b"\r\n")),
        length => {
            let (_, end) = read(message.body(), length.saturating_sub(2), false).await?;
            Ok(end[..] == *b"\r\n")
        }
    }
}

/// A reader of a body, from its first octet to its last. The last octets are returned only if the
/// body is what was stored.
pub(crate) struct Pieces<'b> {
    body: &'b Arc<dyn Body>,
    offset: u64,
    /// Checksum of the octets returned so far; `None` at the end, and if no checksum was stored.
    checksum: Option<Checksum>,
}

impl<'b> Pieces<'b> {
    pub(crate) fn of(body: &'b Arc<dyn Body>) -> Self {
        Self {
            body,
            offset: 0,
            checksum: None,
        }
    }

    /// Returns the next piece; an empty one at the end.
    ///
    /// # Errors
    /// Those of reading; [`BodyDamage`](gatepost_message::BodyDamage) if the body is not what was
    /// stored, and `UnexpectedEof` if it is shorter than it said.
    pub(crate) async fn next(&mut self) -> io::Result<Bytes> {
        let is_first = self.offset == 0;
        let (checksum, piece) = read(self.body, self.offset, is_first).await?;
        if is_first {
            self.checksum = checksum;
        }
        self.offset += piece.len() as u64;
        let is_last = self.offset >= self.body.len();
        if piece.is_empty() && !is_last {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.add(&piece);
        }
        if is_last && let Some(checksum) = self.checksum.take() {
            checksum.check()?;
        }
        Ok(piece)
    }
}

/// Returns a piece of a body, empty at its end, and its checksum if that is asked for. Reading a
/// file blocks, so it is done on a thread for that.
async fn read(
    body: &Arc<dyn Body>,
    offset: u64,
    with_checksum: bool,
) -> io::Result<(Option<Checksum>, Bytes)> {
    let checksum = move |body: &dyn Body| match with_checksum {
        true => body.checksum(),
        false => Ok(None),
    };
    if let Some(bytes) = body.in_memory() {
        let start = usize::try_from(offset).map_or(bytes.len(), |start| start.min(bytes.len()));
        let end = bytes.len().min(start + PIECE);
        return Ok((checksum(&**body)?, bytes.slice(start..end)));
    }
    let body = Arc::clone(body);
    let reading = tokio::task::spawn_blocking(move || {
        let checksum = checksum(&*body)?;
        let rest = usize::try_from(body.len().saturating_sub(offset)).unwrap_or(PIECE);
        let mut piece = vec![0; rest.min(PIECE)];
        loop {
            match body.read_at(offset, &mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(length) => {
                    piece.truncate(length);
                    return Ok((checksum, Bytes::from(piece)));
                }
            }
        }
    });
    reading.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may")]

    use gatepost_message::BodyDamage;

    use super::*;

    /// A body in memory, with the CRC-32 that it had when it was stored.
    #[derive(Debug)]
    struct Stored(Bytes, u32);

    impl Body for Stored {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read_at(offset, buf)
        }

        fn checksum(&self) -> io::Result<Option<Checksum>> {
            Ok(Some(Checksum::new(self.1)))
        }
    }

    /// Returns the number of octets read from a body, and the end of reading.
    async fn read_all(octets: Vec<u8>, checksum: u32) -> (usize, io::Result<()>) {
        let body: Arc<dyn Body> = Arc::new(Stored(octets.into(), checksum));
        let mut pieces = Pieces::of(&body);
        let mut given = 0;
        loop {
            match pieces.next().await {
                Ok(piece) if piece.is_empty() => return (given, Ok(())),
                Ok(piece) => given += piece.len(),
                Err(error) => return (given, Err(error)),
            }
        }
    }

    #[tokio::test]
    async fn the_end_of_an_altered_body_is_never_returned() {
        // CRC-32 of so many `x`.
        for (length, checksum) in [(0, 0), (1, 0x8cdc_1683), (9, 0x6ec2_fec3)] {
            let octets = vec![b'x'; length];
            let (given_of, end) = read_all(octets, checksum).await;
            assert_eq!(given_of, length);
            end.unwrap();
        }
        for length in [1, PIECE, PIECE + 1, 3 * PIECE] {
            let (given, end) = read_all(vec![b'x'; length], 4711).await;
            assert!(given < length, "{given} of {length}");
            assert!(BodyDamage::is_cause_of(&end.unwrap_err()));
        }
    }
}
