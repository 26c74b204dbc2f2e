//! A message made fit for a server that does not take it as it is: with 8-bit octets for one without
//! 8BITMIME (RFC 6152 section 3), with long lines for one without CHUNKING.
//!
//! Each leaf of the MIME structure (RFC 2046) that holds an octet outside ASCII is encoded anew,
//! and its `Content-Transfer-Encoding` says so; what encloses it is no longer `8bit`. Everything
//! else stays octet for octet: other parts, the fields of every header section, boundaries and
//! what stands around them. What the leaves say once decoded is the same before and after.
//!
//! The same is done for lines of more than 998 octets, which a server without CHUNKING need not take
//! (RFC 5321 section 4.5.3.1.6): a leaf that has one is encoded anew, Base64 and quoted-printable are
//! parted into shorter lines, and long fields are folded.
//!
//! What cannot be changed without breaking something is not changed at all: see
//! [`Unconvertible`].

mod encode;
mod fold;

use mail_parser::{Header, HeaderName, HeaderValue, MessageParser};

use crate::LongLines;

/// How deep parts may lie within each other.
const DEPTH: usize = 20;

/// Fields whose signature covers the body, and with it every header section within.
const SIGNATURES: [&str; 5] = [
    "DKIM-Signature",
    "DomainKey-Signature",
    "ARC-Seal",
    "ARC-Message-Signature",
    "ARC-Authentication-Results",
];

/// Why a message stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unconvertible {
    /// A signature would no longer verify, or what is encrypted no longer be whole: DKIM, ARC,
    /// S/MIME or PGP/MIME.
    #[error("a signature or an encryption covers it")]
    Signed,
    /// There are 8-bit octets in a header section, which have no other form, or a line without a
    /// place to fold it.
    #[error("a header section holds 8-bit octets, or a word longer than a line")]
    Header,
    /// The structure contradicts itself or leaves open what the octets mean.
    #[error("its MIME structure does not say what the octets are")]
    Structure,
}

/// What a server needs of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// No octet outside ASCII.
    pub ascii: bool,
    /// No line of more than 998 octets.
    pub short_lines: bool,
    /// The message is changed although a signature covers what changes, which then fails.
    pub despite_signatures: bool,
}

impl Needs {
    fn are_met(self, octets: &[u8]) -> bool {
        !(self.ascii && !octets.is_ascii() || self.short_lines && LongLines::are_in(octets))
    }
}

/// The message as it is needed. Takes some three times its size in memory; who calls it bounds that.
///
/// # Errors
/// Why it cannot be had.
pub fn convert(raw: &[u8], needs: Needs) -> Result<Vec<u8>, Unconvertible> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 2);
    entity(raw, Kind::Message, needs, DEPTH, &mut out)?;
    match needs.are_met(&out) {
        true => Ok(out),
        false => Err(Unconvertible::Structure),
    }
}

/// The message in ASCII. Needs some three times its size in memory; who calls it bounds that.
///
/// # Errors
/// Why it cannot be had.
pub fn seven_bit(raw: &[u8]) -> Result<Vec<u8>, Unconvertible> {
    let needs = Needs {
        ascii: true,
        ..Needs::default()
    };
    convert(raw, needs)
}

/// What an entity is by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A whole message.
    Message,
    /// A part of a multipart.
    Part,
    /// A part of a multipart/digest, which is a message where it does not say otherwise
    /// (RFC 2046 section 5.1.5).
    PartOfDigest,
}

/// What an entity is by what it says.
enum Content {
    Multipart { boundary: String, digest: bool },
    Message,
    Text,
    Other,
}

