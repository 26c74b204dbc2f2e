//! Search for everything that looks like an address to any reader.
//!
//! Nobody knows all readers of an ambiguous field. So every `@` with a domain after it counts: in
//! the text as it is written, without quotes and comments, and decoded.

use crate::token::{Dialect, TokenKind, Tokens, tokens};
use crate::{AddrSpec, domain, encoded_word};

/// The most characters of a domain; no real one has more (RFC 1035 section 2.3.4).
const MAX_DOMAIN: usize = 255;

/// Calls `give` for everything in a field that looks like an address.
pub(crate) fn addresses(text: &str, tokens: &Tokens<'_>, give: &mut impl FnMut(AddrSpec)) {
    in_text(text, true, give);
    in_text(&undecorated(tokens), true, give);
    if let Some(decoded) = encoded_word::decoded(text) {
        in_text(&decoded, true, give);
        let tokens = self::tokens(&decoded, Dialect::default());
        in_text(&undecorated(&tokens), true, give);
    }
}

/// Returns the text without comments, quotes, backslashes, brackets and control characters.
fn undecorated(tokens: &Tokens<'_>) -> String {
    let mut plain = String::new();
    let in_domain = |plain: &str| plain.ends_with(|c| domain::is_at(c) || domain::is_dot(c));
    for token in &tokens.list {
        match token.kind {
            TokenKind::Comment => {}
            TokenKind::Quoted => plain.extend(token.inner().chars().filter(|c| *c != '\\')),
            TokenKind::Literal => plain.push_str(token.text.trim_matches(['[', ']'])),
            TokenKind::Atom if matches!(token.text, "\\" | "[") => {}
            TokenKind::Open | TokenKind::Close if in_domain(&plain) => {}
            TokenKind::Open | TokenKind::Close => plain.push(' '),
            TokenKind::Space if !token.text.starts_with([' ', '\t', '\r', '\n']) => {}
            _ => plain.push_str(token.text),
        }
    }
    plain
}

/// Calls `give` for everything that looks like an address in a text as it is written. With
/// `joining`, a domain with white space around its dots is returned whole, and its first piece
/// besides.
pub(crate) fn in_text(text: &str, joining: bool, give: &mut impl FnMut(AddrSpec)) {
    let mut local_begin = 0;
    for (place, character) in text.char_indices() {
        if !domain::is_at(character) {
            if !is_of_local(character) {
                local_begin = place + character.len_utf8();
            }
            continue;
        }
        let local = &text[local_begin..place];
        let behind = &text[place + character.len_utf8()..];
        local_begin = place + character.len_utf8();
        let (first, joined) = domains(behind);
        let joined = joined.filter(|_| joining || !first.contains(domain::is_dot));
        for written in [Some(first), joined].into_iter().flatten() {
            // A domain of a single label cannot be looked up.
            if let Some(domain) = domain::normalised(&written)
                && domain.contains('.')
            {
                give(AddrSpec {
                    local: local.to_owned(),
                    domain,
                });
            }
        }
    }
}

/// Returns the domain at the start of a text, after white space: its first piece, up to white
/// space; and, if that is more, the pieces joined over white space around dots (RFC 5322 section
/// 4.4).
fn domains(text: &str) -> (String, Option<String>) {
    let mut first = None;
    let mut joined = String::new();
    let mut length = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = true;
            continue;
        }
        let is_dot = domain::is_dot(character);
        if !is_dot && !domain::is_of_domain(character) || domain::is_at(character) {
            break;
        }
        if gap && !joined.is_empty() {
            let goes_on = is_dot || joined.ends_with(domain::is_dot);
            first.get_or_insert_with(|| joined.clone());
            if !goes_on {
                break;
            }
        }
        gap = false;
        length += 1;
        if length > MAX_DOMAIN {
            break;
        }
        joined.push(character);
    }
    match first {
        None => (joined, None),
        Some(first) => {
            let more = (joined != first).then_some(joined);
            (first, more)
        }
    }
}

fn is_of_local(character: char) -> bool {
    !character.is_whitespace()
        && !character.is_control()
        && !domain::is_at(character)
        && !"()<>[]:;,\\\"".contains(character)
}
