//! Bounds of what is taken apart and kept.
//!
//! A parser needs memory for each part and each field, and stack for each message inside another. So
//! what could be one is counted before it is called.

use memchr::{memchr, memmem};

/// Most octets of a message that is taken apart.
pub(crate) const MOST_OCTETS: usize = 128 << 20;

/// Most lines that could divide parts.
const MOST_DIVIDERS: usize = 2_000;

/// Most lines that could be header fields.
const MOST_FIELDS: usize = 200_000;

/// Most words that could begin a message inside another, or a part that has parts.
const MOST_CONTAINERS: usize = 300;

/// Octets of a line's beginning in which the colon of a field is looked for.
const FIELD_NAME: usize = 80;

/// Most octets of the text, and of the HTML.
pub(crate) const MOST_TEXT: usize = 1 << 20;

/// Most characters of the subject.
pub(crate) const LONGEST_SUBJECT: usize = 2_000;

/// Most octets of a name, a type and a Content-ID.
pub(crate) const LONGEST_NAME: usize = 200;
pub(crate) const LONGEST_TYPE: usize = 127;
pub(crate) const LONGEST_ID: usize = 998;

/// Most attachments. A message with more is not taken apart.
pub(crate) const MOST_ATTACHMENTS: usize = 500;

/// Most Message-IDs of one field.
pub(crate) const MOST_IDS: usize = 100;

/// Returns true if a message can be taken apart within the bounds.
pub(crate) fn are_kept(octets: &[u8]) -> bool {
    if octets.len() > MOST_OCTETS {
        return false;
    }
    let (mut dividers, mut fields) = (0, 0);
    let mut rest = octets;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = &rest[..end];
        rest = &rest[end..];
        dividers += usize::from(line.starts_with(b"--"));
        fields += usize::from(is_like_field(line));
    }
    let lower = octets.to_ascii_lowercase();
    let count = |word: &str| memmem::find_iter(&lower, word).count();
    let containers = count("message/") + count("multipart/");
    dividers <= MOST_DIVIDERS && fields <= MOST_FIELDS && containers <= MOST_CONTAINERS
}

fn is_like_field(line: &[u8]) -> bool {
    let beginning = &line[..line.len().min(FIELD_NAME)];
    let name = memchr(b':', beginning).map(|colon| &beginning[..colon]);
    name.is_some_and(|name| !name.contains(&b' '))
}

/// Returns the beginning of a text, of at most so many octets.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
