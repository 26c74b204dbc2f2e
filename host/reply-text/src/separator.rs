//! Lines that announce a quotation: `-----Original Message-----`, `Begin forwarded message:`.

use crate::languages::LANGUAGES;
use crate::lines::comparable;

/// The most octets of such a line.
const LONGEST: usize = 120;

/// Returns true if a line announces an original or forwarded message.
pub(crate) fn announces(line: &str) -> bool {
    if line.len() > LONGEST {
        return false;
    }
    let line = comparable(line);
    let words = line.trim_matches(['-', '_', '=', '*', ' ']);
    let is_framed = line.starts_with("--") && line.ends_with("--");
    let bare = line.trim_matches(['*', ' ']);
    LANGUAGES.iter().any(|language| {
        (is_framed && language.original.contains(&words)) || language.begin.contains(&bare)
    })
}

/// Returns true for a line that consists of a rule: programs draw one above header fields.
pub(crate) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && (line.chars()).all(|sign| matches!(sign, '_' | '-' | '*' | '=' | '─' | '—'))
}
