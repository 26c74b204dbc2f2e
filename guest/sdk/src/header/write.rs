//! Writing text in US-ASCII, which any server takes in a field.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Octets of an encoded word at most (RFC 2047 section 2).
const LONGEST: usize = 75;
const BEGINNING: &str = "=?utf-8?q?";
const END: &str = "?=";

/// Returns an unstructured field body that says this text, in encoded words (RFC 2047) if it is not
/// plain US-ASCII. Every server takes that form; raw UTF-8 (RFC 6532) needs SMTPUTF8. Each word has
/// a line of its own.
///
/// ```
/// use gatepost_sdk::header::encoded;
/// assert_eq!(encoded("Acme Mailer"), "Acme Mailer");
/// assert_eq!(encoded("Büro Mailer"), "=?utf-8?q?B=C3=BCro_Mailer?=");
/// ```
pub fn encoded(text: &str) -> Cow<'_, str> {
    let plain = |b: u8| b == b' ' || b.is_ascii_graphic();
    let trimmed = !text.starts_with(' ') && !text.ends_with(' ');
    if trimmed && text.bytes().all(plain) && !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut words = String::from(BEGINNING);
    let mut length = BEGINNING.len();
    for character in text.chars() {
        let said = q_encoded(character);
        if length + said.len() + END.len() > LONGEST {
            words.push_str(END);
            words.push_str("\r\n ");
            words.push_str(BEGINNING);
            length = BEGINNING.len();
        }
        words.push_str(&said);
        length += said.len();
    }
    words.push_str(END);
    Cow::Owned(words)
}

/// Encodes a character in Q encoding, by its strictest rule (RFC 2047 section 5, 3).
fn q_encoded(character: char) -> String {
    match character {
        ' ' => "_".to_owned(),
        '!' | '*' | '+' | '-' | '/' => character.to_string(),
        _ if character.is_ascii_alphanumeric() => character.to_string(),
        _ => {
            let mut said = String::new();
            for octet in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(said, "={octet:02X}");
            }
            said
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::header::read::decoded;

    #[test]
    fn plain_ascii_is_not_encoded() {
        for text in ["", "Acme", "a=b? \"c\" (d)"] {
            assert_eq!(encoded(text), text);
        }
    }

    #[test]
    fn text_that_looks_encoded_is_encoded() {
        assert_eq!(encoded("=?x?="), "=?utf-8?q?=3D=3Fx=3F=3D?=");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_in_short_ascii_lines(text in "\\PC{1,200}") {
            let written = encoded(&text);
            prop_assert!(written.is_ascii());
            if let Cow::Owned(words) = &written {
                prop_assert!(words.split("\r\n ").all(|word| word.len() <= LONGEST));
            }
            prop_assert_eq!(decoded(&written.replace("\r\n", "")), text);
        }
    }
}
