//! Conversion of a message for a server that does not accept it as it is: one with 8-bit octets for
//! a server without 8BITMIME (RFC 6152 section 3), one with long lines for a server without
//! CHUNKING.
//!
//! Each leaf of the MIME structure (RFC 2046) that holds an octet outside ASCII is encoded anew,
//! with its `Content-Transfer-Encoding`; the entities around it are no longer `8bit`. Everything
//! else stays octet for octet: other parts, the fields of every header section, boundaries and the
//! text around them. The decoded contents of the leaves are the same before and after.
//!
//! The same is done for lines of more than 998 octets, which a server without CHUNKING need not
//! accept (RFC 5321 section 4.5.3.1.6): a leaf with such a line is encoded anew, Base64 and
//! quoted-printable are split into shorter lines, and long fields are folded.
//!
//! A message that cannot be converted without breaking something is not changed at all: see
//! [`Unconvertible`].

mod encode;
mod fold;

use mail_parser::{Header, HeaderName, HeaderValue, MessageParser};

use crate::LongLines;

/// The most levels of parts within each other.
const MAX_DEPTH: usize = 20;

/// Fields with a signature that covers the body, and so every header section within it.
const SIGNATURES: [&str; 5] = [
    "DKIM-Signature",
    "DomainKey-Signature",
    "ARC-Seal",
    "ARC-Message-Signature",
    "ARC-Authentication-Results",
];

/// Reason why a message cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unconvertible {
    /// A signature would no longer verify, or encrypted contents would be damaged: DKIM, ARC,
    /// S/MIME or PGP/MIME.
    #[error("a signature or an encryption covers it")]
    Signed,
    /// A header section holds 8-bit octets, which cannot be encoded, or a line without a place to
    /// fold it.
    #[error("a header section holds 8-bit octets, or a word longer than a line")]
    Header,
    /// The MIME structure contradicts itself or does not define the octets.
    #[error("its MIME structure does not say what the octets are")]
    Structure,
}

/// Requirements of a server on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// No octet outside ASCII.
    pub ascii: bool,
    /// No line of more than 998 octets.
    pub short_lines: bool,
    /// Convert even if that breaks a signature.
    pub despite_signatures: bool,
}

impl Needs {
    fn are_met(self, octets: &[u8]) -> bool {
        !(self.ascii && !octets.is_ascii() || self.short_lines && LongLines::are_in(octets))
    }
}

/// Converts a message to meet the requirements. It needs about three times the message's size in
/// memory; the caller limits that.
///
/// # Errors
/// The reason why it cannot be converted.
pub fn convert(raw: &[u8], needs: Needs) -> Result<Vec<u8>, Unconvertible> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 2);
    entity(raw, EntityKind::Message, needs, MAX_DEPTH, &mut out)?;
    match needs.are_met(&out) {
        true => Ok(out),
        false => Err(Unconvertible::Structure),
    }
}

/// Converts a message to ASCII. It needs about three times the message's size in memory; the caller
/// limits that.
///
/// # Errors
/// The reason why it cannot be converted.
pub fn seven_bit(raw: &[u8]) -> Result<Vec<u8>, Unconvertible> {
    let needs = Needs {
        ascii: true,
        ..Needs::default()
    };
    convert(raw, needs)
}

/// Kind of an entity by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntityKind {
    /// A whole message.
    Message,
    /// A part of a multipart.
    Part,
    /// A part of a multipart/digest, which is a message by default (RFC 2046 section 5.1.5).
    PartOfDigest,
}

/// Kind of an entity by its Content-Type.
enum Content {
    Multipart { boundary: String, digest: bool },
    Message,
    Text,
    Other,
}

