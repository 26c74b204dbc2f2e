//! Addresses in a display name.
//!
//! A name is no address (RFC 5322 section 3.4), but people read it, and many programs show nothing
//! else. So an impostor writes another's address there. A person sees an address in many spellings:
//! with characters of other widths and scripts, in encoded words that the relay's parser does not
//! decode, in the escapes of URLs and HTML, with invisible characters inside.

use std::collections::HashSet;

use crate::{ADDRESS_LIMIT, AddrSpec, FIELD_LIMIT, domain, encoded_word, scan};

/// The most rounds of decoding, since an escape may be escaped.
const MAX_ROUNDS: usize = 3;

/// The most octets of an entity such as `&commat;`.
const MAX_ENTITY: usize = 12;

/// Returns all addresses that a person could see in a display name, each once. The name may be
/// decoded or not. Quotes and other signs around a local part are left out.
///
/// It reads at most [`FIELD_LIMIT`] octets and returns at most [`ADDRESS_LIMIT`] addresses.
pub fn in_name(name: &str) -> Vec<AddrSpec> {
    let name = &name[..name.floor_char_boundary(FIELD_LIMIT)];
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut give = |shown: AddrSpec| {
        let Some(address) = visible_form(&shown) else {
            return;
        };
        if found.len() < ADDRESS_LIMIT && seen.insert(address.clone()) {
            found.push(address);
        }
    };
    let mut text = name.to_owned();
    scan::in_text(&text, false, &mut give);
    for _ in 0..MAX_ROUNDS {
        let before = text.clone();
        for decode in [encoded_word::decoded, decode_percents, decode_entities] {
            if let Some(plain) = decode(&text) {
                scan::in_text(&plain, false, &mut give);
                text = plain;
            }
        }
        if text == before {
            break;
        }
    }
    found
}

/// Returns true if two addresses look the same to a person.
pub fn looks_like(shown: &AddrSpec, address: &AddrSpec) -> bool {
    let plain = |address: &AddrSpec| visible_form(address).unwrap_or_else(|| address.clone());
    plain(shown) == plain(address)
}

/// Returns an address in lower case, without invisible characters and without signs around it;
/// `None` if nobody takes it for an address.
fn visible_form(shown: &AddrSpec) -> Option<AddrSpec> {
    let local: String = domain::as_seen(&shown.local).collect();
    let local = local.trim_matches(|c: char| !c.is_alphanumeric());
    let domain = shown
        .domain
        .trim_end_matches(|c: char| !c.is_alphanumeric());
    (!local.is_empty() && domain.contains('.')).then(|| AddrSpec {
        local: local.to_owned(),
        domain: domain.to_owned(),
    })
}

fn decode_percents(text: &str) -> Option<String> {
    decode_all(text, decode_percent)
}

fn decode_entities(text: &str) -> Option<String> {
    decode_all(text, decode_entity)
}

/// Decodes all escapes of a text by a function that returns a character and the length of its
/// escape; returns `None` if there are none.
fn decode_all(text: &str, decode: fn(&str) -> Option<(char, usize)>) -> Option<String> {
    let mut out = String::new();
    let mut found = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (character, length) = match decode(rest) {
            Some(decoded) => {
                found = true;
                decoded
            }
            None => (first, first.len_utf8()),
        };
        out.push(character);
        rest = &rest[length..];
    }
    found.then_some(out)
}

/// Decodes an escape of URLs, such as `%40` (RFC 3986 section 2.1).
fn decode_percent(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    let octet = hexadecimal(digits)?;
    // Only ASCII matters for the signs of an address.
    let character = char::from_u32(octet).filter(char::is_ascii)?;
    Some((character, 3))
}

/// Decodes a reference of HTML, such as `&#64;`, `&#x40;` or `&commat;`. Browsers accept a number
/// without its semicolon.
fn decode_entity(text: &str) -> Option<(char, usize)> {
    let behind = text.strip_prefix('&')?;
    let Some(number) = behind.strip_prefix('#') else {
        let end = behind.bytes().take(MAX_ENTITY).position(|c| c == b';')?;
        let character = match behind.get(..end)? {
            "commat" => '@',
            "period" => '.',
            "hyphen" | "dash" => '-',
            "lowbar" | "UnderBar" => '_',
            "amp" | "AMP" => '&',
            "percnt" => '%',
            "num" => '#',
            "semi" => ';',
            "quot" | "QUOT" => '"',
            "lt" | "LT" => '<',
            "gt" | "GT" => '>',
            "shy" | "zwj" | "zwnj" | "NoBreak" => '\u{ad}',
            _ => return None,
        };
        return Some((character, end + 2));
    };
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let length = digits.bytes().take(MAX_ENTITY);
    let length = length
        .take_while(|c| char::from(*c).is_digit(radix))
        .count();
    let code = u32::from_str_radix(digits.get(..length)?, radix).ok()?;
    let begin = text.len() - digits.len();
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((char::from_u32(code)?, begin + length + semicolon))
}

fn hexadecimal(digits: &str) -> Option<u32> {
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_a_name_are_found() {
        let text = "ceo@bank.example (via) the 'it.desk@a.example.' @home Ann @ Shop.example";
        let shown = in_name(text);
        let shown: Vec<_> = shown.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["ceo@bank.example", "it.desk@a.example"]);
    }

    #[test]
    fn escapes_are_decoded_as_browsers_do() {
        for (text, expected) in [
            ("a%40b", Some('@')),
            ("a&#64;b", Some('@')),
            ("a&#064b", Some('@')),
            ("a&#x40;b", Some('@')),
            ("a&commat;b", Some('@')),
            ("a%4", None),
            ("a%zz", None),
            ("a%C3", None),
            ("a&", None),
            ("a&#;", None),
            ("a&#xfffffff;", None),
            ("a&nothing;", None),
        ] {
            let decoded =
                decode_all(text, decode_percent).or_else(|| decode_all(text, decode_entity));
            let decoded = decoded.and_then(|text| text.chars().nth(1));
            assert_eq!(decoded, expected, "{text}");
        }
    }
}
