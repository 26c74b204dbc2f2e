//! Subjects without the additions of mail programs and ticket systems.

/// Prefixes of mail programs for the subject of an answer or a forward, in lower case.
const PREFIXES: &[&str] = &[
    "re",
    "fw",
    "fwd",
    "aw",
    "wg",
    "sv",
    "vs",
    "vb",
    "antw",
    "doorst",
    "ynt",
    "ilt",
    "res",
    "rif",
    "rv",
    "tr",
    "enc",
    "odp",
    "pd",
    "bls",
    "trs",
    "vl",
    "vá",
    "továbbítás",
    "回复",
    "回覆",
    "答复",
    "转发",
    "轉寄",
    "отв",
    "ответ",
    "пересл",
    "απ",
    "πρθ",
    "réf",
    "automatic reply",
    "automatische antwort",
    "réponse automatique",
    "resposta automática",
    "respuesta automática",
    "autoreply",
    "auto",
];

/// Returns a subject without the additions of answers, forwards and ticket systems: prefixes such
/// as `Re:` and `AW[2]:`, brackets with a number in them, numbers, case and white space.
/// Normalising twice changes nothing more. The time is linear in the length, for any number of
/// prefixes.
pub fn normalised(subject: &str) -> String {
    let text = without_tags(&subject.to_lowercase());
    // Numbers, with the `#` of a ticket: `#4711`.
    let words = text.split(|c: char| c.is_whitespace() || c.is_numeric() || c == '#');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let text = words.join(" ");
    // No number is left, so that nothing but prefixes can stand in front.
    let mut rest = text.as_str();
    while let Some(shorter) = without_prefix(rest) {
        rest = shorter;
    }
    rest.to_owned()
}

/// Removes brackets that contain a number.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['[', '(', '{']) {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        match from.find([']', ')', '}']) {
            Some(close) => {
                let end = close + 1;
                let (tag, after) = from.split_at(end);
                if !tag.contains(char::is_numeric) {
                    out.push_str(tag);
                }
                rest = after;
            }
            None => {
                rest = from;
                break;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Returns the text behind a prefix, if it begins with one.
fn without_prefix(text: &str) -> Option<&str> {
    let (before, after) = text.split_once([':', '：'])?;
    PREFIXES
        .contains(&before.trim())
        .then(|| after.trim_start())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Normalises by removing one addition after the other until nothing changes.
    fn one_by_one(subject: &str) -> String {
        let mut text = subject.to_lowercase();
        loop {
            let shorter = without_tags(&text);
            let shorter = shorter.trim();
            let shorter = without_prefix(shorter).unwrap_or(shorter);
            let words = shorter.split(|c: char| c.is_whitespace() || c.is_numeric() || c == '#');
            let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
            let shorter = words.join(" ");
            if shorter == text {
                return text;
            }
            text = shorter;
        }
    }

    proptest! {
        #[test]
        fn one_pass_gives_the_same_as_many(
            parts in prop::collection::vec(
                prop_oneof![
                    Just("re"), Just(": "), Just("fwd:"), Just("[1]"), Just("["), Just("(2"), Just("]"),
                    Just("automatic  reply"), Just(" # "), Just("4"), Just("：回复"), Just("İ"), Just("lamp"),
                ],
                0..20,
            ),
        ) {
            let subject = parts.concat();
            prop_assert_eq!(normalised(&subject), one_by_one(&subject));
        }
    }

    #[test]
    fn additions_to_a_subject_are_removed() {
        for subject in [
            "Printer on fire",
            "Re: Printer on fire",
            "RE: AW: Fwd: Printer on fire",
            "Re[2]: printer  on fire",
            "AW (3): Printer on fire",
            "[Ticket#4711] Re: Printer on fire",
            "Re: [ACME-12] Fwd: Printer on fire (#99)",
            "Printer on fire #4711",
            "回复：Printer on fire",
            "Automatic reply: Printer on fire",
        ] {
            assert_eq!(normalised(subject), "printer on fire", "{subject}");
        }
        assert_eq!(normalised("[urgent] fire"), "[urgent] fire");
        assert_eq!(normalised("Fire: again"), "fire: again");
        assert_eq!(normalised("Re: #4711"), "");
        assert_eq!(normalised(""), "");
    }
}