/// Writes one entity: header section and body.
fn entity(
    raw: &[u8],
    kind: EntityKind,
    needs: Needs,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Unconvertible> {
    if needs.are_met(raw) {
        out.extend_from_slice(raw);
        return Ok(());
    }
    let depth = depth.checked_sub(1).ok_or(Unconvertible::Structure)?;
    let (head, body) = split(raw);
    if needs.ascii && !head.is_ascii() {
        return Err(Unconvertible::Header);
    }
    let folded;
    let parsed = MessageParser::new().parse_headers(head).unwrap_or_default();
    // Without fields the parser finds no part.
    let headers = parsed.parts.first().map_or(&[][..], |part| &part.headers);
    let is_signed = SIGNATURES.iter().any(|name| find(headers, name).is_some());
    if is_signed && !needs.despite_signatures {
        return Err(Unconvertible::Signed);
    }
    if needs.short_lines && LongLines::are_in(head) {
        folded = fold::head(head)?;
        let whole = [&folded[..], body].concat();
        return entity(&whole, kind, needs, depth, out);
    }
    let encoding = encoding(headers)?;
    let content = content(headers, kind, needs)?;
    let mut changed = Vec::new();
    if let Some(written) = text_encoding(encoding) {
        // An encoded body must be ASCII.
        if !body.is_ascii() {
            return Err(Unconvertible::Structure);
        }
        match written {
            TextEncoding::Base64 => fold::base64(body, &mut changed),
            TextEncoding::QuotedPrintable => fold::quoted_printable(body, &mut changed),
        }
        out.extend_from_slice(head);
        out.extend_from_slice(&changed);
        return Ok(());
    }
    let now = match content {
        Content::Multipart { boundary, digest } => {
            let kind = if digest {
                EntityKind::PartOfDigest
            } else {
                EntityKind::Part
            };
            parts(body, &boundary, kind, needs, depth, &mut changed)?;
            "7bit"
        }
        Content::Message => {
            entity(body, EntityKind::Message, needs, depth, &mut changed)?;
            "7bit"
        }
        Content::Text => encode::text(body, &mut changed),
        Content::Other => encode::base64(body, &mut changed),
    };
    let is_composite = now == "7bit";
    if is_composite && !needs.ascii {
        // Parts may still be 8-bit, so the encoding stays.
        out.extend_from_slice(head);
        out.extend_from_slice(&changed);
        return Ok(());
    }
    // Without the field the encoding is 7bit (RFC 2045 section 6.1): right for a composite.
    let named = encoding.map(|field| &head[field_span(field)]);
    let field = format!("Content-Transfer-Encoding: {now}\r\n");
    match (named, now) {
        (None, "7bit") => out.extend_from_slice(fields(head)),
        (None, _) => {
            out.extend_from_slice(fields(head));
            out.extend_from_slice(field.as_bytes());
        }
        (Some(_), _) => {
            let span = encoding.map(field_span).unwrap_or_default();
            out.extend_from_slice(&head[..span.start]);
            out.extend_from_slice(field.as_bytes());
            out.extend_from_slice(&fields(head)[span.end..]);
        }
    }
    // Without MIME-Version the other fields would mean nothing (RFC 2045 section 4).
    if kind == EntityKind::Message && find(headers, "MIME-Version").is_none() {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    out.extend_from_slice(&head[fields(head).len()..]);
    out.extend_from_slice(&changed);
    Ok(())
}

/// Splits an entity into header section, with the empty line that ends it, and body.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    if raw.starts_with(b"\r\n") {
        return raw.split_at(2);
    }
    match memchr::memmem::find(raw, b"\r\n\r\n") {
        Some(end) => raw.split_at(end + 4),
        None => (raw, b""),
    }
}

/// Returns the header section without its empty line.
fn fields(head: &[u8]) -> &[u8] {
    head.strip_suffix(b"\r\n").unwrap_or(head)
}

fn find<'a, 'x>(headers: &'a [Header<'x>], name: &str) -> Option<&'a Header<'x>> {
    headers
        .iter()
        .find(|header| header.name().eq_ignore_ascii_case(name))
}

/// Returns the range of a field in its header section, with its CRLF.
fn field_span(field: &Header<'_>) -> std::ops::Range<usize> {
    field.offset_field() as usize..field.offset_end() as usize
}

/// Returns the field with the transfer encoding, which must be a known one.
fn encoding<'a, 'x>(headers: &'a [Header<'x>]) -> Result<Option<&'a Header<'x>>, Unconvertible> {
    let mut fields = headers
        .iter()
        .filter(|header| header.name == HeaderName::ContentTransferEncoding);
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    let value = match &field.value {
        HeaderValue::Text(value) => value.trim(),
        _ => return Err(Unconvertible::Structure),
    };
    let known = ["7bit", "8bit", "binary", "base64", "quoted-printable"]
        .iter()
        .any(|known| value.eq_ignore_ascii_case(known));
    match known && fields.next().is_none() {
        true => Ok(Some(field)),
        false => Err(Unconvertible::Structure),
    }
}

