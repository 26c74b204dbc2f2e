//! Dot-stuffing (RFC 5321 section 4.5.2) of a message as it streams out.

use bytes::Bytes;

/// A bare CR, a bare LF or a NUL stood in the message: it cannot be sent, because a server might
/// take it for the end of a line and so for the end of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message holds a bare CR, a bare LF or a NUL and cannot be sent over SMTP")]
pub struct StrayOctet;

/// Turns a message into what follows DATA.
#[derive(Debug, Clone)]
pub struct DotStuffer {}

impl Default for DotStuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl DotStuffer {
    /// At the start of a message.
    pub fn new() -> Self {
        todo!()
    }

    /// The next piece of the message, dots stuffed. A piece without a line that begins with a
    /// dot is handed back as it is, without copying.
    ///
    /// # Errors
    /// If the message holds what must not be sent. The connection is then to be dropped.
    pub fn push(&mut self, piece: Bytes) -> Result<Bytes, StrayOctet> {
        todo!()
    }

    /// What ends the message: `.` CRLF, with a CRLF before it if the last line had none.
    ///
    /// # Errors
    /// If the message ended in a bare CR.
    pub fn finish(self) -> Result<&'static [u8], StrayOctet> {
        todo!()
    }
}
