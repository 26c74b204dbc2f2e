//! Bounds of what is taken apart and kept.
//!
//! A parser needs memory for each part and each field, and stack for each message inside another. So
//! what could be one is counted before it is called.

use memchr::{memchr, memmem};

/// Most octets of a message that is taken apart.
pub(crate) const MOST_OCTETS: usize = 128 << 20;

/// Most lines that could divide parts.
const MOST_DIVIDERS: usize = 2_000;

/// Most runs of hyphens: a parser may find a divider anywhere in a line.
const MOST_RUNS: usize = 20_000;

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
    let (mut dividers, mut runs, mut fields) = (0, 0, 0);
    let mut header = Some(PartHeader::default());
    let mut rest = octets;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = &rest[..end];
        rest = &rest[end..];
        dividers += usize::from(line.starts_with(b"--"));
        fields += usize::from(is_like_field(line));
        let of_line = runs_of_hyphens(line);
        runs += of_line;
        header = match header {
            _ if of_line > 0 => Some(PartHeader::default()),
            Some(header) if line.trim_ascii().is_empty() => header.behind(),
            Some(header) => Some(header.with(line)),
            None => None,
        };
        // What is inside is counted as it stands, and would be decoded first.
        if header.as_ref().is_some_and(PartHeader::is_encoded_message) {
            return false;
        }
    }
    let lower = octets.to_ascii_lowercase();
    let count = |word: &str| memmem::find_iter(&lower, word).count();
    let containers = count("message/") + count("multipart/");
    dividers <= MOST_DIVIDERS
        && runs <= MOST_RUNS
        && fields <= MOST_FIELDS
        && containers <= MOST_CONTAINERS
}

/// Header of a part, as far as it decides whether a message inside would be decoded.
#[derive(Debug, Default)]
struct PartHeader {
    is_message: bool,
    is_encoded: bool,
}

impl PartHeader {
    fn with(self, line: &[u8]) -> Self {
        let line = line.to_ascii_lowercase();
        let has = |word: &[u8]| memmem::find(&line, word).is_some();
        Self {
            is_message: self.is_message || has(b"message/"),
            is_encoded: self.is_encoded || has(b"base64") || has(b"quoted-printable"),
        }
    }

    /// Returns the header that begins behind this one: that of the message in the part.
    fn behind(self) -> Option<Self> {
        self.is_message.then(Self::default)
    }

    fn is_encoded_message(&self) -> bool {
        self.is_message && self.is_encoded
    }
}

fn runs_of_hyphens(line: &[u8]) -> usize {
    let pairs = memmem::find_iter(line, b"--");
    pairs.filter(|at| *at == 0 || line[at - 1] != b'-').count()
}

fn is_like_field(line: &[u8]) -> bool {
    let beginning = &line[..line.len().min(FIELD_NAME)];
    let name = memchr(b':', beginning).map(|colon| &beginning[..colon]);
    name.is_some_and(|name| !name.contains(&b' '))
}

/// Returns the beginning of a text, of at most so many octets.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividers_within_lines_are_counted() {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        let with = |times| format!("{head}{}", "x--b\r\n\r\n".repeat(times));
        assert!(are_kept(with(20_000).as_bytes()));
        assert!(!are_kept(with(20_001).as_bytes()));
        // A line of hyphens is one run.
        let line = format!("Subject: s\r\n\r\n{}\r\n", "-".repeat(1000));
        assert!(are_kept(line.repeat(100).as_bytes()));
    }

    #[test]
    fn an_encoded_message_inside_is_not_taken_apart() {
        let part = |kind: &str, encoding: &str| {
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
                 Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\nU3ViamVjdDog\r\n\
                 --b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"
            )
        };
        assert!(!are_kept(part("message/rfc822", "BASE64").as_bytes()));
        assert!(!are_kept(
            part("MESSAGE/global", "quoted-printable").as_bytes()
        ));
        assert!(are_kept(part("message/rfc822", "8bit").as_bytes()));
        assert!(are_kept(part("text/plain", "base64").as_bytes()));
        let nested = "Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\
                      Content-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDog\r\n";
        assert!(!are_kept(nested.as_bytes()));
    }
}
