//! The canonical forms of a body (RFC 6376 sections 3.4.3 and 3.4.4), made while it is read.
//!
//! mail-auth 0.13 keeps lines of white space at the end of a relaxed body, and drops a CR that
//! ends no line. Here, white space and line ends that may be the end of the body are held back
//! until text follows. LF alone ends a line as CRLF does, since some signers read lines of a file.
//! CR alone is text.

use mail_auth::common::headers::Writer;
use mail_auth::dkim::Canonicalization;

/// Number of bytes that are written at once.
const BUFFER: usize = 64 * 1024;

/// Writer of a body's canonical form to `output`.
pub struct CanonicalBody<W> {
    canonicalization: Canonicalization,
    /// Number of line ends since the last text.
    line_ends: u64,
    /// True after white space since the last text or line end; relaxed only.
    blank: bool,
    /// True if the last byte was CR.
    cr: bool,
    empty: bool,
    buffer: Vec<u8>,
    output: W,
}

impl<W: Writer> CanonicalBody<W> {
    /// Begins a body.
    pub fn new(canonicalization: Canonicalization, output: W) -> Self {
        Self {
            canonicalization,
            line_ends: 0,
            blank: false,
            cr: false,
            empty: true,
            buffer: Vec::with_capacity(BUFFER + BUFFER / 4),
            output,
        }
    }

    /// Takes the next bytes of the body.
    pub fn write(&mut self, chunk: &[u8]) {
        let relaxed = self.canonicalization == Canonicalization::Relaxed;
        let mut rest = chunk;
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            match first {
                b'\n' => {
                    self.line_ends += 1;
                    (self.blank, self.cr) = (false, false);
                }
                b'\r' => {
                    self.write_bare_cr();
                    self.cr = true;
                }
                b' ' | b'\t' if relaxed => {
                    self.write_bare_cr();
                    self.blank = true;
                }
                text => {
                    self.write_bare_cr();
                    let is_special = |byte: &u8| match byte {
                        b'\r' | b'\n' => true,
                        b' ' | b'\t' => relaxed,
                        _ => false,
                    };
                    let length = rest.iter().position(is_special);
                    let (run, after) = rest.split_at(length.unwrap_or(rest.len()));
                    self.write_text(*text, run);
                    rest = after;
                }
            }
        }
    }

    /// Writes a pending CR as text: no LF followed it.
    fn write_bare_cr(&mut self) {
        if std::mem::take(&mut self.cr) {
            self.write_text(b'\r', b"");
        }
    }

    /// Writes everything held back, then text.
    fn write_text(&mut self, first: u8, run: &[u8]) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.buffer.extend_from_slice(b"\r\n");
            self.flush(BUFFER);
        }
        if std::mem::take(&mut self.blank) {
            self.buffer.push(b' ');
        }
        self.buffer.push(first);
        self.buffer.extend_from_slice(run);
        self.empty = false;
        self.flush(BUFFER);
    }

    fn flush(&mut self, from: usize) {
        if self.buffer.len() >= from {
            self.output.write(&self.buffer);
            self.buffer.clear();
        }
    }

    /// Ends the body with one line end, but with none in a relaxed body without text. White space
    /// that no line end follows stays, as the reference vectors have it.
    pub fn finish(mut self) -> W {
        self.write_bare_cr();
        if std::mem::take(&mut self.blank) {
            self.write_text(b' ', b"");
        }
        if !self.empty || self.canonicalization == Canonicalization::Simple {
            self.buffer.extend_from_slice(b"\r\n");
        }
        self.flush(1);
        self.output
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(way: Canonicalization, chunks: &[&[u8]]) -> Vec<u8> {
        let mut body = CanonicalBody::new(way, Vec::new());
        for chunk in chunks {
            body.write(chunk);
        }
        body.finish()
    }

    #[test]
    fn trailing_lines_without_text_do_not_count() {
        use Canonicalization::{Relaxed, Simple};
        for (body, simple, relaxed) in [
            ("", "\r\n", ""),
            ("\r\n\r\n", "\r\n", ""),
            (" \r\n\t\r\n", " \r\n\t\r\n", ""),
            ("a\r\n \r\n\r\n", "a\r\n \r\n", "a\r\n"),
            (
                " a \t b \r\n\r\nc",
                " a \t b \r\n\r\nc\r\n",
                " a b\r\n\r\nc\r\n",
            ),
            ("a\rb\r\n", "a\rb\r\n", "a\rb\r\n"),
        ] {
            assert_eq!(canonical(Simple, &[body.as_bytes()]), simple.as_bytes());
            assert_eq!(canonical(Relaxed, &[body.as_bytes()]), relaxed.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn chunk_bounds_do_not_change_the_canonical_body(
            body in "[ab \t\r\n]{0,40}",
            cut in 0..40_usize,
            relaxed: bool,
        ) {
            let way = match relaxed {
                true => Canonicalization::Relaxed,
                false => Canonicalization::Simple,
            };
            let (one, other) = body.as_bytes().split_at(cut.min(body.len()));
            prop_assert_eq!(canonical(way, &[one, other]), canonical(way, &[body.as_bytes()]));
        }

        #[test]
        fn a_canonical_body_is_its_own_canonical_form(body in "([ab \t\r]{0,4}\r\n){0,10}") {
            let once = canonical(Canonicalization::Relaxed, &[body.as_bytes()]);
            prop_assert_eq!(canonical(Canonicalization::Relaxed, &[&once]), once.clone());
        }
    }
}
