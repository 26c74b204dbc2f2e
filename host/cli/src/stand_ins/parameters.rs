//! Parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1).

use super::fields::{decoded, trimmed};
use super::words::mask;
use super::{Kind, StandIns};

/// Parameters that say nothing of a person.
const KEPT: &[&str] = &[
    "charset",
    "creation-date",
    "delsp",
    "format",
    "method",
    "micalg",
    "modification-date",
    "protocol",
    "read-date",
    "report-type",
    "reply-type",
    "size",
    "smime-type",
    "type",
];

/// Longest ending of a file's name that stays, in characters.
const LONGEST_ENDING: usize = 8;

impl StandIns {
    /// Returns the body of a field with its parameters replaced.
    pub(super) fn with_parameters(&mut self, body: &str) -> String {
        let mut parts = split(body).into_iter();
        let mut replaced = vec![self.text(parts.next().unwrap_or_default())];
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                replaced.push(self.by_words(part));
                continue;
            };
            let (before, bare, after) = trimmed(value);
            let is_quoted = bare.len() > 1 && bare.starts_with('"') && bare.ends_with('"');
            let inner = match is_quoted {
                true => &bare[1..bare.len() - 1],
                false => bare,
            };
            let value = self.parameter(&name.trim().to_ascii_lowercase(), inner);
            let quote = if is_quoted { "\"" } else { "" };
            replaced.push(format!("{name}={before}{quote}{value}{quote}{after}"));
        }
        replaced.join(";")
    }

    fn parameter(&mut self, name: &str, value: &str) -> String {
        let base = name.split('*').next().unwrap_or(name);
        match base {
            "boundary" if base == name => self.boundary(value),
            "name" | "filename" => self.file_name(name, value),
            "start" => match value.trim_matches(['<', '>']) {
                bare if bare.len() + 2 == value.len() => format!("<{}>", self.message_id(bare)),
                bare => self.message_id(bare),
            },
            _ if KEPT.contains(&base) => value.to_owned(),
            _ => mask(value),
        }
    }

    /// Returns what stands for the boundary of parts.
    pub(super) fn boundary(&mut self, boundary: &str) -> String {
        // Of one length, so that none begins with another.
        format!("boundary-{:06}", self.number(Kind::Boundary, boundary))
    }

    /// Returns what stands for the name of a file. Its ending stays, unless the name is written in
    /// pieces (RFC 2231): then each piece is masked.
    fn file_name(&mut self, parameter: &str, name: &str) -> String {
        let piece = parameter.split('*').nth(1).unwrap_or_default();
        if piece.starts_with(|c: char| c.is_ascii_digit()) {
            let (front, ending) = with_ending(name);
            let (charset, front) = match front.rsplit_once('\'') {
                Some((charset, front)) if parameter.ends_with('*') => (charset, front),
                _ => ("", front),
            };
            let charset = if charset.is_empty() { "" } else { "utf-8''" };
            return format!("{charset}{}{ending}", mask(front).replace('%', "x"));
        }
        let is_extended = parameter.ends_with('*');
        let bare = match is_extended {
            true => name.rsplit('\'').next().unwrap_or(name).to_owned(),
            false => decoded(name),
        };
        let (_, ending) = with_ending(&bare);
        let number = self.number(Kind::File, &bare);
        let charset = if is_extended { "utf-8''" } else { "" };
        format!("{charset}file{number}{ending}")
    }
}

/// Splits a file's name before its ending.
fn with_ending(name: &str) -> (&str, &str) {
    let at = name.rfind('.').unwrap_or(name.len());
    let (front, ending) = name.split_at(at);
    let letters = ending.trim_start_matches('.');
    let is_ending =
        letters.len() <= LONGEST_ENDING && letters.bytes().all(|b| b.is_ascii_alphanumeric());
    match is_ending {
        true => (front, ending),
        false => (name, ""),
    }
}

/// Splits a field's body at semicolons that stand in no quoted string.
fn split(body: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, c) in body.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                parts.push(&body[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[from..]);
    parts
}

/// Returns the value of a parameter, without quotes.
pub(super) fn value_of<'a>(body: &'a str, wanted: &str) -> Option<&'a str> {
    let mut parameters = split(body).into_iter().skip(1);
    parameters.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim();
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        name.trim()
            .eq_ignore_ascii_case(wanted)
            .then(|| bare.unwrap_or(value))
    })
}
