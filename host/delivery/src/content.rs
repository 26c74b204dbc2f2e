//! What a message holds that not every server can take.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Body, Checksum, LongLines, Message};

/// How much of a body is in memory at once.
const PIECE: usize = 64 * 1024;

/// What a message asks of the server that it is sent to, wherever it came from and whatever was
/// declared of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    /// Octets outside ASCII somewhere: 8BITMIME (RFC 6152).
    pub(crate) eight_bit: bool,
    /// Octets outside ASCII in the header section, and the client meant them for UTF-8:
    /// SMTPUTF8 (RFC 6531).
    pub(crate) smtputf8: bool,
    /// Lines of more than 998 octets: a server that is known to take them (RFC 5321 section
    /// 4.5.3.1.6).
    pub(crate) long_lines: bool,
    /// No CRLF is missing at the end: DATA; else BDAT (RFC 3030).
    pub(crate) ends_in_crlf: bool,
}

impl Content {
    /// Reads the message. `smtputf8` is what the client announced.
    pub(crate) async fn of(message: &Message, smtputf8: bool) -> io::Result<Self> {
        let head_ascii = message.head().is_ascii();
        let mut lines = LongLines::default();
        lines.look(message.head());
        let body_ascii = look(message.body(), head_ascii, &mut lines).await?;
        Ok(Self {
            eight_bit: !head_ascii || !body_ascii,
            smtputf8: smtputf8 && !head_ascii,
            long_lines: lines.found(),
            ends_in_crlf: ends_in_crlf(message).await?,
        })
    }
}

/// Looks through a body once: whether it is ASCII, if that is of interest, and for its long lines;
/// and whether it is what was stored, before anybody is called for it.
async fn look(body: &Arc<dyn Body>, mut is_ascii: bool, lines: &mut LongLines) -> io::Result<bool> {
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

/// A body that is read from its first octet to its last. The last of them are given only where the
/// body is what was stored.
pub(crate) struct Pieces<'b> {
    body: &'b Arc<dyn Body>,
    offset: u64,
    /// Of what was given so far; `None` at the end, and where nobody knows what was stored.
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

    /// The next piece; empty at the end.
    ///
    /// # Errors
    /// Those of reading; [`BodyDamage`](gatepost_message::BodyDamage) where the body is not what
    /// was stored, and `UnexpectedEof` where it is shorter than it said.
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

/// A piece of a body, which is empty at its end; and its checksum, where that is wanted. Reading
/// blocks, so it goes where that is no harm.
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

    /// A body in memory, and the CRC-32 that it had when it was stored.
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

    /// The octets that are given of a body, and what ends them.
    async fn given(octets: Vec<u8>, checksum: u32) -> (usize, io::Result<()>) {
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
    async fn the_end_of_an_altered_body_is_never_given() {
        // CRC-32 of so many `x`.
        for (length, checksum) in [(0, 0), (1, 0x8cdc_1683), (9, 0x6ec2_fec3)] {
            let octets = vec![b'x'; length];
            let (given_of, end) = given(octets, checksum).await;
            assert_eq!(given_of, length);
            end.unwrap();
        }
        for length in [1, PIECE, PIECE + 1, 3 * PIECE] {
            let (given, end) = given(vec![b'x'; length], 4711).await;
            assert!(given < length, "{given} of {length}");
            assert!(BodyDamage::is_cause_of(&end.unwrap_err()));
        }
    }
}