/// Transfer encoding that represents octets by ASCII text.
enum TextEncoding {
    Base64,
    QuotedPrintable,
}

fn text_encoding(encoding: Option<&Header<'_>>) -> Option<TextEncoding> {
    let HeaderValue::Text(value) = &encoding?.value else {
        return None;
    };
    match value.trim() {
        value if value.eq_ignore_ascii_case("base64") => Some(TextEncoding::Base64),
        value if value.eq_ignore_ascii_case("quoted-printable") => {
            Some(TextEncoding::QuotedPrintable)
        }
        _ => None,
    }
}

/// Returns the kind of an entity by its Content-Type.
fn content(
    headers: &[Header<'_>],
    kind: EntityKind,
    needs: Needs,
) -> Result<Content, Unconvertible> {
    let mut fields = headers
        .iter()
        .filter(|header| header.name == HeaderName::ContentType);
    let content = match (fields.next(), fields.next()) {
        (None, _) if kind == EntityKind::PartOfDigest => return Ok(Content::Message),
        (None, _) => return Ok(Content::Text),
        (Some(field), None) => field.value.as_content_type(),
        (Some(_), Some(_)) => None,
    };
    let content = content.ok_or(Unconvertible::Structure)?;
    let main = content.ctype().to_ascii_lowercase();
    let sub = content.subtype().unwrap_or_default().to_ascii_lowercase();
    match (main.as_str(), sub.as_str()) {
        ("multipart", "signed" | "encrypted") if !needs.despite_signatures => {
            Err(Unconvertible::Signed)
        }
        ("multipart", _) => match content.attribute("boundary") {
            Some(boundary) if (1..=70).contains(&boundary.len()) => Ok(Content::Multipart {
                boundary: boundary.to_owned(),
                digest: sub == "digest",
            }),
            _ => Err(Unconvertible::Structure),
        },
        ("message", "rfc822") => Ok(Content::Message),
        // Most of these allow no other transfer encoding, and their contents have rules of their
        // own.
        ("message", _) => Err(Unconvertible::Structure),
        ("application", sub)
            if (sub.contains("pkcs7") || sub.starts_with("pgp-")) && !needs.despite_signatures =>
        {
            Err(Unconvertible::Signed)
        }
        ("text", _) => Ok(Content::Text),
        _ if sub.is_empty() => Err(Unconvertible::Structure),
        _ => Ok(Content::Other),
    }
}

/// Writes the converted parts, and the boundaries and text around them.
fn parts(
    body: &[u8],
    boundary: &str,
    kind: EntityKind,
    needs: Needs,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Unconvertible> {
    // Start of the current part; `None` before the first and after the last.
    let mut begun = None;
    let mut around = 0;
    let mut closed = false;
    let mut at = 0;
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let Some(last) = delimiter(line, boundary).filter(|_| !closed) else {
            continue;
        };
        match begun {
            // The CRLF before a boundary belongs to it (RFC 2046 section 5.1.1).
            Some(from) if start >= from + 2 => {
                entity(&body[from..start - 2], kind, needs, depth, out)?;
                around = start - 2;
            }
            Some(from) => around = from,
            None => {}
        }
        write_outside_parts(&body[around..end], needs, out)?;
        (begun, around, closed) = (Some(end), end, last);
    }
    match begun {
        Some(from) if !closed => entity(&body[from..], kind, needs, depth, out),
        // The octets after the last part, or all of them if there is none, belong to no part.
        _ => write_outside_parts(&body[around..], needs, out),
    }
}

/// Returns true for the last boundary and false for any other; `None` if the line is no boundary.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line
        .strip_prefix(b"--")?
        .strip_prefix(boundary.as_bytes())?
        .trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// Writes octets outside the parts.
fn write_outside_parts(
    octets: &[u8],
    needs: Needs,
    out: &mut Vec<u8>,
) -> Result<(), Unconvertible> {
    if needs.ascii && !octets.is_ascii() {
        return Err(Unconvertible::Structure);
    }
    out.extend_from_slice(octets);
    Ok(())
}
