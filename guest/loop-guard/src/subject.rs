//! What a thread is about, whatever mail programs and ticket systems have put around it.

/// What mail programs put before the subject of an answer or a forward, in lower case.
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

/// A subject without what answers, forwards and ticket systems add: prefixes such as `Re:` and
/// `AW[2]:`, whatever stands in brackets with a number in it, numbers, case and white space. To
/// normalise twice changes nothing more.
pub fn normalised(subject: &str) -> String {
    let mut text = subject.to_lowercase();
    loop {
        let shorter = once(&text);
        if shorter == text {
            return text;
        }
        text = shorter;
    }
}

fn once(text: &str) -> String {
    let text = without_tags(text);
    let text = without_prefix(text.trim());
    // Numbers with what ties them to a ticket: `#4711`, `no. 4711`.
    let words = text.split(|c: char| c.is_whitespace() || c.is_numeric() || c == '#');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Without brackets that hold a number.
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

fn without_prefix(text: &str) -> &str {
    let Some((before, after)) = text.split_once([':', '：']) else {
        return text;
    };
    match PREFIXES.contains(&before.trim()) {
        true => after.trim_start(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_around_a_subject_is_taken_off() {
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
