//! The arguments of BDAT (RFC 3030 section 2).

use crate::reply::Reply;

/// A chunk that BDAT announced.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Octets announced.
    pub(super) size: u64,
    /// Octets that have not come yet.
    pub(super) left: u64,
    /// True if the message ends with it (`LAST`).
    pub(super) last: bool,
    /// Reply to a refused chunk. Its octets are dropped, and the reply is sent after them.
    pub(super) refusal: Option<Reply>,
}

impl Chunk {
    /// Reads the arguments of BDAT. After an error nobody can tell the octets of the chunk from the
    /// next command.
    pub(super) fn parse(arguments: &[u8]) -> Result<Self, Reply> {
        let mut words = arguments
            .split(|&b| b == b' ')
            .filter(|word| !word.is_empty());
        let (size, last) = match (words.next(), words.next(), words.next()) {
            (Some(size), None, None) => (size, false),
            (Some(size), Some(last), None) if last.eq_ignore_ascii_case(b"LAST") => (size, true),
            _ => return Err(malformed()),
        };
        if !size.iter().all(u8::is_ascii_digit) {
            return Err(malformed());
        }
        let size = str::from_utf8(size).map_err(|_| malformed())?;
        let size = size
            .parse()
            .map_err(|_| Reply::new(552, "5.3.4", "Chunk too large, closing"))?;
        Ok(Self {
            size,
            left: size,
            last,
            refusal: None,
        })
    }
}

/// Returns the reply to a BDAT that does not announce a number of octets.
pub(super) fn malformed() -> Reply {
    Reply::new(501, "5.5.4", "Write BDAT octets [LAST]; closing")
}
