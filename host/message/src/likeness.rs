//! Field names as the most tolerant reader downstream might read them.
//!
//! By RFC 5322 section 2.2 a name is printable US-ASCII without colon, and case does not matter.
//! Software that reads mail is laxer: it trims control characters, drops octets that are not ASCII,
//! normalises Unicode, takes `_` for `-` (as CGI and its successors do with names of headers), and
//! stops at the first word. If a name carries trust, any spelling that some reader takes for it
//! must count as that name.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// Field names to recognise in every spelling that some reader tolerates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TolerantNames(Vec<String>);

impl TolerantNames {
    /// Creates a set of names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = names.into_iter();
        Self(names.map(|name| skeleton(name.chars())).collect())
    }

    /// Returns true if some reader might take the octets before a colon for one of the names.
    pub fn has(&self, written: &[u8]) -> bool {
        let plain = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
        if written.iter().all(plain) {
            let same = |name: &String| written.eq_ignore_ascii_case(name.as_bytes());
            return self.0.iter().any(same);
        }
        let text = String::from_utf8_lossy(written);
        // Without all that is not ASCII, and in NFKC.
        self.reads(text.chars()) || !text.is_ascii() && self.reads(text.nfkc())
    }

    fn reads(&self, characters: impl Iterator<Item = char> + Clone) -> bool {
        let whole = skeleton(characters.clone());
        let joined = joined(characters.clone());
        let mut words = Words(characters);
        self.0.contains(&whole)
            || self.0.contains(&joined)
            || words.any(|word| self.0.contains(&word))
    }

    /// Returns true if some reader might find a field of one of the names in lines that belong to
    /// no field, because it trims or unfolds them first.
    pub(crate) fn in_lines(&self, lines: &[u8]) -> bool {
        let before_colon = |text: &[u8]| {
            let colon = memchr::memchr(b':', text);
            colon.is_some_and(|colon| self.has(&text[..colon]))
        };
        before_colon(lines) || lines.split(|octet| *octet == b'\n').any(before_colon)
    }

    /// Returns true if a reader that skips lines which are no fields might find a field of one of
    /// the names in these lines, up to the first empty one.
    pub fn are_among(&self, lines: &[u8]) -> bool {
        let lines = lines.split(|octet| *octet == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut section = lines.take_while(|line| !line.is_empty());
        section.any(|line| self.in_lines(line) || self.in_body(line))
    }

    /// Returns true if some reader might find a field of one of the names in a body, after
    /// something that it wrongly takes for a line end: a control character, U+0085, U+2028 or
    /// U+2029.
    pub(crate) fn in_body(&self, body: &[u8]) -> bool {
        let odd = |octet: &u8| match octet {
            b'\t' | b'\n' => false,
            octet => *octet < b' ' || *octet == 0x7f || matches!(octet, 0xc2 | 0xe2),
        };
        // Each fold has a CR; a usual body has no other odd octets.
        let usual = body.iter().filter(|octet| odd(octet)).count();
        if usual == memchr::memmem::find_iter(body, b"\r\n").count() {
            return false;
        }
        let text = String::from_utf8_lossy(body);
        let ends = |c: char| {
            c.is_control() && !matches!(c, '\t' | '\n') || matches!(c, '\u{2028}' | '\u{2029}')
        };
        let mut segments = text.split(ends).skip(1);
        segments.any(|segment| {
            let name = segment.split_once(':').map(|(name, _)| name);
            name.is_some_and(|name| !name.starts_with('\n') && self.has(name.as_bytes()))
        })
    }
}

/// Returns the printable ASCII alone, in lower case, with `-` for `_` and for Unicode's hyphens.
fn skeleton(characters: impl Iterator<Item = char>) -> String {
    characters.filter_map(plain).collect()
}

