//! A message with 8-bit octets made fit for a server without 8BITMIME (RFC 6152 section 3).
//!
//! Each leaf of the MIME structure (RFC 2046) that holds an octet outside ASCII is encoded anew,
//! and its `Content-Transfer-Encoding` says so; what encloses it is no longer `8bit`. Everything
//! else stays octet for octet: other parts, the fields of every header section, boundaries and
//! what stands around them. What the leaves say once decoded is the same before and after.
//!
//! What cannot be changed without breaking something is not changed at all: see
//! [`Unconvertible`].

mod encode;

use mail_parser::{Header, HeaderName, HeaderValue, MessageParser};

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
    /// There are 8-bit octets in a header section, which have no other form.
    #[error("a header section holds 8-bit octets")]
    Header,
    /// The structure contradicts itself or leaves open what the octets mean.
    #[error("its MIME structure does not say what the 8-bit octets are")]
    Structure,
}

/// The message in ASCII. Needs some three times its size in memory; who calls it bounds that.
///
/// # Errors
/// Why it cannot be had.
pub fn seven_bit(raw: &[u8]) -> Result<Vec<u8>, Unconvertible> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 2);
    entity(raw, Kind::Message, DEPTH, &mut out)?;
    Ok(out)
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
fn entity(raw: &[u8], kind: Kind, depth: usize, out: &mut Vec<u8>) -> Result<(), Unconvertible> {
    if raw.is_ascii() {
        out.extend_from_slice(raw);
        return Ok(());
    }
    let depth = depth.checked_sub(1).ok_or(Unconvertible::Structure)?;
    let (head, body) = split(raw);
    if !head.is_ascii() {
        return Err(Unconvertible::Header);
    }
    let parsed = MessageParser::new().parse_headers(head).unwrap_or_default();
    // There is no part where there is no field.
    let headers = parsed.parts.first().map_or(&[][..], |part| &part.headers);
    if SIGNATURES.iter().any(|name| find(headers, name).is_some()) {
        return Err(Unconvertible::Signed);
    }
    let encoding = encoding(headers)?;
    let content = content(headers, kind)?;
    let mut changed = Vec::new();
    let now = match content {
        Content::Multipart { boundary, digest } => {
            let kind = if digest {
                Kind::PartOfDigest
            } else {
                Kind::Part
            };
            parts(body, &boundary, kind, depth, &mut changed)?;
            "7bit"
        }
        Content::Message => {
            entity(body, Kind::Message, depth, &mut changed)?;
            "7bit"
        }
        Content::Text => encode::text(body, &mut changed),
        Content::Other => encode::base64(body, &mut changed),
    };
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

/// The field that names the transfer encoding. It must be one that leaves the octets as they
/// are: others have no 8-bit octets, or mean none.
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
    let plain = ["7bit", "8bit", "binary"]
        .iter()
        .any(|known| value.eq_ignore_ascii_case(known));
    match plain && fields.next().is_none() {
        true => Ok(Some(field)),
        false => Err(Unconvertible::Structure),
    }
}

/// What the entity is.
fn content(headers: &[Header<'_>], kind: Kind) -> Result<Content, Unconvertible> {
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
        ("multipart", "signed" | "encrypted") => Err(Unconvertible::Signed),
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
        ("application", sub) if sub.contains("pkcs7") || sub.starts_with("pgp-") => {
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
                entity(&body[from..start - 2], kind, depth, out)?;
                around = start - 2;
            }
            Some(from) => around = from,
            None => {}
        }
        plain(&body[around..end], out)?;
        (begun, around, closed) = (Some(end), end, last);
    }
    match begun {
        Some(from) if !closed => entity(&body[from..], kind, depth, out),
        // With no part at all the octets are of no part.
        _ => plain(&body[around..], out),
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
fn plain(octets: &[u8], out: &mut Vec<u8>) -> Result<(), Unconvertible> {
    if !octets.is_ascii() {
        return Err(Unconvertible::Structure);
    }
    out.extend_from_slice(octets);
    Ok(())
}
