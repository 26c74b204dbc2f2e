//! What a header may say, as a pattern.
//!
//! `*` stands for anything and `?` for one character; case does not matter. There are no regular
//! expressions on purpose: they would make the module several times as large and each call slower,
//! and what headers may say is a list of words.

/// Whether a text is as the pattern says. Takes time by the product of both lengths at most.
pub fn fits(pattern: &str, text: &str) -> bool {
    let same = |one: char, other: char| one == '?' || one.eq_ignore_ascii_case(&other);
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on when what follows the last asterisk turns out not to fit there.
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
    fn asterisks_and_question_marks() {
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
        // Not for ever.
        assert!(!fits(&"*a".repeat(100), &"a".repeat(99)));
    }
}
