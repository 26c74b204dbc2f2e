//! Messages and their parts with stand-ins: the MIME structure stays, header sections are replaced
//! field by field, and the words of texts are masked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatepost_message::Message;

use super::StandIns;
use super::parameters::value_of;
use super::words::mask;

/// Depth of parts in parts down to which the structure stays.
const DEEPEST: usize = 20;

/// Characters of a line of base64 (RFC 2045 section 6.8).
const LINE: usize = 76;

/// Elements of HTML that stay.
const ELEMENTS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "body",
    "br",
    "center",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "head",
    "hr",
    "html",
    "i",
    "img",
    "li",
    "meta",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "style",
    "table",
    "tbody",
    "td",
    "th",
    "title",
    "tr",
    "u",
    "ul",
];

/// Entities of HTML that stay.
const ENTITIES: &[&str] = &["amp", "apos", "gt", "lt", "nbsp", "quot"];

impl StandIns {
    /// Gives stand-ins to the addresses and names in the header section first, so that they are known
    /// wherever else they stand.
    pub fn learn(&mut self, head: &[u8]) {
        let message = Message::from_bytes(Bytes::copy_from_slice(head));
        for name in ["From", "Sender", "Reply-To", "To", "Cc"] {
            for field in message.named(name) {
                self.mailboxes(&String::from_utf8_lossy(field.body_raw()));
            }
        }
    }

    /// Returns a message with stand-ins.
    pub fn message(&mut self, octets: &[u8]) -> Vec<u8> {
        self.entity(octets, 0, "text/plain")
    }

    /// Replaces a message, or a part with its header section.
    fn entity(&mut self, octets: &[u8], depth: usize, usual_type: &str) -> Vec<u8> {
        let head = end_of_head(octets);
        let (head, body) = octets.split_at(head);
        let mut replaced = self.head(head);
        let head = Message::from_bytes(Bytes::copy_from_slice(head));
        let content_type = head.header("Content-Type");
        let content_type = content_type.as_deref().unwrap_or(usual_type);
        let encoding = head.header("Content-Transfer-Encoding");
        let encoding = encoding.unwrap_or_default().to_ascii_lowercase();
        replaced.extend(self.body(body, content_type, encoding.trim(), depth));
        replaced
    }

    /// Replaces fields, and lines that are none.
    pub(super) fn head(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut replaced = Vec::with_capacity(octets.len());
        let mut lines = octets.split_inclusive(|octet| *octet == b'\n').peekable();
        while let Some(line) = lines.next() {
            let mut field = line.to_vec();
            while let Some(more) = lines.next_if(|line| is_continuation(line)) {
                field.extend_from_slice(more);
            }
            let text = String::from_utf8_lossy(&field);
            match text.split_once(':') {
                Some((name, body)) if !is_continuation(line) && is_name(name) => {
                    let body = self.field(name, body);
                    replaced.extend_from_slice(format!("{name}:{body}").as_bytes());
                }
                _ => replaced.extend(masked(&field)),
            }
        }
        replaced
    }

    fn body(&mut self, body: &[u8], content_type: &str, encoding: &str, depth: usize) -> Vec<u8> {
        let kind = content_type.split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        if depth >= DEEPEST {
            return masked(body);
        }
        if kind.starts_with("multipart/") {
            let usual = match kind.as_str() {
                "multipart/digest" => "message/rfc822",
                _ => "text/plain",
            };
            return match value_of(content_type, "boundary").filter(|text| !text.is_empty()) {
                Some(boundary) => self.parts(body, boundary, depth, usual),
                None => masked(body),
            };
        }
        let replace = |stand_ins: &mut Self, octets: &[u8]| match kind.as_str() {
            "message/rfc822"
            | "message/global"
            | "text/rfc822-headers"
            | "message/global-headers" => stand_ins.entity(octets, depth + 1, "text/plain"),
            kind if kind.starts_with("message/") => stand_ins.head(octets),
            "text/html" => masked_html(octets),
            _ => masked(octets),
        };
        match encoding {
            "base64" if kind.starts_with("text/") || kind.starts_with("message/") => {
                let text: Vec<u8> = body
                    .iter()
                    .copied()
                    .filter(|b| !b.is_ascii_whitespace())
                    .collect();
                match STANDARD.decode(text) {
                    Ok(octets) => in_base64(&replace(self, &octets)),
                    Err(_) => without_octets(body),
                }
            }
            "base64" => without_octets(body),
            "quoted-printable" if kind.starts_with("message/") => masked(body),
            "quoted-printable" => masked_quoted_printable(body),
            _ => replace(self, body),
        }
    }

