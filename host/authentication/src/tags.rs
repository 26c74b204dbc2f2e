//! Lists of `tag=value`, as DKIM, its keys and ARC write them (RFC 6376 section 3.2).
//!
//! Read strictly and once: what two readers could understand differently proves nothing. A tag
//! that stands twice, a name that is none, or an empty place between two semicolons makes the
//! whole list invalid, as the section demands.

use std::ops::Range;

use crate::rejection::Rejection;

/// The most tags of a list: ten times as many as are known. Each is compared with all others.
const MOST: usize = 200;

/// A list, in the order it is written in.
#[derive(Debug)]
pub(crate) struct TagList<'a> {
    text: &'a [u8],
    tags: Vec<(&'a str, Range<usize>)>,
}

impl<'a> TagList<'a> {
    /// Reads a list; folds count as white space.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, Rejection> {
        let mut tags: Vec<(&str, Range<usize>)> = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = match text[start..].iter().position(|octet| *octet == b';') {
                Some(length) => start + length,
                None => text.len(),
            };
            let spec = &text[start..end];
            // White space after the last semicolon is no tag.
            if end == text.len() && !tags.is_empty() && spec.trim_ascii().is_empty() {
                break;
            }
            let equals = spec.iter().position(|octet| *octet == b'=');
            let equals = equals.ok_or_else(|| invalid("there is a part without an equals sign"))?;
            let name = std::str::from_utf8(spec[..equals].trim_ascii())
                .ok()
                .filter(|name| is_name(name))
                .ok_or_else(|| invalid("there is a tag whose name is none"))?;
            if !spec[equals + 1..].iter().copied().all(is_value) {
                return Err(invalid(&format!("{name}= holds a control character")));
            }
            if tags.len() >= MOST {
                return Err(invalid("it has too many tags"));
            }
            if tags.iter().any(|(other, _)| *other == name) {
                return Err(invalid(&format!("{name}= stands there twice")));
            }
            tags.push((name, start + equals + 1..end));
            start = end + 1;
        }
        match tags.is_empty() {
            true => Err(invalid("it is empty")),
            false => Ok(Self { text, tags }),
        }
    }

    /// The value of a tag, trimmed. Names of tags are case-sensitive.
    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.span(name).map(|span| self.text[span].trim_ascii())
    }

    /// The value as text; that it is none counts as malformed.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Rejection> {
        self.get(name)
            .map(|value| std::str::from_utf8(value).map_err(|_| invalid_value(name)))
            .transpose()
    }

    /// As [`TagList::text`], of a tag that must be there and say something.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Rejection> {
        match self.text(name)? {
            None => Err(Rejection::malformed(format!("{name}= is missing"))),
            Some("") => Err(Rejection::malformed(format!("{name}= is empty"))),
            Some(value) => Ok(value),
        }
    }

    /// A number without sign. More digits than 20 are none: nothing here counts so far.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Rejection> {
        self.text(name)?
            .map(
                |value| match value.bytes().all(|digit| digit.is_ascii_digit()) {
                    true => value.parse().map_err(|_| invalid_value(name)),
                    false => Err(invalid_value(name)),
                },
            )
            .transpose()
    }

    /// The octets that a required tag holds in base64, white space in it apart.
    pub(crate) fn base64(&self, name: &str) -> Result<Vec<u8>, Rejection> {
        self.required(name)?;
        decode(self.get(name).unwrap_or_default()).ok_or_else(|| invalid_value(name))
    }

    /// Where the value of a tag stands in the text, with the white space around it.
    pub(crate) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.tags
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, span)| span.clone())
    }

    /// The name of the first tag.
    pub(crate) fn first(&self) -> &'a str {
        self.tags.first().map_or("", |(name, _)| name)
    }
}

/// Decodes base64 with white space in it; padding may be missing.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    use base64::{Engine, alphabet::STANDARD, engine::general_purpose as engine};
    const TOLERANT: engine::GeneralPurpose = engine::GeneralPurpose::new(
        &STANDARD,
        engine::GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    let compact: Vec<u8> = value
        .iter()
        .copied()
        .filter(|octet| !octet.is_ascii_whitespace())
        .collect();
    TOLERANT.decode(compact).ok()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'_')
}

/// Printable US-ASCII and folds; and UTF-8, which RFC 8616 section 4 allows in domains.
fn is_value(octet: u8) -> bool {
    matches!(octet, b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x80..)
}

fn invalid(why: &str) -> Rejection {
    Rejection::malformed(format!("the list of tags is malformed: {why}"))
}

pub(crate) fn invalid_value(name: &str) -> Rejection {
    Rejection::malformed(format!("{name}= is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_folds() {
        let list = TagList::parse(b" v=1; a = x\r\n y ;b_2=; ").unwrap();
        assert_eq!(list.first(), "v");
        assert_eq!(list.get("a"), Some(&b"x\r\n y"[..]));
        assert_eq!(list.get("b_2"), Some(&b""[..]));
        assert_eq!(list.get("V"), None);
        assert_eq!(list.span("v"), Some(3..4));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for text in [
            "",
            ";",
            "v=1;;a=2",
            "v=1; a=2; v=1",
            "v",
            "1v=2",
            "v v=1",
            "v=\0",
            "=1",
        ] {
            assert!(TagList::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
