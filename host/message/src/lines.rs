//! Lines longer than RFC 5321 section 4.5.3.1.6 asks a server to accept.

use memchr::memrchr;

/// The most octets of a line that every server accepts, without CRLF (RFC 5322 section 2.1.1).
pub const LINE: usize = 998;

/// Finds a line of more than 998 octets, in pieces of a message with CRLF alone.
///
/// It searches backwards for an LF from the last octet that the line may have, and continues after
/// it: in lines of usual length it reads about one octet in ten.
#[derive(Debug, Clone, Copy, Default)]
pub struct LongLines {
    /// Octets since the last line end.
    open: usize,
    found: bool,
}

impl LongLines {
    /// Inspects the next piece.
    pub fn look(&mut self, piece: &[u8]) {
        const WITH_END: usize = LINE + 2;
        let mut rest = piece;
        while !self.found {
            let room = WITH_END - self.open;
            if rest.len() < room {
                self.open = match memrchr(b'\n', rest) {
                    Some(at) => rest.len() - at - 1,
                    None => self.open + rest.len(),
                };
                return;
            }
            match memrchr(b'\n', &rest[..room]) {
                Some(at) => (rest, self.open) = (&rest[at + 1..], 0),
                None => self.found = true,
            }
        }
    }

    /// Returns true if there was a long line. No more pieces may follow.
    pub fn found(self) -> bool {
        self.found || self.open > LINE
    }

    /// Returns true if these octets hold a long line.
    pub fn are_in(octets: &[u8]) -> bool {
        let mut lines = Self::default();
        lines.look(octets);
        lines.found()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_may_have_998_octets() {
        let line = |length: usize| [&b"x".repeat(length)[..], b"\r\n"].concat();
        assert!(!LongLines::are_in(&line(998)));
        assert!(LongLines::are_in(&line(999)));
        assert!(!LongLines::are_in(&b"x".repeat(998)));
        assert!(LongLines::are_in(&b"x".repeat(999)));
        assert!(!LongLines::are_in(b""));
        assert!(LongLines::are_in(&[line(5), line(999), line(5)].concat()));
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_result(
            lengths in prop::collection::vec(prop_oneof![0..90usize, 990..1005usize], 0..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
        ) {
            let text: Vec<u8> = lengths
                .iter()
                .flat_map(|length| [&b"x".repeat(*length)[..], b"\r\n"].concat())
                .collect();
            let expected = lengths.iter().any(|length| *length > LINE);
            prop_assert_eq!(LongLines::are_in(&text), expected);
            let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let mut lines = LongLines::default();
            for pair in places.windows(2) {
                lines.look(&text[pair[0]..pair[1]]);
            }
            prop_assert_eq!(lines.found(), expected);
        }
    }
}
