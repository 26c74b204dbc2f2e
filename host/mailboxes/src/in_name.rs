//! Addresses in a display name.
//!
//! A name is no address (RFC 5322 section 3.4), but people read it, and many programs show nothing
//! else. So whoever writes another's address there passes for that other. A person sees an address
//! in many spellings: with signs of other widths and scripts, in encoded words that the relay's
//! parser leaves as they are, in the escapes of URLs and HTML, with characters without a picture
//! inside.

use std::collections::HashSet;

use crate::{ADDRESS_LIMIT, AddrSpec, FIELD_LIMIT, domain, encoded_word, scan};

/// How many times escapes are undone: an escape may be escaped.
const DEPTH: usize = 3;

/// The longest name of a character that is looked for, as in `&commat;`.
const LONGEST_ENTITY: usize = 12;

/// All addresses that somebody could see in a display name, each once. The name may have been
/// decoded or not. Of a local part, quotes and other signs around it are left out.
///
/// No more is read than [`FIELD_LIMIT`] octets, and no more given than [`ADDRESS_LIMIT`] addresses.
pub fn in_name(name: &str) -> Vec<AddrSpec> {
    let name = &name[..name.floor_char_boundary(FIELD_LIMIT)];
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut give = |shown: AddrSpec| {
        let Some(address) = as_seen(&shown) else {
            return;
        };
        if found.len() < ADDRESS_LIMIT && seen.insert(address.clone()) {
            found.push(address);
        }
    };
    let mut text = name.to_owned();
    scan::in_text(&text, false, &mut give);
    for _ in 0..DEPTH {
        let before = text.clone();
        for undo in [encoded_word::decoded, unescaped_percent, unescaped_entity] {
            if let Some(plain) = undo(&text) {
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

/// Whether two addresses are one to whoever looks at them.
pub fn looks_like(shown: &AddrSpec, address: &AddrSpec) -> bool {
    let plain = |address: &AddrSpec| as_seen(address).unwrap_or_else(|| address.clone());
    plain(shown) == plain(address)
}

/// An address in small letters, without what nobody sees of it, and without the signs around it;
/// `None` where nobody takes it for an address.
fn as_seen(shown: &AddrSpec) -> Option<AddrSpec> {
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

fn unescaped_percent(text: &str) -> Option<String> {
    unescaped(text, percent)
}

fn unescaped_entity(text: &str) -> Option<String> {
    unescaped(text, entity)
}

/// The text with its escapes undone by a function that gives a character and the length of what
/// stands for it; `None` where there is none.
fn unescaped(text: &str, undo: fn(&str) -> Option<(char, usize)>) -> Option<String> {
    let mut out = String::new();
    let mut found = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (character, length) = match undo(rest) {
            Some(undone) => {
                found = true;
                undone
            }
            None => (first, first.len_utf8()),
        };
        out.push(character);
        rest = &rest[length..];
    }
    found.then_some(out)
}

/// `%40`, as URLs have it (RFC 3986 section 2.1).
fn percent(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    let octet = hexadecimal(digits)?;
    // What is no ASCII is no sign of an address.
    let character = char::from_u32(octet).filter(char::is_ascii)?;
    Some((character, 3))
}

/// `&#64;`, `&#x40;` or `&commat;`, as HTML has it; browsers do without the semicolon behind a
/// number.
fn entity(text: &str) -> Option<(char, usize)> {
    let behind = text.strip_prefix('&')?;
    let Some(number) = behind.strip_prefix('#') else {
        let end = behind
            .bytes()
            .take(LONGEST_ENTITY)
            .position(|c| c == b';')?;
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
    let length = digits.bytes().take(LONGEST_ENTITY);
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
    fn an_address_in_a_name_is_seen() {
        let text = "ceo@bank.example (via) the 'it.desk@a.example.' @home Ann @ Shop.example";
        let shown = in_name(text);
        let shown: Vec<_> = shown.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["ceo@bank.example", "it.desk@a.example"]);
    }

    #[test]
    fn escapes_are_undone_as_browsers_do() {
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
            let undone = unescaped(text, percent).or_else(|| unescaped(text, entity));
            let undone = undone.and_then(|text| text.chars().nth(1));
            assert_eq!(undone, expected, "{text}");
        }
    }
}
