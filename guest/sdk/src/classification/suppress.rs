//! X-Auto-Response-Suppress (MS-OXCMAIL): kinds of automatic answers that a message asks not to
//! get.
//!
//! `DR`, `NDR`, `RN` and `NRN` are about delivery reports and read receipts, which no policy sends;
//! `OOF` and `AutoReply` are about answers.

use super::rule::Rule;

pub(super) fn rule(value: &str) -> Option<Rule> {
    let has = |word: &str| {
        let mut words = value.split([',', ';', ' ', '\t']).map(str::trim);
        words.any(|it| it.eq_ignore_ascii_case(word))
    };
    if has("All") {
        Some(Rule::SuppressAll)
    } else if has("OOF") && has("AutoReply") {
        // Bulk mail asks for so much; so does a sales add-in that sends in a person's name.
        Some(Rule::SuppressAnswers)
    } else if has("OOF") || has("AutoReply") {
        Some(Rule::SuppressSome)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_rule() {
        for (value, expected) in [
            ("None", None),
            ("", None),
            ("DR", None),
            ("DR, NDR, RN, NRN", None),
            ("All", Some(Rule::SuppressAll)),
            ("all", Some(Rule::SuppressAll)),
            ("OOF", Some(Rule::SuppressSome)),
            ("DR, OOF,\tRN", Some(Rule::SuppressSome)),
            ("AutoReply", Some(Rule::SuppressSome)),
            ("DR, RN, NRN, OOF, AutoReply", Some(Rule::SuppressAnswers)),
        ] {
            assert_eq!(rule(value), expected, "{value:?}");
        }
    }
}
