//! Cuts command lines out of what came in.
//!
//! A line ends in CRLF and in nothing else (RFC 5321 section 2.3.8). A bare CR or LF is no end but
//! a fault of the line it stands in, so nothing after it is ever taken for a command. What a faulty
//! line began with is still known: two commands have rules of their own for it.

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr3};
use zeroize::Zeroize as _;

/// One line of the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its CRLF, and without CR, LF or NUL.
    Whole(Bytes),
    /// Longer than allowed; swallowed.
    TooLong(Opening),
    /// Holds a bare CR, a bare LF or a NUL.
    Stray(Opening),
}

/// What a line begins with, as far as that matters for a line that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Opening {
    /// `AUTH `: it may be longer than others (RFC 4954 section 4).
    Auth,
    /// `BDAT`, with whatever behind it: octets of a message may follow (RFC 3030 section 2).
    Chunk,
    /// Anything else.
    #[default]
    Other,
}

impl Opening {
    /// That of a line, of which the first octets are enough.
    pub(super) fn of(line: &[u8]) -> Self {
        let begins = |name: &[u8]| {
            let word = line.trim_ascii_start().get(..name.len());
            word.is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        match () {
            () if begins(b"BDAT") => Self::Chunk,
            () if begins(b"AUTH ") => Self::Auth,
            () => Self::Other,
        }
    }
}

/// Octets that a line may have, with its CRLF.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineLimits {
    /// A command.
    pub(super) command: usize,
    /// AUTH and the answers to its challenges.
    pub(super) auth: usize,
    /// An answer to a challenge is due, whatever it begins with.
    pub(super) is_answer: bool,
}

impl LineLimits {
    fn of(&self, opening: Opening) -> usize {
        match self.is_answer || opening == Opening::Auth {
            true => self.auth,
            false => self.command,
        }
    }
}

/// How far the line at the start of the input has been looked at.
#[derive(Debug, Default)]
pub(super) struct LineCutter {
    scanned: usize,
    /// Set once octets of an overlong line were thrown away: what it began with.
    overlong: Option<Opening>,
}

impl LineCutter {
    /// Takes the next line off the input, if it is all there. No more octets of it than the limits
    /// allow, and what was fed last, are ever kept.
    pub(super) fn cut(&mut self, input: &mut BytesMut, limits: LineLimits) -> Option<Line> {
        while let Some(found) = memchr(b'\n', &input[self.scanned..]) {
            let lf = self.scanned + found;
            self.scanned = lf + 1;
            if lf == 0 || input[lf - 1] != b'\r' {
                continue;
            }
            let mut line = input.split_to(lf + 1).freeze();
            let overlong = self.overlong;
            *self = Self::default();
            if let Some(opening) = overlong {
                return Some(Line::TooLong(opening));
            }
            let opening = Opening::of(&line);
            if line.len() > limits.of(opening) {
                return Some(Line::TooLong(opening));
            }
            line.truncate(lf - 1);
            return Some(match memchr3(b'\r', b'\n', 0, &line) {
                Some(_) => Line::Stray(opening),
                None => Line::Whole(line),
            });
        }
        let opening = self.overlong.unwrap_or_else(|| Opening::of(input));
        if self.overlong.is_some() || input.len() > limits.of(opening) {
            self.overlong = Some(opening);
            // The CR may be half of the line's end.
            let keep = usize::from(input.ends_with(b"\r"));
            input.advance(input.len() - keep);
        }
        self.scanned = input.len();
        None
    }
}

/// Wipes a line in which a password may stand, the last that anybody has of it; gives whether it
/// could be. `input` is what it was cut from.
pub(super) fn wipe(line: Bytes, input: &mut BytesMut) -> bool {
    // What follows moves elsewhere, so that the line has its buffer for itself.
    *input = BytesMut::from(&input[..]);
    let own = line.try_into_mut();
    own.map(|mut line| line.as_mut().zeroize()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_wiped_and_what_follows_it_is_not() {
        let mut input = BytesMut::from(&b"AUTH PLAIN c2VjcmV0\r\nNOOP\r\n"[..]);
        let limits = LineLimits {
            command: 100,
            auth: 100,
            is_answer: false,
        };
        let Some(Line::Whole(line)) = LineCutter::default().cut(&mut input, limits) else {
            panic!("there is a line");
        };
        let kept = line.clone();
        assert!(!wipe(line, &mut input), "somebody else has it");
        assert!(wipe(kept, &mut input));
        assert_eq!(input, &b"NOOP\r\n"[..]);
    }
}
