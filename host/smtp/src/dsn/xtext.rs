//! Encodings of text in a parameter, which may hold neither spaces nor control characters.

use std::fmt::Write as _;

/// Decodes xtext (RFC 3461 section 4): `+` introduces two upper-case hexadecimal digits. Returns
/// `None` if the value is not xtext, or not UTF-8 once decoded.
pub fn decode_xtext(value: &str) -> Option<String> {
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    };
    let mut decoded = Vec::with_capacity(value.len());
    let mut octets = value.bytes();
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'+' => digit(octets.next()?)? << 4 | digit(octets.next()?)?,
            b'!'..=b'~' if octet != b'=' => octet,
            _ => return None,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Encodes text as xtext (RFC 3461 section 4).
pub fn encode_xtext(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'!'..=b'~' if octet != b'+' && octet != b'=' => encoded.push(char::from(octet)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "+{octet:02X}");
            }
        }
    }
    encoded
}

/// Decodes an address of the type `utf-8` (RFC 6533 section 3): `\x{` and `}` enclose a code
/// point in upper-case hexadecimal digits. Returns `None` if the value is malformed.
pub(super) fn decode_unicode(value: &str) -> Option<String> {
    let mut decoded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        rest = match rest.strip_prefix("\\x{") {
            Some(escaped) => {
                let (digits, rest) = escaped.split_once('}')?;
                decoded.push(code_point(digits)?);
                rest
            }
            None if is_unescaped(character) => {
                decoded.push(character);
                &rest[character.len_utf8()..]
            }
            None => return None,
        };
    }
    Some(decoded)
}

/// Encodes an address of the type `utf-8` in ASCII (RFC 6533 section 3).
pub fn encode_unicode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() && is_unescaped(character) {
            encoded.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "\\x{{{:02X}}}", u32::from(character));
        }
    }
    encoded
}

/// Returns true if the character needs no escape in an address of the type `utf-8`.
fn is_unescaped(character: char) -> bool {
    match character {
        '+' | '=' | '\\' => false,
        '!'..='~' => true,
        other => !other.is_ascii() && !other.is_control(),
    }
}

fn code_point(digits: &str) -> Option<char> {
    let upper = |b: u8| matches!(b, b'0'..=b'9' | b'A'..=b'F');
    if !(2..=6).contains(&digits.len()) || !digits.bytes().all(upper) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}
