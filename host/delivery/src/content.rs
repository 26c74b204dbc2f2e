//! What a message holds that not every server can take.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Body, LongLines, Message};

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

/// Looks through a body once: whether it is ASCII, if that is of interest, and for its long lines.
async fn look(body: &Arc<dyn Body>, mut is_ascii: bool, lines: &mut LongLines) -> io::Result<bool> {
    let mut offset = 0;
    loop {
        let piece = read(body, offset).await?;
        if piece.is_empty() {
            return Ok(is_ascii);
        }
        is_ascii = is_ascii && piece.is_ascii();
        lines.look(&piece);
        if !is_ascii && lines.found() {
            return Ok(false);
        }
        offset += piece.len() as u64;
    }
}

async fn ends_in_crlf(message: &Message) -> io::Result<bool> {
    match message.body().len() {
        0 => Ok(message.head().ends_with(b"\r\n")),
        length => Ok(read(message.body(), length.saturating_sub(2)).await?[..] == *b"\r\n"),
    }
}

/// The next piece of a body; empty at its end. Reading blocks, so it goes where that is no harm.
pub(crate) async fn read(body: &Arc<dyn Body>, offset: u64) -> io::Result<Bytes> {
    if let Some(bytes) = body.in_memory() {
        let start = usize::try_from(offset).map_or(bytes.len(), |start| start.min(bytes.len()));
        let end = bytes.len().min(start + PIECE);
        return Ok(bytes.slice(start..end));
    }
    let body = Arc::clone(body);
    let reading = tokio::task::spawn_blocking(move || {
        let rest = usize::try_from(body.len().saturating_sub(offset)).unwrap_or(PIECE);
        let mut piece = vec![0; rest.min(PIECE)];
        loop {
            match body.read_at(offset, &mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(length) => {
                    piece.truncate(length);
                    return Ok(Bytes::from(piece));
                }
            }
        }
    });
    reading.await.map_err(io::Error::other)?
}
