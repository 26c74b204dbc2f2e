//! Lists of `tag=value` in DKIM signatures, keys and ARC (RFC 6376 section 3.2).
//!
//! They are read strictly and once: a list that two readers could understand differently proves
//! nothing. A duplicate tag, a malformed name, or nothing between two semicolons makes the whole
//! list invalid, as the section demands.

use std::ops::Range;

use crate::rejection::Rejection;

/// Limit on the tags of a list, ten times the known ones: each is compared with all others.
const MAX_TAGS: usize = 200;

/// Tags of a list, in their order.
#[derive(Debug)]
pub(crate) struct TagList<'a> {
    text: &'a [u8],
    tags: Vec<(&'a str, Range<usize>)>,
}

impl<'a> TagList<'a> {
    /// Reads a list. Folds count as white space.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, Rejection> {
        let mut tags: Vec<(&str, Range<usize>)> = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = match text[start..].iter().position(|byte| *byte == b';') {
                Some(length) => start + length,
                None => text.len(),
            };
            let spec = &text[start..end];
            // White space after the last semicolon is no tag.
            if end == text.len() && !tags.is_empty() && spec.trim_ascii().is_empty() {
                break;
            }
            let equals = spec.iter().position(|byte| *byte == b'=');
            let equals = equals.ok_or_else(|| invalid("there is a part without an equals sign"))?;
            let name = std::str::from_utf8(spec[..equals].trim_ascii())
                .ok()
                .filter(|name| is_name(name))
                .ok_or_else(|| invalid("the name of a tag is malformed"))?;
            if !spec[equals + 1..].iter().copied().all(is_value) {
                return Err(invalid(&format!("{name}= holds a control character")));
            }
            if tags.len() >= MAX_TAGS {
                return Err(invalid("it has too many tags"));
            }
            if tags.iter().any(|(other, _)| *other == name) {
                return Err(invalid(&format!("{name}= occurs twice")));
            }
            tags.push((name, start + equals + 1..end));
            start = end + 1;
        }
        match tags.is_empty() {
            true => Err(invalid("it is empty")),
            false => Ok(Self { text, tags }),
        }
    }

    /// Returns the value of a tag, trimmed. Names of tags are case-sensitive.
    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.span(name).map(|span| self.text[span].trim_ascii())
    }

    /// Returns the value as text; a value that is no UTF-8 is malformed.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Rejection> {
        self.get(name)
            .map(|value| std::str::from_utf8(value).map_err(|_| invalid_value(name)))
            .transpose()
    }

    /// Returns the text of a tag that has to be present and not empty.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Rejection> {
        match self.text(name)? {
            None => Err(Rejection::malformed(format!("{name}= is missing"))),
            Some("") => Err(Rejection::malformed(format!("{name}= is empty"))),
            Some(value) => Ok(value),
        }
    }

    /// Returns the value as a number without sign, which fits into 64 bits.
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

    /// Decodes the base64 of a required tag, which may have white space in it.
    pub(crate) fn base64(&self, name: &str) -> Result<Vec<u8>, Rejection> {
        self.required(name)?;
        decode(self.get(name).unwrap_or_default()).ok_or_else(|| invalid_value(name))
    }

    /// Returns the position of a tag's value in the text, with the white space around it.
    pub(crate) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.tags
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, span)| span.clone())
    }

    /// Returns the name of the first tag.
    pub(crate) fn first(&self) -> &'a str {
        self.tags.first().map_or("", |(name, _)| name)
    }
}

/// Decodes base64, which may have white space in it and lack its padding.
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
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    TOLERANT.decode(compact).ok()
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns true for printable US-ASCII and folds, and for UTF-8, which RFC 8616 section 4 allows in
/// domains.
fn is_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x80..)
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
    fn a_list_with_folds_is_read() {
        let list = TagList::parse(b" v=1; a = x\r\n y ;b_2=; ").unwrap();
        assert_eq!(list.first(), "v");
        assert_eq!(list.get("a"), Some(&b"x\r\n y"[..]));
        assert_eq!(list.get("b_2"), Some(&b""[..]));
        assert_eq!(list.get("V"), None);
        assert_eq!(list.span("v"), Some(3..4));
    }

    #[test]
    fn an_ambiguous_list_is_refused() {
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
