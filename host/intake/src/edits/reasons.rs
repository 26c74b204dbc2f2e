//! Reasons of policies as recipients and submitters read them: in a field, and in the reply to the
//! end of data.
//!
//! A policy writes reasons for people, and they may hold a stranger's words. So their number and
//! length are bounded, no reason can end a line or begin a field, and text that is not plain ASCII
//! is written in encoded words (RFC 2047).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_message::{Address, FieldName};
use gatepost_model::Judgement;

/// Most reasons that are shown.
const MOST: usize = 20;

/// Most bytes of one reason.
const LONGEST: usize = 300;

/// Most bytes of the text of a reply: it stays one line (RFC 5321 section 4.5.3.1.5).
const REPLY: usize = 430;

/// Longest line of a field, unless one word needs more: a line with an encoded word has no more
/// (RFC 2047 section 2).
const LINE: usize = 76;

/// Bytes of text in one encoded word, which has at most 75 (RFC 2047 section 2).
const WORD: usize = 45;

/// Returns the reasons of all calls, each with the name of its policy, each once. No recipient may
/// learn of another (RFC 5321 section 7.2): with several, a reason that names one is left out.
pub fn of(judgements: &[Judgement], recipients: &[Address]) -> Vec<String> {
    let names_one = |reason: &str| {
        let reason = reason.to_lowercase();
        recipients.len() > 1
            && recipients.iter().any(|to| {
                let written = to.as_str().to_lowercase();
                reason.contains(&written)
            })
    };
    let mut kept: Vec<String> = Vec::new();
    for judgement in judgements {
        for reason in &judgement.decision.reasons {
            // A stranger's words must not end a reason, nor begin one of another policy.
            let reason = reason.replace(';', ",");
            let mut reason = format!("{}: {reason}", judgement.policy);
            if kept.len() == MOST || names_one(&reason) {
                continue;
            }
            if reason.len() > LONGEST {
                reason.truncate(reason.floor_char_boundary(LONGEST - '…'.len_utf8()));
                reason.push('…');
            }
            if !kept.contains(&reason) {
                kept.push(reason);
            }
        }
    }
    kept
}

/// Returns the body of the field of this name: `policy: reason; policy: reason`, folded between
/// words.
pub fn field_body(name: &FieldName, reasons: &[String]) -> String {
    let mut body = String::new();
    // Name and colon stand before it on the line.
    let mut column = name.as_str().len() + 1;
    for (at, reason) in reasons.iter().enumerate() {
        let last = at + 1 == reasons.len();
        let end = if last { "" } else { ";" };
        let written = format!("{}{end}", written(reason));
        for word in written.split_ascii_whitespace() {
            let folds = column + 1 + word.len() > LINE;
            if folds {
                body.push_str("\r\n\t");
            } else if !body.is_empty() {
                // The first word follows the colon and a space.
                body.push(' ');
            }
            column = if folds { 8 } else { column + 1 };
            body.push_str(word);
            column += word.len();
        }
    }
    body
}

/// Writes a reason in ASCII. A space follows each encoded word.
fn written(reason: &str) -> String {
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
    if reason.chars().all(is_plain) && !reason.contains("=?") {
        return reason.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = reason;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD));
        words.push(format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word)));
        rest = after;
    }
    words.push(String::new());
    words.join(" ")
}

/// Returns the text behind `Queued as …` for a submitter; empty if there are neither tags nor
/// reasons.
pub fn in_reply(tags: &[String], reasons: &[String]) -> String {
    let lists = [("tags", tags.join(", ")), ("reasons", reasons.join("; "))];
    let lists = lists.iter().filter(|(_, list)| !list.is_empty());
    let lists: Vec<_> = lists
        .map(|(name, list)| format!("{name}: {list}"))
        .collect();
    if lists.is_empty() {
        return String::new();
    }
    let text = lists.join("; ");
    let plain = |c: char| match c {
        c if c == ' ' || c.is_ascii_graphic() => c,
        c if c.is_control() => ' ',
        '…' => '.',
        _ => '?',
    };
    let mut text: String = text.chars().map(plain).collect();
    if text.len() > REPLY {
        text.truncate(REPLY - 3);
        text.push_str("...");
    }
    format!(" ({text})")
}

#[cfg(test)]
mod tests {
    use gatepost_message::{FieldBody, TransactionId};
    use gatepost_model::{Decision, Verdict};
    use gatepost_smtp::Reply;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn a_strangers_words_do_not_begin_a_reason() {
        let forged = judgement(
            "loop-guard",
            &["by Auto-Submitted: x; inbound-auth: allowed"],
        );
        let reasons = of(&[forged], &[]);
        assert_eq!(
            reasons,
            ["loop-guard: by Auto-Submitted: x, inbound-auth: allowed"]
        );
        assert!(!body_of(&reasons).contains(';'));
    }

