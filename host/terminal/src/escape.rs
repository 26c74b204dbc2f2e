//! Escapes text that strangers wrote, so that a log line or a terminal can show it.
//!
//! Control characters can end a line, overwrite one or command a terminal. Direction marks and
//! other invisible characters make one text read as another (Unicode Technical Report 36 section
//! 2.8, Unicode Standard Annex 9). These characters are written as escapes: as in a Rust literal,
//! such as `\u{202e}`, or in JSON as JSON escapes them. All other characters are written unchanged.

use std::fmt::{self, Write};

/// Returns true if a character is invisible or changes how others are shown: controls (C0, DEL,
/// C1), line and paragraph separators, direction marks, and characters of no width.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Soft hyphen; Arabic letter mark; Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero widths, and the marks LRM and RLM.
            | '\u{200b}'..='\u{200f}'
            // Line and paragraph separator; embeddings, overrides and their end.
            | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates and their end, deprecated shaping.
            | '\u{2060}'..='\u{206f}'
            // Fillers of Hangul; byte order mark; interlinear annotation.
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            // Musical formatting; tags.
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Writes a text on one line. If `quoted`, quotes and backslashes get a backslash before them.
pub fn write_line(out: &mut impl Write, text: &str, quoted: bool) -> fmt::Result {
    for c in text.chars() {
        match c {
            '"' | '\\' if quoted => write!(out, "\\{c}")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if is_hidden(c) => write!(out, "{}", c.escape_unicode())?,
            c => out.write_char(c)?,
        }
    }
    Ok(())
}

/// Returns a text escaped to one line.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a String cannot fail.
    let _ = write_line(&mut out, text, false);
    out
}

/// Returns a text of several lines, escaped except for its line ends and tabs.
pub fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if is_hidden(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// Returns a JSON text of equal meaning with all invisible characters escaped. JSON itself requires
/// escapes only below the space (RFC 8259 section 7); other invisible characters occur in strings
/// only.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c >= '\u{7f}' && is_hidden(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_mark_of_direction_is_hidden_and_no_letter_is() {
        let bidi_control = ['\u{61c}', '\u{200e}', '\u{200f}']
            .into_iter()
            .chain('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}');
        let ends = [
            '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
        ];
        for c in bidi_control
            .chain(ends)
            .chain(['\u{1b}', '\u{9b}', '\0', '\u{7f}'])
        {
            assert!(is_hidden(c), "{}", c.escape_unicode());
        }
        for c in "aé中ب9 \"\\=<>@\u{301}😀".chars() {
            assert!(!is_hidden(c), "{c}");
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_json_means_the_same(text: String, tail in "[\u{2020}-\u{2070}\u{e0000}-\u{e007f}\"]{0,9}") {
            let text = text + &tail;
            prop_assert!(!line(&text).chars().any(is_hidden));
            let shown = lines(&text);
            prop_assert!(!shown.chars().any(|c| is_hidden(c) && c != '\n' && c != '\t'));
            let escaped = json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!escaped.chars().any(is_hidden));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }
}
