//! Patterns for the values of headers.
//!
//! `*` stands for anything and `?` for one character; case does not matter. Regular expressions are
//! left out on purpose: they would make the module several times as large and each call slower,
//! while the allowed values are usually a list of words.

/// Returns true if the text matches the pattern. The time is at most the product of both lengths.
pub fn fits(pattern: &str, text: &str) -> bool {
    let same = |one: char, other: char| one == '?' || one.eq_ignore_ascii_case(&other);
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Positions to retry from if the text after the last asterisk does not match.
    let mut retry = None;
    loop {
        match (pattern.next(), text.clone().next()) {
            (Some('*'), _) if pattern.as_str().is_empty() => return true,
            (Some('*'), _) => retry = Some((pattern.clone(), text.clone())),
            (Some(one), Some(other)) if same(one, other) => {
                text.next();
            }
            (None, None) => return true,
            _ => {
                let Some((after, mut from)) = retry.take() else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                retry = Some((after.clone(), from.clone()));
                (pattern, text) = (after, from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_match_with_asterisks_and_question_marks() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("auto-generated", "Auto-Generated", true),
            ("auto-*", "auto-replied; owner=a", true),
            ("auto-*", "no", false),
            ("*ab*c", "aababxc", true),
            ("*ab*c", "aababx", false),
            ("?ü?", "xüy", true),
            ("???", "ab", false),
            ("a*a", "a", false),
            ("**", "anything", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        // Many asterisks do not take exponential time.
        assert!(!fits(&"*a".repeat(100), &"a".repeat(99)));
    }
}
