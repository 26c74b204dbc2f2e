//! Encoded words (RFC 2047), as far as they can hide an address.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 decoder that tolerates missing padding and wrong last bits, as readers do.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the text with every encoded word decoded, at any place; `None` if there is none.
///
/// Text in charsets that do not extend US-ASCII comes out as noise: only the signs of an address
/// matter here, and they are the same in all charsets. NULs are dropped, so that UTF-16 is read,
/// too.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    let mut behind_word = false;
    while let Some(begin) = rest.find("=?") {
        let (before, word) = rest.split_at(begin);
        let (content, length) = match decode_word(word) {
            Word::Decoded(content, length) => (content, length),
            Word::Malformed => {
                out.push_str(before);
                out.push_str("=?");
                rest = &word[2..];
                behind_word = false;
                continue;
            }
            Word::Unclosed => break,
        };
        // White space between two encoded words does not count (RFC 2047 section 6.2).
        if !(behind_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&content);
        found = true;
        behind_word = true;
        rest = &word[length..];
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Result of decoding text that begins like an encoded word.
enum Word {
    /// An encoded word: its decoded text, and its length.
    Decoded(String, usize),
    Malformed,
    /// Neither it nor any word after it ends.
    Unclosed,
}

fn decode_word(word: &str) -> Word {
    let mut parts = word.get(2..).unwrap_or_default().splitn(3, '?');
    let (Some(charset), Some(encoding), Some(rest)) = (parts.next(), parts.next(), parts.next())
    else {
        return Word::Unclosed;
    };
    let decode = match encoding {
        "q" | "Q" => quoted_printable,
        "b" | "B" => base64,
        _ => return Word::Malformed,
    };
    let Some(end) = rest.find("?=") else {
        return Word::Unclosed;
    };
    let octets = decode(&rest[..end]).into_iter();
    let octets: Vec<u8> = octets.filter(|octet| *octet != 0).collect();
    let text = String::from_utf8_lossy(&octets).into_owned();
    let is_utf_7 = charset
        .get(..5)
        .is_some_and(|name| name.eq_ignore_ascii_case("utf-7"));
    let text = match is_utf_7 {
        true => utf_7(&text),
        false => text,
    };
    Word::Decoded(text, word.len() - rest.len() + end + 2)
}

/// Decodes the Q encoding (RFC 2047 section 4.2).
fn quoted_printable(content: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(content.len());
    let mut rest = content.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let (octet, behind) = match (first, behind) {
            (b'_', _) => (b' ', behind),
            (b'=', [high, low, further @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, further),
                _ => (b'=', behind),
            },
            _ => (*first, behind),
        };
        octets.push(octet);
        rest = behind;
    }
    octets
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Decodes the B encoding (RFC 2047 section 4.1), as much as can be read.
fn base64(content: &str) -> Vec<u8> {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let mut digits: Vec<u8> = content.bytes().filter(is_digit).collect();
    // A single digit too many holds no octet.
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    TOLERANT.decode(digits).unwrap_or_default()
}

/// Decodes characters that UTF-7 writes in Base64 (RFC 2152), such as `+AEA-` for an at sign.
fn utf_7(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('+');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '/'));
        let (shifted, rest) = part.split_at(end.unwrap_or(part.len()));
        let units = base64(shifted);
        let units = units
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')));
        out.push_str(rest.strip_prefix('-').unwrap_or(rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded_at_any_place() {
        for (text, expected) in [
            ("=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=", "ceo@bank.example"),
            ("=?UTF-8?B?Y2VvQGJhbmsuZXhhbXBsZQ?=", "ceo@bank.example"),
            (
                "=?x?q?ceo=40bank?= =?x?Q?.example?= <a@b>",
                "ceo@bank.example <a@b>",
            ),
            ("\"=?utf-8?q?a_b?=\"", "\"a b\""),
            ("=?utf-7?q?ceo+AEA-bank.example?=", "ceo@bank.example"),
            ("=?utf-16be?b?AGMAQABi?=", "c@b"),
            ("a =? =?x?q?b?=", "a =? b"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "a@b", "=?", "=?x?q?a", "=?x?z?a?="] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
