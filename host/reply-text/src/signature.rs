//! Signatures: below "-- ", what programs add about themselves, and disclaimers with a heading.

use crate::languages::LANGUAGES;
use crate::lines::{LineKind, TextLine, comparable};

/// The most written lines below `--`, if the space of RFC 3676 section 4.3 is missing: people draw
/// such a line between paragraphs, too.
const LONGEST_UNMARKED: usize = 10;

/// The most octets of a line by which a program advertises itself.
const LONGEST_LINE: usize = 160;

/// The most such lines at the end of a text.
const MOST_ADVERTISEMENTS: usize = 3;

/// Devices and programs that advertise themselves.
const DEVICES: [&str; 22] = [
    "iphon",
    "ipad",
    "ipod",
    "android",
    "outlook",
    "yahoo",
    "samsung",
    "galaxy",
    "huawei",
    "xiaomi",
    "blackberry",
    "windows",
    "gmail",
    "proton",
    "aol",
    "smartphone",
    "phone",
    "telefon",
    "mobil",
    "handy",
    "tablet",
    "mail",
];

/// Returns the number of lines of a written part that come before its signature.
pub(crate) fn without(lines: &[TextLine<'_>]) -> usize {
    let mut end = delimiter(lines).unwrap_or(lines.len());
    end = disclaimer(&lines[..end]).unwrap_or(end);
    for _ in 0..MOST_ADVERTISEMENTS {
        let last = lines[..end]
            .iter()
            .rposition(|line| line.kind == LineKind::Written);
        match last {
            Some(last) if is_advertisement(lines[last].text) => end = last,
            _ => break,
        }
    }
    // A delimiter above an advertisement has nothing below it now.
    delimiter(&lines[..end]).unwrap_or(end)
}

/// Finds the line that begins a signature (RFC 3676 section 4.3).
fn delimiter(lines: &[TextLine<'_>]) -> Option<usize> {
    let mut below = 0;
    let mut found = None;
    for (at, line) in lines.iter().enumerate().rev() {
        if matches!(line.text, "--" | "—" | "–") && below <= LONGEST_UNMARKED {
            found = Some(at);
        }
        below += usize::from(line.kind == LineKind::Written);
    }
    found
}

/// Finds a paragraph at the end that calls itself a disclaimer.
fn disclaimer(lines: &[TextLine<'_>]) -> Option<usize> {
    let begins = |at: usize| {
        at == 0
            || lines[at - 1].kind == LineKind::Blank
            || crate::separator::is_rule(lines[at - 1].text)
    };
    let at = (0..lines.len()).filter(|at| begins(*at)).find(|at| {
        let heading = comparable(crate::beginning(lines[*at].text, LONGEST_LINE));
        let heading = heading.trim_start_matches(['*', '_', ' ']);
        let mut headings = LANGUAGES.iter().flat_map(|language| language.disclaimers);
        headings.any(|one| {
            let rest = heading.strip_prefix(one);
            let rest = rest.map(|rest| rest.trim_start_matches(['*', '_', ' ']));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '-', '–', '—']))
        })
    })?;
    match at > 0 && crate::separator::is_rule(lines[at - 1].text) {
        true => Some(at - 1),
        false => Some(at),
    }
}

/// Returns true if a program or device names itself in a line.
fn is_advertisement(line: &str) -> bool {
    if line.len() > LONGEST_LINE {
        return false;
    }
    let line = comparable(line);
    let line = line.trim_matches(['*', '_', '-', '.', ' ', '[', ']', '(', ')']);
    // An address of the program's page may follow.
    let words = line.split(['<', '(']).next().unwrap_or_default();
    let words = words.trim_matches(['.', ' ', '[', ']']);
    let has_device = || DEVICES.iter().any(|device| words.contains(device));
    LANGUAGES.iter().any(|language| {
        let (mut sent, mut get) = (language.sent.iter(), language.get.iter());
        (sent.any(|sent| words.starts_with(sent) || words.ends_with(sent)) && has_device())
            || (get.any(|get| words.starts_with(get) || words.ends_with(get))
                && words.contains("outlook"))
    })
}