    /// Replaces parts between the lines of a boundary.
    fn parts(&mut self, body: &[u8], boundary: &str, depth: usize, usual: &str) -> Vec<u8> {
        let stand_in = self.boundary(boundary);
        let mut replaced = Vec::with_capacity(body.len());
        let mut part = Vec::new();
        let mut is_outside = true;
        for line in body.split_inclusive(|octet| *octet == b'\n') {
            let text = line.trim_ascii_end();
            let rest = text.strip_prefix(b"--");
            let rest = rest.and_then(|rest| rest.strip_prefix(boundary.as_bytes()));
            let Some(rest) = rest.filter(|rest| rest.is_empty() || *rest == b"--") else {
                part.extend_from_slice(line);
                continue;
            };
            replaced.extend(self.part(&part, is_outside, depth, usual));
            part.clear();
            is_outside = rest == b"--";
            replaced.extend_from_slice(b"--");
            replaced.extend_from_slice(stand_in.as_bytes());
            replaced.extend_from_slice(rest);
            replaced.extend_from_slice(&line[text.len()..]);
        }
        replaced.extend(self.part(&part, is_outside, depth, usual));
        replaced
    }

    fn part(&mut self, part: &[u8], is_outside: bool, depth: usize, usual: &str) -> Vec<u8> {
        match is_outside {
            true => masked(part),
            false => self.entity(part, depth + 1, usual),
        }
    }
}

/// Returns the length of a header section with the empty line behind it.
fn end_of_head(octets: &[u8]) -> usize {
    let mut at = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        at += line.len();
        if line.trim_ascii_end().is_empty() {
            return at;
        }
    }
    octets.len()
}

fn is_continuation(line: &[u8]) -> bool {
    line.starts_with(b" ") || line.starts_with(b"\t")
}

fn is_name(name: &str) -> bool {
    let name = name.trim_end();
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic())
}

/// Masks octets: letters and digits of texts, and octets that are no UTF-8.
fn masked(octets: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        replaced.extend_from_slice(mask(chunk.valid()).as_bytes());
        replaced.extend(chunk.invalid().iter().map(|_| b'x'));
    }
    replaced
}

/// Masks a text of HTML, but for the names of usual elements, and for entities.
fn masked_html(octets: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(octets);
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(['<', '&']) {
        replaced.push_str(&mask(&rest[..at]));
        let is_entity = rest[at..].starts_with('&');
        let name = rest[at + 1..].trim_start_matches('/');
        let slash = rest[at + 1..].len() - name.len();
        let length = name.find(|c: char| !c.is_ascii_alphanumeric());
        let name = &name[..length.unwrap_or(name.len())];
        replaced.push_str(&rest[at..at + 1 + slash]);
        let known = if is_entity { ENTITIES } else { ELEMENTS };
        match known.contains(&name.to_ascii_lowercase().as_str()) {
            true => replaced.push_str(name),
            false => replaced.push_str(&mask(name)),
        }
        rest = &rest[at + 1 + slash + name.len()..];
    }
    replaced.push_str(&mask(rest));
    replaced.into_bytes()
}

/// Masks a text in quoted-printable (RFC 2045 section 6.7): an encoded octet stays one.
fn masked_quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(at) = rest.iter().position(|octet| *octet == b'=') {
        replaced.extend(masked(&rest[..at]));
        let encoded = rest.get(at + 1..at + 3);
        let encoded = encoded.filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let Some(hex) = encoded else {
            replaced.push(b'=');
            rest = &rest[at + 1..];
            continue;
        };
        let octet = std::str::from_utf8(hex).ok();
        let octet = octet.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match octet.filter(|octet| octet.is_ascii() && !octet.is_ascii_alphanumeric()) {
            Some(_) => replaced.extend_from_slice(&rest[at..at + 3]),
            None => replaced.extend_from_slice(b"=78"),
        }
        rest = &rest[at + 3..];
    }
    replaced.extend(masked(rest));
    replaced
}

/// Returns base64 of the same length, of zeros.
fn without_octets(body: &[u8]) -> Vec<u8> {
    let zero = |octet: &u8| match octet {
        b'=' | b'\r' | b'\n' | b' ' | b'\t' => *octet,
        _ => b'A',
    };
    body.iter().map(zero).collect()
}

fn in_base64(octets: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(octets);
    let lines = text.as_bytes().chunks(LINE);
    lines.flat_map(|line| [line, b"\r\n"].concat()).collect()
}