/// Writes one entity: header section and body.
fn entity(
    raw: &[u8],
    kind: Kind,
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
    // There is no part where there is no field.
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
    if let Some(written) = written(encoding) {
        // It is ASCII, or says what it is not.
        if !body.is_ascii() {
            return Err(Unconvertible::Structure);
        }
        match written {
            Written::Base64 => fold::base64(body, &mut changed),
            Written::QuotedPrintable => fold::quoted_printable(body, &mut changed),
        }
        out.extend_from_slice(head);
        out.extend_from_slice(&changed);
        return Ok(());
    }
    let now = match content {
        Content::Multipart { boundary, digest } => {
            let kind = if digest {
                Kind::PartOfDigest
            } else {
                Kind::Part
            };
            parts(body, &boundary, kind, needs, depth, &mut changed)?;
            "7bit"
        }
        Content::Message => {
            entity(body, Kind::Message, needs, depth, &mut changed)?;
            "7bit"
        }
        Content::Text => encode::text(body, &mut changed),
        Content::Other => encode::base64(body, &mut changed),
    };
    let is_composite = now == "7bit";
    if is_composite && !needs.ascii {
        // What is within may be 8-bit still.
        out.extend_from_slice(head);
        out.extend_from_slice(&changed);
        return Ok(());
    }
    // A composite that named no encoding has named the right one (RFC 2045 section 6.1).
    let named = encoding.map(|field| &head[span(field)]);
    let field = format!("Content-Transfer-Encoding: {now}\r\n");
    match (named, now) {
        (None, "7bit") => out.extend_from_slice(fields(head)),
        (None, _) => {
            out.extend_from_slice(fields(head));
            out.extend_from_slice(field.as_bytes());
        }
        (Some(_), _) => {
            let span = encoding.map(span).unwrap_or_default();
            out.extend_from_slice(&head[..span.start]);
            out.extend_from_slice(field.as_bytes());
            out.extend_from_slice(&fields(head)[span.end..]);
        }
    }
    // Without it the other fields would mean nothing (RFC 2045 section 4).
    if kind == Kind::Message && find(headers, "MIME-Version").is_none() {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    out.extend_from_slice(&head[fields(head).len()..]);
    out.extend_from_slice(&changed);
    Ok(())
}

/// Header section, with the empty line that ends it, and body.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    if raw.starts_with(b"\r\n") {
        return raw.split_at(2);
    }
    match memchr::memmem::find(raw, b"\r\n\r\n") {
        Some(end) => raw.split_at(end + 4),
        None => (raw, b""),
    }
}

/// The header section without its empty line.
fn fields(head: &[u8]) -> &[u8] {
    head.strip_suffix(b"\r\n").unwrap_or(head)
}

fn find<'a, 'x>(headers: &'a [Header<'x>], name: &str) -> Option<&'a Header<'x>> {
    headers
        .iter()
        .find(|header| header.name().eq_ignore_ascii_case(name))
}

/// The octets of a field, with its CRLF.
fn span(field: &Header<'_>) -> std::ops::Range<usize> {
    field.offset_field() as usize..field.offset_end() as usize
}

/// The field that names the transfer encoding; it must be one that is known.
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

/// An encoding in which the octets are written as others.
enum Written {
    Base64,
    QuotedPrintable,
}

fn written(encoding: Option<&Header<'_>>) -> Option<Written> {
    let HeaderValue::Text(value) = &encoding?.value else {
        return None;
    };
    match value.trim() {
        value if value.eq_ignore_ascii_case("base64") => Some(Written::Base64),
        value if value.eq_ignore_ascii_case("quoted-printable") => Some(Written::QuotedPrintable),
        _ => None,
    }
}

/// What the entity is.
fn content(headers: &[Header<'_>], kind: Kind, needs: Needs) -> Result<Content, Unconvertible> {
    let mut fields = headers
        .iter()
        .filter(|header| header.name == HeaderName::ContentType);
    let content = match (fields.next(), fields.next()) {
        (None, _) if kind == Kind::PartOfDigest => return Ok(Content::Message),
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
        // No other transfer encoding is allowed for most of them, and what they hold is theirs.
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

/// Writes the parts between their boundaries, and what stands around them.
fn parts(
    body: &[u8],
    boundary: &str,
    kind: Kind,
    needs: Needs,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Unconvertible> {
    // Where the part in hand began; none before the first and after the last.
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
        plain(&body[around..end], needs, out)?;
        (begun, around, closed) = (Some(end), end, last);
    }
    match begun {
        Some(from) if !closed => entity(&body[from..], kind, needs, depth, out),
        // With no part at all the octets are of no part.
        _ => plain(&body[around..], needs, out),
    }
}

/// Whether the line is a boundary, and if so whether the last.
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

/// Writes what is no part.
fn plain(octets: &[u8], needs: Needs, out: &mut Vec<u8>) -> Result<(), Unconvertible> {
    if needs.ascii && !octets.is_ascii() {
        return Err(Unconvertible::Structure);
    }
    out.extend_from_slice(octets);
    Ok(())
}