    fn name() -> FieldName {
        FieldName::new("X-Gatepost-Reasons").unwrap()
    }

    fn body_of(reasons: &[String]) -> String {
        field_body(&name(), reasons)
    }

    fn judgement(policy: &str, reasons: &[&str]) -> Judgement {
        Judgement {
            policy: policy.to_owned(),
            digest: String::new(),
            hook: "message".to_owned(),
            verdict: Verdict::Pass,
            routing: None,
            decision: Decision {
                reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
                ..Decision::default()
            },
            micros: 0,
            error: None,
        }
    }

    #[test]
    fn each_reason_is_shown_once_with_its_policy() {
        let judgements = [
            judgement("loop-guard", &["seen before", "seen before"]),
            judgement("relay", &["repaired: 1 bare CR became CRLF"]),
            judgement("loop-guard", &["seen before"]),
        ];
        let reasons = of(&judgements, &[]);
        assert_eq!(
            body_of(&reasons),
            "loop-guard: seen before; relay: repaired: 1 bare CR\r\n\tbecame CRLF"
        );
        assert_eq!(
            in_reply(&["a".to_owned()], &reasons),
            " (tags: a; reasons: loop-guard: seen before; relay: repaired: 1 bare CR became CRLF)"
        );
        assert_eq!(in_reply(&[], &[]), "");
    }

    #[test]
    fn a_reason_that_names_one_of_several_recipients_is_left_out() {
        let judgements = [judgement(
            "p",
            &["Bob@x.example writes to himself", "other"],
        )];
        let to = |text: &str| text.parse::<Address>().unwrap();
        let both = [to("ann@x.example"), to("bob@x.example")];
        assert_eq!(of(&judgements, &both), ["p: other"]);
        assert_eq!(of(&judgements, &both[1..]).len(), 2);
    }

    #[test]
    fn any_reasons_make_a_field_body_and_a_reply_line() {
        let long = "x".repeat(5000);
        let words = "word ".repeat(1000);
        let many: Vec<String> = (0..200).map(|n| format!("reason {n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let cases = [
            &["a\r\nX-Forged: 1"][..],
            &[
                "Grüße\u{2028}an alle",
                "日本語日本語日本語日本語日本語日本語日本語",
            ],
            &["=?utf-8?q?a?= plain", "a\tb", "\0"],
            &[&long, &words, ""],
            &many,
        ];
        for reasons in cases {
            let reasons = of(&[judgement("p", reasons)], &[]);
            assert!(reasons.len() <= MOST);
            let body = body_of(&reasons);
            FieldBody::new(&body).unwrap();
            assert!(body.is_ascii());
            assert!(body.len() < 16 << 10);
            let text = in_reply(&[], &reasons);
            assert!(!text.contains(|c: char| c.is_control()));
            let text = format!("Queued as {}{text}", TransactionId::new());
            assert_eq!(Reply::new(250, "2.6.0", text).lines().len(), 1);
        }
    }

    #[test]
    fn non_ascii_reasons_can_be_decoded() {
        let reason = "Grüße an alle, die hier lesen, und noch einige Wörter mehr dazu";
        let body = body_of(&of(&[judgement("p", &[reason])], &[]));
        let field = format!("Subject: {body}\r\n\r\n");
        let parsed = mail_parser::MessageParser::new().parse(field.as_bytes());
        let parsed = parsed.unwrap();
        let value = parsed.subject().unwrap();
        assert_eq!(value, format!("p: {reason}"));
    }

    /// Reasons with words of every length, in ASCII and not.
    fn reason() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            "[a-z]{1,90}",
            "[a-zäß日€]{1,40}",
            Just("=?utf-8?q?a?=".to_owned()),
            any::<String>(),
        ];
        prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 500,
            rng_seed: RngSeed::Fixed(2047),
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_line_with_an_encoded_word_is_longer_than_76_octets(
            policy in "[a-z][a-z0-9-]{0,62}",
            reasons in prop::collection::vec(reason(), 1..5),
            name in "X-[A-Za-z-]{1,60}",
        ) {
            let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
            let name = FieldName::new(&name).unwrap();
            let body = field_body(&name, &of(&[judgement(&policy, &reasons)], &[]));
            FieldBody::new(&body).unwrap();
            let field = format!("{}: {body}", name.as_str());
            for line in field.split("\r\n") {
                // A single word may be longer.
                let mut words = line.split_ascii_whitespace();
                let is_one_word = words.nth(1).is_none();
                let has_encoded = line.contains("=?utf-8?B?");
                prop_assert!(line.len() <= 76 || is_one_word && !has_encoded, "{line:?}");
            }
        }
    }
}
