//! What a subject says: weak evidence, for people write such words too.
//!
//! A phrase counts only at the beginning, followed by the end or by punctuation, as machines
//! write it; behind `Re:` or in the midst of a sentence it is a person's.

use super::phrases::{ABSENCE, AUTOMATIC, BOUNCE};
use super::rule::Rule;

/// What the decoded subject says.
pub(super) fn rule(subject: &str) -> Option<Rule> {
    let subject = normalized(subject);
    if is_mail_report(&subject) {
        return Some(Rule::MailReport);
    }
    let (mut absent, mut rest) = (false, subject.as_str());
    loop {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        if let Some(after) = behind(rest, AUTOMATIC) {
            let alone = stands_alone(rest, after) || begins_with_any(after);
            return alone.then_some(Rule::AutomaticSubject);
        }
        if behind(rest, BOUNCE).is_some_and(|after| stands_alone(rest, after)) {
            return Some(Rule::BounceSubject);
        }
        match behind(rest, ABSENCE) {
            Some(after) if stands_alone(rest, after) => return Some(Rule::AbsenceSubject),
            // `Out of Office AutoReply:`
            Some(after) if after.starts_with(' ') && !absent => {
                absent = true;
                rest = after;
            }
            _ => break,
        }
    }
    // `Ann Weaver is out of the office (returning 2 May)`, by Domino.
    let away = [
        "is out of the office",
        "ist außer haus",
        "est absent du bureau",
        "est absente du bureau",
    ];
    let says = away.iter().any(|phrase| subject.contains(phrase));
    (says && !is_answer(&subject)).then_some(Rule::AbsenceSubject)
}

/// In lower case, with single spaces, without the tags in brackets that ticket systems put in
/// front of a subject.
fn normalized(subject: &str) -> String {
    // Turkish: `İ` and `ı` are `i`, whoever made the letters small.
    let lower = subject.to_lowercase().replace("i\u{307}", "i");
    let lower = lower.replace('ı', "i");
    let mut plain = String::with_capacity(lower.len());
    for word in lower.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    let mut rest = plain.as_str();
    while let Some(inside) = rest.strip_prefix('[') {
        match inside.split_once(']') {
            // `[Ticket#42] Automatic reply`, but not `[Automatic reply] …`.
            Some((tag, after)) if tag.chars().any(|c| c.is_ascii_digit()) => {
                rest = after.trim_start();
            }
            _ => break,
        }
    }
    rest.to_owned()
}

/// `Report Domain: … Submitter: … Report-ID: …` (RFC 7489 section 7.2.1.1, RFC 8460 section 5.3).
fn is_mail_report(subject: &str) -> bool {
    let subject = subject.strip_prefix("[preview] ").unwrap_or(subject);
    subject.starts_with("report domain:")
        && subject.contains("submitter:")
        && subject.contains("report-id:")
}

/// What stands behind the longest phrase that the text begins with.
fn behind<'a>(text: &'a str, phrases: &[&str]) -> Option<&'a str> {
    let after = phrases
        .iter()
        .filter_map(|phrase| text.strip_prefix(phrase));
    after.min_by_key(|after| after.len())
}

/// Whether the phrase that `text` begins with, and behind which `after` stands, ends there: at the
/// end, before punctuation, or before a space in a script that puts none between words.
fn stands_alone(text: &str, after: &str) -> bool {
    let phrase = text.strip_suffix(after).unwrap_or_default();
    let is_cjk = |c: char| ('\u{2e80}'..'\u{fb00}').contains(&c);
    let rest = after.trim_start();
    rest.is_empty()
        || phrase.ends_with(':')
        || phrase.ends_with(is_cjk) && rest.len() < after.len()
        || rest.starts_with(|c: char| !c.is_alphanumeric())
        || is_answer(rest)
}

/// Whether another phrase follows.
fn begins_with_any(after: &str) -> bool {
    let rest = after.trim_start();
    let mut behind = [AUTOMATIC, ABSENCE]
        .iter()
        .filter_map(|phrases| behind(rest, phrases));
    rest.len() < after.len() && behind.any(|after| stands_alone(rest, after))
}

/// Whether it begins as answers and forwarded messages do, in the words of mail programs.
fn is_answer(text: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "re",
        "aw",
        "sv",
        "vs",
        "rv",
        "res",
        "ref",
        "rif",
        "r",
        "odp",
        "ynt",
        "antw",
        "vá",
        "bls",
        "fw",
        "fwd",
        "wg",
        "tr",
        "i",
        "enc",
        "doorst",
        "vb",
        "vl",
        "pd",
        "ilt",
        "továbbítás",
        "回复",
        "回覆",
        "答复",
        "转发",
        "轉寄",
        "返信",
        "転送",
        "회신",
        "전달",
        "رد",
        "תשובה",
    ];
    let word = text.split([':', '：', '[', '(']).next().unwrap_or_default();
    word.len() < text.len() && PREFIXES.contains(&word.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_begin_with_it_and_people_mention_it() {
        let (automatic, absence, bounce) = (
            Some(Rule::AutomaticSubject),
            Some(Rule::AbsenceSubject),
            Some(Rule::BounceSubject),
        );
        for (subject, expected) in [
            ("Automatic reply: Your order", automatic),
            ("AUTO: Ann is out of the office", automatic),
            ("Out of Office AutoReply: Your order", automatic),
            ("Réponse automatique : votre commande", automatic),
            ("【自動返信】お問い合わせ", automatic),
            ("[Ticket#42] AutoReply: lamp", automatic),
            ("[Auto-Reply] lamp", automatic),
            ("Autosvar", automatic),
            ("Out of office: Re: lamp", absence),
            ("Abwesenheitsnotiz: Lampe", absence),
            ("Ann Weaver is out of the office (returning 2 May)", absence),
            ("Undelivered Mail Returned to Sender", bounce),
            ("Mail delivery failed: returning message to sender", bounce),
            ("Undeliverable: lamp", bounce),
            (
                "Report Domain: x.example Submitter: y.example Report-ID: <1>",
                Some(Rule::MailReport),
            ),
            ("Re: Automatic reply: Your order", None),
            ("AW: Abwesenheitsnotiz: Lampe", None),
            ("Fwd: Undelivered Mail Returned to Sender", None),
            ("Automatic reply does not work", None),
            ("Out of office next week, who covers for me?", None),
            ("The blue light is blinking", None),
            ("", None),
        ] {
            assert_eq!(rule(subject), expected, "{subject:?}");
        }
    }
}
