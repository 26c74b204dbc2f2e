//! Framing of a message that streams out: after DATA its dots are stuffed (RFC 5321 section 4.5.2),
//! in a chunk of BDAT it is sent as it is (RFC 3030 section 2).

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr3;

/// Error: the message holds a bare CR, a bare LF or a NUL. It cannot be sent, because a server
/// might take that for the end of a line and so for the end of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message holds a bare CR, a bare LF or a NUL and cannot be sent over SMTP")]
pub struct StrayOctet;

/// Encoder of a message for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framer {
    /// True if the message goes as a chunk, to which nothing may be added.
    chunk: bool,
    /// True if the next octet is the first of a line.
    line_start: bool,
    /// True if the last piece ended in a CR, which is held back until its LF comes.
    held_cr: bool,
}

impl Framer {
    /// Creates a framer for a message after DATA.
    pub fn data() -> Self {
        Self {
            chunk: false,
            line_start: true,
            held_cr: false,
        }
    }

    /// Creates a framer for a message that is one chunk.
    pub fn chunk() -> Self {
        Self {
            chunk: true,
            ..Self::data()
        }
    }

    /// Encodes the next piece of the message. A piece without a line that begins with a dot is
    /// returned without copying.
    ///
    /// # Errors
    /// If the message holds a stray octet. The connection is then to be dropped.
    pub fn push(&mut self, piece: Bytes) -> Result<Bytes, StrayOctet> {
        let mut out = BytesMut::new();
        // Octets of the piece that are in `out`; the rest is not copied until there is need.
        let mut copied = 0;
        let mut at = 0;
        if self.held_cr && !piece.is_empty() {
            if piece[0] != b'\n' {
                return Err(StrayOctet);
            }
            out.put_slice(b"\r\n");
            (at, copied) = (1, 1);
            (self.held_cr, self.line_start) = (false, true);
        }
        while at < piece.len() {
            if self.line_start && piece[at] == b'.' && !self.chunk {
                out.reserve(piece.len() - copied + 1);
                out.put_slice(&piece[copied..at]);
                out.put_u8(b'.');
                copied = at;
            }
            let Some(found) = memchr3(b'\r', b'\n', 0, &piece[at..]) else {
                self.line_start = false;
                break;
            };
            let stop = at + found;
            self.line_start = false;
            match piece[stop..] {
                [b'\r', b'\n', ..] => {
                    self.line_start = true;
                    at = stop + 2;
                }
                [b'\r'] => {
                    self.held_cr = true;
                    let rest = piece.slice(copied..stop);
                    return Ok(joined(out, rest));
                }
                _ => return Err(StrayOctet),
            }
        }
        Ok(joined(out, piece.slice(copied..)))
    }

    /// Returns the octets that end the message: `.` CRLF, with a CRLF before it if the last line
    /// had none; nothing in a chunk.
    ///
    /// # Errors
    /// If the message ended in a bare CR.
    pub fn finish(self) -> Result<&'static [u8], StrayOctet> {
        match self {
            Self { held_cr: true, .. } => Err(StrayOctet),
            Self { chunk: true, .. } => Ok(b""),
            Self {
                line_start: true, ..
            } => Ok(b".\r\n"),
            Self {
                line_start: false, ..
            } => Ok(b"\r\n.\r\n"),
        }
    }
}

fn joined(mut out: BytesMut, rest: Bytes) -> Bytes {
    if out.is_empty() {
        return rest;
    }
    out.put_slice(&rest);
    out.freeze()
}
