//! The arguments of MAIL and RCPT (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2): a path in angle
//! brackets, then parameters.
//!
//! Parsed by hand and not by smtp-proto, which unquotes local parts, takes much for an address
//! that is none and lets unknown forms pass; see docs/decisions/0001-command-grammar.md.

use std::collections::HashSet;

use gatepost_message::{Address, AddressError, ReversePath};

use super::{BodyType, Mail};
use crate::dsn::{self, Recipient, decode_xtext};
use crate::reply::Reply;

/// Reads what follows `MAIL`. `max_size` is the limit that SIZE is held against; `auth` says
/// whether AUTH is on offer, and with it the parameter of that name.
pub(super) fn mail(arguments: &[u8], max_size: u64, auth: bool) -> Result<Mail, Reply> {
    let malformed = |why: &str| Reply::new(501, "5.1.7", format!("Sender: {why}"));
    let (path, parameters) = split(arguments, "FROM:", malformed)?;
    let reverse_path = match without_route(path) {
        Ok("") if path.is_empty() => ReversePath::Null,
        Ok(mailbox) => ReversePath::Address(parse(mailbox, malformed)?),
        Err(why) => return Err(malformed(why)),
    };
    let mut mail = Mail {
        reverse_path,
        size: None,
        body: BodyType::default(),
        smtputf8: false,
        dsn: dsn::MessageRequest::default(),
    };
    let mut seen = HashSet::new();
    for parameter in parameters.split(|&b| b == b' ').filter(|p| !p.is_empty()) {
        let (keyword, value) = keyword_and_value(parameter)?;
        if !seen.insert(keyword.clone()) {
            return Err(bad_parameter(format!("{keyword} is given twice")));
        }
        match (keyword.as_str(), value) {
            ("SIZE", Some(value)) => mail.size = Some(size(value, max_size)?),
            ("BODY", Some(value)) => mail.body = body(value)?,
            // RFC 4954 section 5: to be taken where AUTH is offered, and disregarded, as though
            // it said <>, where the client is not trusted to know.
            ("AUTH", Some(value)) if auth => xtext(value)?,
            ("SIZE" | "BODY", None) => {
                return Err(bad_parameter(format!("{keyword} needs a value")));
            }
            ("AUTH", None) if auth => return Err(bad_parameter("AUTH needs a value".into())),
            _ => return Err(unknown_parameter(&keyword)),
        }
    }
    Ok(mail)
}

/// Reads what follows `RCPT`. `<Postmaster>` alone is the postmaster of `hostname` (RFC 5321
/// section 4.1.1.3).
pub(super) fn recipient(arguments: &[u8], hostname: &str) -> Result<Recipient, Reply> {
    let malformed = |why: &str| Reply::new(501, "5.1.3", format!("Recipient: {why}"));
    let (path, parameters) = split(arguments, "TO:", malformed)?;
    let address = if path.eq_ignore_ascii_case("postmaster") {
        parse(&format!("{path}@{hostname}"), malformed)?
    } else {
        parse(without_route(path).map_err(malformed)?, malformed)?
    };
    match parameters.split(|&b| b == b' ').find(|p| !p.is_empty()) {
        Some(parameter) => Err(unknown_parameter(&keyword_and_value(parameter)?.0)),
        None => Ok(address.into()),
    }
}

/// What stands between the angle brackets, and what stands after them. White space before the
/// path is tolerated, as everywhere; a `>` in a quoted string does not end it.
fn split<'a>(
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
        Ok(path) if path.is_ascii() => Ok((path, after)),
        _ => Err(Reply::new(
            553,
            "5.6.7",
            "Addresses outside ASCII are not supported here (no SMTPUTF8)",
        )),
    }
}

/// The path without its source route `@a,@b:`, which is obsolete and to be ignored (RFC 5321
/// appendix C).
fn without_route(path: &str) -> Result<&str, &'static str> {
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

fn parse(mailbox: &str, malformed: impl Fn(&str) -> Reply) -> Result<Address, Reply> {
    Address::parse(mailbox).map_err(|error: AddressError| malformed(&error.to_string()))
}

/// `esmtp-keyword ["=" esmtp-value]` (RFC 5321 section 4.1.2); the keyword in upper case.
fn keyword_and_value(parameter: &[u8]) -> Result<(String, Option<&str>), Reply> {
    let malformed = || bad_parameter("Parameters are KEYWORD or KEYWORD=value".into());
    let parameter = str::from_utf8(parameter).map_err(|_| malformed())?;
    let (keyword, value) = match parameter.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (parameter, None),
    };
    let is_keyword = (1..=40).contains(&keyword.len())
        && !keyword.starts_with('-')
        && keyword
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_value = value.is_none_or(|value| {
        !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && b != b'=')
    });
    if !is_keyword || !is_value {
        return Err(malformed());
    }
    Ok((keyword.to_ascii_uppercase(), value))
}

/// RFC 1870 section 4: `1*20DIGIT`. What no integer can hold is over any limit.
fn size(value: &str, max: u64) -> Result<u64, Reply> {
    if value.len() > 20 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad_parameter("SIZE is a number of octets".into()));
    }
    match value.parse() {
        Ok(size) if size <= max => Ok(size),
        _ => Err(Reply::new(
            552,
            "5.3.4",
            format!("Message too large: at most {max} octets are taken here"),
        )),
    }
}

/// RFC 6152 section 2.
fn body(value: &str) -> Result<BodyType, Reply> {
    if value.eq_ignore_ascii_case("7BIT") {
        Ok(BodyType::SevenBit)
    } else if value.eq_ignore_ascii_case("8BITMIME") {
        Ok(BodyType::EightBitMime)
    } else {
        Err(bad_parameter("BODY is 7BIT or 8BITMIME".into()))
    }
}

/// RFC 3461 section 4: `+` introduces two upper-case hexadecimal digits.
fn xtext(value: &str) -> Result<(), Reply> {
    match decode_xtext(value) {
        Some(_) => Ok(()),
        None => Err(bad_parameter("AUTH is a mailbox as xtext, or <>".into())),
    }
}

fn bad_parameter(why: String) -> Reply {
    Reply::new(501, "5.5.4", why)
}

fn unknown_parameter(keyword: &str) -> Reply {
    Reply::new(
        555,
        "5.5.4",
        format!("Parameter {keyword} is not supported here"),
    )
}
