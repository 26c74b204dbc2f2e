//! Normalisation of domains for comparison.

/// Returns the domain in lower case, with dots of US-ASCII and none at its end; `None` if the text
/// is no domain.
///
/// Readers that show an internationalised domain map it first (UTS 46). So wide forms of US-ASCII
/// and the ideographic full stops of IDNA 2003 (RFC 3490 section 3.1) are mapped, and invisible
/// characters are dropped.
pub(crate) fn normalised(text: &str) -> Option<String> {
    let domain: String = as_seen(text).collect();
    let domain = domain.trim_matches('.');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_of_domain);
    domain
        .split('.')
        .all(is_label)
        .then(|| domain.to_owned())
        .filter(|domain| !domain.is_empty())
}

/// Returns the characters of a text in lower case and usual width, without invisible ones.
pub(crate) fn as_seen(text: &str) -> impl Iterator<Item = char> {
    let mapped = text.chars().filter(|c| !is_invisible(*c)).map(mapped);
    mapped.flat_map(char::to_lowercase)
}

/// Returns true if every reader reads this part of a domain in the same way.
pub(crate) fn is_plain(text: &str) -> bool {
    let as_it_is = |c: char| {
        (is_of_domain(c) || c == '.')
            && !is_invisible(c)
            && mapped(c) == c
            && c != char::REPLACEMENT_CHARACTER
    };
    text.chars().all(as_it_is)
}

/// Returns true if some resolver, however tolerant, allows the character in a label.
pub(crate) fn is_of_domain(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
        false => !c.is_control() && !c.is_whitespace() && !is_dot(c),
    }
}

/// Returns true for a full stop of any script.
pub(crate) fn is_dot(c: char) -> bool {
    matches!(
        c,
        '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' | '\u{fe12}' | '\u{fe52}'
    )
}

/// Returns true for an at sign of any width.
pub(crate) fn is_at(c: char) -> bool {
    matches!(c, '@' | '\u{ff20}' | '\u{fe6b}')
}

/// Returns true for invisible characters, which UTS 46 drops.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

fn mapped(c: char) -> char {
    match c {
        _ if is_dot(c) => '.',
        // The wide forms stand in the order of US-ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_domain_are_normalised_alike() {
        for written in [
            "bank.example",
            "BANK.example.",
            "bank\u{3002}example",
            "bank\u{ff61}example",
            "\u{ff42}ank\u{ff0e}ex\u{ad}ample",
        ] {
            assert_eq!(normalised(written).as_deref(), Some("bank.example"));
        }
        assert!(is_plain("Bank.example") && !is_plain("bank\u{3002}example"));
    }

    #[test]
    fn malformed_domains_are_refused() {
        for written in ["", ".", "a..b", "a b", "a(b"] {
            assert_eq!(normalised(written), None, "{written:?}");
        }
    }
}
