//! Bounds of what is read and kept of a report.

/// Most octets of a message that are read.
pub const MOST_OCTETS: usize = 256 << 10;

/// Most recipients of one report.
pub const MOST_RECIPIENTS: usize = 100;

/// Most parts of a message that are looked at.
pub(crate) const MOST_PARTS: usize = 64;

/// Most bytes of text for people that are read.
pub(crate) const MOST_TEXT: usize = 64 << 10;

/// Most lines of it, and bytes of one.
pub(crate) const MOST_LINES: usize = 2000;
pub(crate) const LONGEST_LINE: usize = 2000;

/// Most fields of machine-readable parts.
pub(crate) const MOST_FIELDS: usize = 2000;

/// Most octets of a returned header section, before its line ends are made CRLF.
pub(crate) const MOST_RETURNED: usize = 32 << 10;

/// Most journals around a report.
pub(crate) const MOST_WRAPPERS: usize = 2;

/// Most bytes of a diagnostic, and of any other text that is kept.
pub(crate) const LONGEST_DIAGNOSTIC: usize = 1024;
pub(crate) const LONGEST_TEXT: usize = 256;

/// Returns the beginning of a message.
pub(crate) fn octets(octets: &[u8]) -> &[u8] {
    octets.get(..MOST_OCTETS).unwrap_or(octets)
}

/// Returns the beginning of a text that ends before a character.
pub(crate) fn text(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Returns a text on one line, without control characters, and bounded.
pub(crate) fn line(raw: &str, most: usize) -> String {
    let mut line = String::new();
    for word in raw.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(text(word, most));
        if line.len() > most {
            break;
        }
    }
    line.truncate(text(&line, most).trim_end().len());
    line
}
