//! The Auto-Submitted field (RFC 3834 section 5).

/// What the field says, without parameters and comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoSubmitted {
    /// `no`: a person wrote it, or nothing that can be read was said.
    No,
    /// `auto-replied`.
    Replied,
    /// `auto-generated`, or any other keyword: section 5 lets future ones be automatic too.
    Generated,
}

/// Reads the keyword: comments and white space before it are skipped, parameters after it are
/// ignored, case does not matter.
pub fn auto_submitted(value: &str) -> AutoSubmitted {
    let value = without_comments(value);
    let keyword = value.split(';').next().unwrap_or_default().trim();
    if keyword.is_empty() || keyword.eq_ignore_ascii_case("no") {
        AutoSubmitted::No
    } else if keyword.eq_ignore_ascii_case("auto-replied") {
        AutoSubmitted::Replied
    } else {
        AutoSubmitted::Generated
    }
}

/// Removes comments, which nest and may hold quoted pairs (RFC 5322 section 3.2.2).
fn without_comments(value: &str) -> String {
    let mut depth = 0usize;
    let mut plain = String::new();
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' if depth > 0 => {
                characters.next();
            }
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_parameters_and_comments() {
        for (value, expected) in [
            ("no", AutoSubmitted::No),
            ("No (a person; really)", AutoSubmitted::No),
            ("", AutoSubmitted::No),
            ("auto-replied", AutoSubmitted::Replied),
            (
                "AUTO-REPLIED; owner-email=\"a@b.example\"",
                AutoSubmitted::Replied,
            ),
            (
                "(out (of) office \\)) auto-replied (vacation)",
                AutoSubmitted::Replied,
            ),
            ("auto-generated", AutoSubmitted::Generated),
            ("auto-notified; type=x", AutoSubmitted::Generated),
            ("(unclosed", AutoSubmitted::No),
        ] {
            assert_eq!(auto_submitted(value), expected, "{value:?}");
        }
    }
}
