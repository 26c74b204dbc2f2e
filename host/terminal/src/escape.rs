//! What a stranger has written, as a line of a log or a terminal may show it.
//!
//! Control characters can end a line, rewrite one or command a terminal; direction marks and other
//! characters that are not seen let a text read as another (Unicode Technical Report 36 section 2.8,
//! Unicode Standard Annex 9). Everything is written as itself but for these, which are written as
//! Rust has them in a literal, such as `\u{202e}`; in JSON, as JSON has them.

use std::fmt::{self, Write};

/// Whether a character is not shown, or not as what it is: controls (C0, DEL, C1), ends of lines and
/// paragraphs, direction marks, and what takes no room.
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

/// Writes a text on one line, with a backslash before quotes and backslashes where `quoted`.
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

/// A text on one line of a terminal.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A string takes all that is written to it.
    let _ = write_line(&mut out, text, false);
    out
}

/// A text of several lines for a terminal. Their ends are its own, and so are tabs.
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

/// A JSON text that says the same, without a character that is not shown: JSON itself wants only
/// those below the space escaped (RFC 8259 section 7), and has no others but in its strings.
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