/// Returns the letters and digits of US-ASCII in lower case, with one `-` for anything between
/// them: so names of variables are made of field names, and so a soft hyphen or a space is shown.
fn joined(characters: impl Iterator<Item = char>) -> String {
    let mut name = String::new();
    let mut gap = false;
    for character in characters {
        if !character.is_ascii_alphanumeric() {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

fn plain(character: char) -> Option<char> {
    match character {
        '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        c if c.is_ascii_graphic() => Some(c.to_ascii_lowercase()),
        _ => None,
    }
}

/// Iterator over the skeletons of the words of a name, which white space, control characters,
/// brackets and quotes separate.
#[derive(Clone)]
struct Words<I>(I);

impl<I: Iterator<Item = char>> Iterator for Words<I> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let ends = |c: char| c.is_whitespace() || c.is_control() || "()<>[]{}\"'`,;=|".contains(c);
        let mut characters = self.0.by_ref().skip_while(|c| ends(*c)).peekable();
        characters.peek()?;
        Some(skeleton(characters.take_while(|c| !ends(*c))))
    }
}

/// Returns true if RFC 5322 section 2.2 allows the name.
pub(crate) fn is_well_formed(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// Returns the text in NFKC, in which compatibility characters are replaced by plain ones.
pub(crate) fn nfkc(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfkc().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> TolerantNames {
        TolerantNames::new(["X-Gatepost-Tags", "X-Gatepost-Auth"])
    }

    #[test]
    fn a_name_is_recognised_in_every_tolerated_spelling() {
        for written in [
            &b"X-Gatepost-Tags"[..],
            b"x-GATEPOST-tags",
            b"X-Gatepost-Tags\x0c",
            b"\x00X-Gatepost-Tags",
            b"X-Gatepost\x7f-Tags",
            b"X-Gatepost -Tags",
            b"X-Gatepost-Tags (comment)",
            b"X-Gatepost-Tags\x0bmore",
            b"More X-Gatepost-Auth",
            b"\"X-Gatepost-Auth\"",
            b"<X-Gatepost-Auth>",
            b"X-Gate\xffpost-Tags",
            b"\xc2\xa0X-Gatepost-Tags",
            b"X_Gatepost_Tags",
            b"X Gatepost Tags",
            b"X.Gatepost - Tags ",
            "X-Gatepost\u{ad}Tags".as_bytes(),
            "X\u{ad}-Gatepost\u{2043}Tags".as_bytes(),
            "Ｘ-Gatepost-Tags".as_bytes(),
            "X‐Gatepost‐Tags".as_bytes(),
            "X-Gatepost-Tags\u{200b}".as_bytes(),
        ] {
            assert!(names().has(written), "{}", written.escape_ascii());
        }
    }

    #[test]
    fn other_names_are_not_recognised() {
        for written in [
            &b""[..],
            b"X-Gatepost-Tags-Of-Mine",
            b"X-Gatepost",
            b"AX-Gatepost-Tags",
            b"X-Gatepost-Email-Id",
            b"Subject",
            b"X-Gatepost-Tag s2",
        ] {
            assert!(!names().has(written), "{}", written.escape_ascii());
        }
    }

    #[test]
    fn lines_that_are_no_fields_are_skipped() {
        for (lines, found) in [
            ("no field\r\nX-Gatepost-Tags: forged\r\n\r\nb\r\n", true),
            ("no field\r\n x-gatepost_tags\u{c} : forged", true),
            ("no field\u{c}X-Gatepost-Auth: forged\r\n", true),
            ("no field\r\n\r\nX-Gatepost-Tags: in the body\r\n", false),
            ("no field\r\nSubject: s\r\n", false),
            ("", false),
        ] {
            assert_eq!(names().are_among(lines.as_bytes()), found, "{lines:?}");
        }
    }

    #[test]
    fn a_body_is_searched_after_false_line_ends() {
        for body in [
            &b" hello\x0cX-Gatepost-Tags: forged"[..],
            b" hello\rX-Gatepost-Tags: forged\r\n and more",
            b"\x1e x-gatepost-auth : forged",
            b" hello\xe2\x80\xa8X-Gatepost-Tags: forged",
            b" hello\xc2\x85X-Gatepost-Tags: forged",
        ] {
            assert!(names().in_body(body), "{}", body.escape_ascii());
        }
        for body in [
            &b" X-Gatepost-Tags: quoted"[..],
            b" hello\r\n X-Gatepost-Tags: folded",
            b" caf\xc3\xa9 \x0c page\r\n two: 2",
        ] {
            assert!(!names().in_body(body), "{}", body.escape_ascii());
        }
    }
}
