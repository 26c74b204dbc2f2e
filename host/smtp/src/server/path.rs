//! The path in angle brackets of MAIL and RCPT (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2).
//!
//! Not parsed by smtp-proto, which unquotes local parts, accepts much that is no address and lets
//! unknown forms pass; see docs/decisions/0001-command-grammar.md.

use gatepost_message::{Address, AddressError};

use crate::reply::Reply;

/// Returns the text between the angle brackets and the octets after them. White space before the
/// path is tolerated, as everywhere; a `>` in a quoted string does not end the path.
pub(super) fn split<'a>(
    arguments: &'a [u8],
    keyword: &str,
    malformed: impl Fn(&str) -> Reply,
) -> Result<(&'a str, &'a [u8]), Reply> {
    let begins = arguments
        .split_at_checked(keyword.len())
        .filter(|(word, _)| word.eq_ignore_ascii_case(keyword.as_bytes()))
        .and_then(|(_, rest)| rest.trim_ascii_start().strip_prefix(b"<"));
    let Some(rest) = begins else {
        return Err(malformed(&format!("write {keyword}<address>")));
    };
    let (mut quoted, mut escaped) = (false, false);
    let end = rest.iter().position(|&b| {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' => return !quoted,
            _ => {}
        }
        false
    });
    let Some(end) = end else {
        return Err(malformed("the closing > is missing"));
    };
    let (path, after) = (&rest[..end], &rest[end + 1..]);
    if !after.is_empty() && !after.starts_with(b" ") {
        return Err(malformed("a space must stand between > and what follows"));
    }
    match str::from_utf8(path) {
        Ok(path) => Ok((path, after)),
        Err(_) => Err(malformed("not UTF-8")),
    }
}

/// Refuses an address outside ASCII in a transaction without SMTPUTF8 (RFC 6531 section 3.5).
pub(super) fn require_smtputf8(address: &Address, smtputf8: bool) -> Result<(), Reply> {
    match smtputf8 || address.is_ascii() {
        true => Ok(()),
        false => Err(Reply::new(
            553,
            "5.6.7",
            "An address outside ASCII needs SMTPUTF8 in MAIL",
        )),
    }
}

/// Returns the path without its source route `@a,@b:`, which is obsolete and is to be ignored
/// (RFC 5321 appendix C).
pub(super) fn without_route(path: &str) -> Result<&str, &'static str> {
    if !path.starts_with('@') {
        return Ok(path);
    }
    let is_hop = |hop: &str| {
        hop.strip_prefix('@').is_some_and(|domain| {
            !domain.starts_with('[') && Address::parse(&format!("x@{domain}")).is_ok()
        })
    };
    match path.split_once(':') {
        Some((route, mailbox)) if route.split(',').all(is_hop) => Ok(mailbox),
        _ => Err("malformed source route"),
    }
}

/// Reads a mailbox; `strict` refuses what [RFC 5321's grammar does not allow](Address::is_strict).
pub(super) fn parse(
    mailbox: &str,
    strict: bool,
    malformed: impl Fn(&str) -> Reply,
) -> Result<Address, Reply> {
    let address = Address::parse(mailbox);
    let address = address.map_err(|error: AddressError| malformed(&error.to_string()))?;
    match strict && !address.is_strict() {
        true => Err(malformed(
            "not by RFC 5321: a local part of more than 64 octets or with misplaced dots, or an \
             underscore in the domain",
        )),
        false => Ok(address),
    }
}
