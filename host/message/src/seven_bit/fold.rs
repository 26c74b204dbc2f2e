//! Splitting of long lines in header sections and encoded bodies, where it does not change the
//! meaning.

use super::Unconvertible;
use crate::lines::LINE;

/// The most octets of a line that was folded; some room is left below the limit of servers.
const FOLD_WIDTH: usize = LINE - 20;

/// Fields of structured words, between any two of which white space may stand (RFC 5322 sections
/// 3.4 and 3.6.4).
const LISTS: [&str; 10] = [
    "To",
    "Cc",
    "Bcc",
    "From",
    "Sender",
    "Reply-To",
    "References",
    "In-Reply-To",
    "List-Unsubscribe",
    "Resent-To",
];

/// Folds the long lines of a header section (RFC 5322 section 2.2.3).
///
/// # Errors
/// [`Unconvertible::Header`] if a line has no place to fold it.
pub(super) fn head(head: &[u8]) -> Result<Vec<u8>, Unconvertible> {
    let mut folded = Vec::with_capacity(head.len() + head.len() / 64);
    let mut is_list = false;
    for line in head.split_inclusive(|octet| *octet == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line
                .split(|octet| *octet == b':')
                .next()
                .unwrap_or_default();
            let name = name.trim_ascii_end();
            is_list = LISTS
                .iter()
                .any(|list| name.eq_ignore_ascii_case(list.as_bytes()));
        }
        let mut rest = line;
        while rest.len() > LINE + 2 {
            let (end, inserts) = fold_position(rest, is_list).ok_or(Unconvertible::Header)?;
            folded.extend_from_slice(&rest[..end]);
            folded.extend_from_slice(if inserts { b"\r\n " } else { b"\r\n" });
            rest = &rest[end..];
        }
        folded.extend_from_slice(rest);
    }
    Ok(folded)
}

/// Returns the position to fold a line, and true if white space has to be inserted there: before
/// white space between two words, else after a comma or an angle bracket of a list.
fn fold_position(line: &[u8], is_list: bool) -> Option<(usize, bool)> {
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t');
    let window = &line[..FOLD_WIDTH];
    // Neither side may be white space alone (RFC 5322 section 3.2.2).
    let first_word = window.iter().position(|octet| !is_blank(octet))?;
    let blank = (first_word + 1..window.len()).rev().find(|at| {
        is_blank(&line[*at]) && line[*at..].iter().any(|octet| octet.is_ascii_graphic())
    });
    if let Some(at) = blank {
        return Some((at, false));
    }
    let mut quoted = false;
    let mut last = None;
    for (at, pair) in window.windows(2).enumerate() {
        match pair {
            [b'\\', _] => {}
            [b'"', _] => quoted = !quoted,
            [b',', _] | [b'>', b'<'] if !quoted => last = Some(at + 1),
            _ => {}
        }
    }
    last.filter(|_| is_list).map(|at| (at, true))
}

/// Writes Base64 with its long lines split: line ends mean nothing in it (RFC 2045 section 6.8).
pub(super) fn base64(body: &[u8], out: &mut Vec<u8>) {
    const SHORT: usize = 76;
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        let text = line.trim_ascii_end();
        if text.len() <= LINE {
            out.extend_from_slice(line);
            continue;
        }
        let mut lines = text.chunks(SHORT).peekable();
        while let Some(short) = lines.next() {
            out.extend_from_slice(short);
            if lines.peek().is_some() {
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(&line[text.len()..]);
    }
}

/// Writes quoted-printable with soft line breaks in its long lines (RFC 2045 section 6.7, rule 5).
pub(super) fn quoted_printable(body: &[u8], out: &mut Vec<u8>) {
    const SHORT: usize = 75;
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        let mut rest = line;
        while rest.len() > LINE + 2 {
            // Do not split within an encoded octet, such as `=3D`.
            let split = rest[SHORT - 2..SHORT]
                .iter()
                .position(|octet| *octet == b'=');
            let end = split.map_or(SHORT, |at| SHORT - 2 + at);
            out.extend_from_slice(&rest[..end]);
            out.extend_from_slice(b"=\r\n");
            rest = &rest[end..];
        }
        out.extend_from_slice(rest);
    }
}
