//! Cuts command lines out of the input.
//!
//! A line ends in CRLF and in nothing else (RFC 5321 section 2.3.8). A bare CR or LF does not end a
//! line but makes it faulty, so nothing after it is ever taken for a command. The first word of a
//! faulty line is kept, because AUTH and BDAT have rules of their own for such lines.

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr3};
use zeroize::Zeroize as _;

/// One line from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A sound line, without its CRLF; it holds no CR, LF or NUL.
    Whole(Bytes),
    /// Longer than allowed; its octets were dropped.
    TooLong(FirstWord),
    /// Holds a bare CR, a bare LF or a NUL.
    Stray(FirstWord),
}

/// First word of a line, as far as it matters for a line that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum FirstWord {
    /// `AUTH `: the line may be longer than others (RFC 4954 section 4).
    Auth,
    /// `BDAT`, whatever comes after it: octets of a message may follow (RFC 3030 section 2).
    Chunk,
    /// Anything else.
    #[default]
    Other,
}

impl FirstWord {
    /// Returns the first word of a line; the line's first octets are enough.
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

/// Limits on the octets of a line, with its CRLF.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineLimits {
    /// Limit on a command.
    pub(super) command: usize,
    /// Limit on AUTH and on responses to its challenges.
    pub(super) auth: usize,
    /// True if a response to a challenge is due, whatever the line begins with.
    pub(super) is_response: bool,
}

impl LineLimits {
    fn of(&self, first_word: FirstWord) -> usize {
        match self.is_response || first_word == FirstWord::Auth {
            true => self.auth,
            false => self.command,
        }
    }
}

/// Position in the line at the start of the input.
#[derive(Debug, Default)]
pub(super) struct LineCutter {
    scanned: usize,
    /// First word of an overlong line, set once octets of it were dropped.
    overlong: Option<FirstWord>,
}

impl LineCutter {
    /// Removes the next line from the input and returns it, if it is there whole. The input never
    /// keeps more than the limits allow and what was fed last.
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
            if let Some(first_word) = overlong {
                return Some(Line::TooLong(first_word));
            }
            let first_word = FirstWord::of(&line);
            if line.len() > limits.of(first_word) {
                return Some(Line::TooLong(first_word));
            }
            line.truncate(lf - 1);
            return Some(match memchr3(b'\r', b'\n', 0, &line) {
                Some(_) => Line::Stray(first_word),
                None => Line::Whole(line),
            });
        }
        let first_word = self.overlong.unwrap_or_else(|| FirstWord::of(input));
        if self.overlong.is_some() || input.len() > limits.of(first_word) {
            self.overlong = Some(first_word);
            // The CR may be half of the line end.
            let keep = usize::from(input.ends_with(b"\r"));
            input.advance(input.len() - keep);
        }
        self.scanned = input.len();
        None
    }
}

/// Overwrites a line that may hold a password; `input` is the buffer that it was cut from. Returns
/// false if somebody else still holds the line.
pub(super) fn wipe(line: Bytes, input: &mut BytesMut) -> bool {
    // Move the rest of the input elsewhere, so that the line alone owns its buffer.
    *input = BytesMut::from(&input[..]);
    let own = line.try_into_mut();
    own.map(|mut line| line.as_mut().zeroize()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wiping_a_line_keeps_the_input_after_it() {
        let mut input = BytesMut::from(&b"AUTH PLAIN c2VjcmV0\r\nNOOP\r\n"[..]);
        let limits = LineLimits {
            command: 100,
            auth: 100,
            is_response: false,
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
