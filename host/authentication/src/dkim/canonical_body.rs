//! The canonical forms of a body (RFC 6376 sections 3.4.3 and 3.4.4), octet by octet as it is read.
//!
//! mail-auth 0.13 keeps lines of white space at the end of a relaxed body, and drops a CR that
//! ends no line. Here what may turn out to stand at the end is held back until something follows
//! it. LF alone ends a line as CRLF does, as signers have it that read lines of a file; CR alone is text.

use mail_auth::common::headers::Writer;
use mail_auth::dkim::Canonicalization;

/// How much is handed on at once.
const FULL: usize = 64 * 1024;

/// A body on its way to `to`.
pub(super) struct CanonicalBody<W> {
    way: Canonicalization,
    /// Line ends since the last text.
    line_ends: u64,
    /// White space since the last text or line end; relaxed only.
    blank: bool,
    /// A CR just now.
    cr: bool,
    empty: bool,
    ready: Vec<u8>,
    to: W,
}

impl<W: Writer> CanonicalBody<W> {
    pub(super) fn new(way: Canonicalization, to: W) -> Self {
        Self {
            way,
            line_ends: 0,
            blank: false,
            cr: false,
            empty: true,
            ready: Vec::with_capacity(FULL + FULL / 4),
            to,
        }
    }

    /// The next octets of the body.
    pub(super) fn write(&mut self, chunk: &[u8]) {
        let relaxed = self.way == Canonicalization::Relaxed;
        let mut rest = chunk;
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            match first {
                b'\n' => {
                    self.line_ends += 1;
                    (self.blank, self.cr) = (false, false);
                }
                b'\r' => {
                    self.bare_cr();
                    self.cr = true;
                }
                b' ' | b'\t' if relaxed => {
                    self.bare_cr();
                    self.blank = true;
                }
                text => {
                    self.bare_cr();
                    let is_special = |octet: &u8| match octet {
                        b'\r' | b'\n' => true,
                        b' ' | b'\t' => relaxed,
                        _ => false,
                    };
                    let length = rest.iter().position(is_special);
                    let (run, after) = rest.split_at(length.unwrap_or(rest.len()));
                    self.text(*text, run);
                    rest = after;
                }
            }
        }
    }

    /// A CR that no LF followed is text.
    fn bare_cr(&mut self) {
        if std::mem::take(&mut self.cr) {
            self.text(b'\r', b"");
        }
    }

    /// Text, and so all that was held back before it.
    fn text(&mut self, first: u8, run: &[u8]) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.ready.extend_from_slice(b"\r\n");
            self.hand_on(FULL);
        }
        if std::mem::take(&mut self.blank) {
            self.ready.push(b' ');
        }
        self.ready.push(first);
        self.ready.extend_from_slice(run);
        self.empty = false;
        self.hand_on(FULL);
    }

    fn hand_on(&mut self, from: usize) {
        if self.ready.len() >= from {
            self.to.write(&self.ready);
            self.ready.clear();
        }
    }

    /// The end of the body: one line end, but none in a relaxed body without text. White space that
    /// no line end follows stays, as the reference vectors have it.
    pub(super) fn finish(mut self) -> W {
        self.bare_cr();
        if std::mem::take(&mut self.blank) {
            self.text(b' ', b"");
        }
        if !self.empty || self.way == Canonicalization::Simple {
            self.ready.extend_from_slice(b"\r\n");
        }
        self.hand_on(1);
        self.to
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
    fn lines_at_the_end_without_text_do_not_count() {
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
        fn it_does_not_matter_how_a_body_is_cut(
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
        fn a_canonical_body_stays_as_it_is(body in "([ab \t\r]{0,4}\r\n){0,10}") {
            let once = canonical(Canonicalization::Relaxed, &[body.as_bytes()]);
            prop_assert_eq!(canonical(Canonicalization::Relaxed, &[&once]), once.clone());
        }
    }
}
