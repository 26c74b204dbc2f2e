//! Quoted-printable and Base64 (RFC 2045 sections 6.7 and 6.8).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The most characters of an encoded line.
const LINE: usize = 76;

/// The octets that fill a line of Base64.
const BASE64_LINE: usize = LINE / 4 * 3;

/// Writes a text in the shorter of the two encodings; returns the encoding's name.
pub(super) fn text(body: &[u8], out: &mut Vec<u8>) -> &'static str {
    let begin = out.len();
    quoted_printable(body, out);
    let as_base64 = body.len().div_ceil(3) * 4 + body.len().div_ceil(BASE64_LINE) * 2;
    if out.len() - begin <= as_base64 {
        return "quoted-printable";
    }
    out.truncate(begin);
    base64(body, out)
}

/// Writes any octets in Base64; returns the encoding's name. The last line ends in CRLF only if the
/// octets did.
pub(super) fn base64(body: &[u8], out: &mut Vec<u8>) -> &'static str {
    let mut lines = body.chunks(BASE64_LINE).peekable();
    while let Some(line) = lines.next() {
        out.extend_from_slice(BASE64_STANDARD.encode(line).as_bytes());
        if lines.peek().is_some() || body.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    "base64"
}

/// Writes a text whose lines end in CRLF in quoted-printable, with the same line ends.
fn quoted_printable(body: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    let mut at = 0;
    while at < body.len() {
        if body[at..].starts_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
            (column, at) = (0, at + 2);
            continue;
        }
        let octet = body[at];
        let rest = &body[at + 1..];
        let last = rest.is_empty() || rest.starts_with(b"\r\n");
        // If more follows on the line, leave room for a soft line break.
        let room = if last { LINE } else { LINE - 1 };
        let literal = is_literal(octet, last, column);
        if column + if literal { 1 } else { 3 } > room {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if is_literal(octet, last, column) {
            out.push(octet);
            column += 1;
        } else {
            out.extend_from_slice(format!("={octet:02X}").as_bytes());
            column += 3;
        }
        at += 1;
    }
}

/// Returns true if an octet needs no encoding. White space needs it at the end of a line, and a
/// hyphen at the start of one, so that no encoded line can be taken for a boundary.
fn is_literal(octet: u8, last: bool, column: usize) -> bool {
    match octet {
        b' ' | b'\t' => !last,
        b'-' => column > 0,
        b'=' => false,
        b'!'..=b'~' => true,
        _ => false,
    }
}
