//! Cuts command lines out of what came in.
//!
//! A line ends in CRLF and in nothing else (RFC 5321 section 2.3.8). A bare CR or LF is no end but
//! a fault of the line it stands in, so nothing after it is ever taken for a command.

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr3};

/// One line of the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its CRLF, and without CR, LF or NUL.
    Whole(Bytes),
    /// Longer than allowed; swallowed.
    TooLong,
    /// Holds a bare CR, a bare LF or a NUL.
    Stray,
}

/// How far the line at the start of the input has been looked at.
#[derive(Debug, Default)]
pub(super) struct LineCutter {
    scanned: usize,
    overlong: bool,
}

impl LineCutter {
    /// Takes the next line off the input, if it is all there. `limit` counts its octets with
    /// CRLF; no more than that and what was fed last is ever kept.
    pub(super) fn cut(&mut self, input: &mut BytesMut, limit: usize) -> Option<Line> {
        while let Some(found) = memchr(b'\n', &input[self.scanned..]) {
            let lf = self.scanned + found;
            self.scanned = lf + 1;
            if lf == 0 || input[lf - 1] != b'\r' {
                continue;
            }
            let mut line = input.split_to(lf + 1).freeze();
            let overlong = self.overlong || line.len() > limit;
            *self = Self::default();
            if overlong {
                return Some(Line::TooLong);
            }
            line.truncate(lf - 1);
            return Some(match memchr3(b'\r', b'\n', 0, &line) {
                Some(_) => Line::Stray,
                None => Line::Whole(line),
            });
        }
        if self.overlong || input.len() > limit {
            self.overlong = true;
            // The CR may be half of the line's end.
            let keep = usize::from(input.ends_with(b"\r"));
            input.advance(input.len() - keep);
        }
        self.scanned = input.len();
        None
    }
}
