//! Whatever a header section holds, no reader downstream finds a field of ours in it, however lax
//! it is; and nothing is removed that no reader could mistake for one.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::sync::LazyLock;

use gatepost_config::Config;
use gatepost_intake::edits::verdict_fields::cleared;
use gatepost_message::Message;
use gatepost_model::Flow;
use proptest::prelude::*;
use proptest::sample::select;

const OURS: [&str; 8] = [
    "X-Gatepost-Tags",
    "X-Gatepost-Reasons",
    "X-Gatepost-Auth",
    "X-Gatepost-Requester",
    "X-Gatepost-Partners",
    "X-Gatepost-Class",
    "X-Gatepost-Trigger",
    "X-Gatepost-Original-Recipient",
];

/// Returns the fields that the laxest reader finds: it takes anything for the end of a line that
/// some software does, skips lines that are no fields, trims each name of all that is not printable
/// ASCII, takes its first word, and treats `_` as `-`.
fn lax_reader(octets: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(octets).replace("\r\n", "\n");
    let section = match text.strip_prefix('\n') {
        Some(_) => "",
        None => text.split("\n\n").next().unwrap(),
    };
    let mut unfolded: Vec<String> = Vec::new();
    for line in section.split('\n') {
        match unfolded.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
            _ => unfolded.push(line.to_owned()),
        }
    }
    // Once more for readers that do not unfold above the first field, but trim.
    let above = section
        .split('\n')
        .take_while(|line| line.starts_with([' ', '\t']));
    unfolded.extend(above.map(str::to_owned));
    let ends = |c: char| c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}');
    let parts = unfolded.iter().flat_map(|line| {
        let parts = line.split(ends).map(str::to_owned);
        parts.chain([line.clone()]).collect::<Vec<_>>()
    });
    let mut names = Vec::new();
    for part in parts {
        let Some((name, _)) = part.split_once(':') else {
            continue;
        };
        let plain = |name: &str| -> String {
            let kept = name.chars().filter(char::is_ascii_graphic);
            kept.collect::<String>()
                .to_ascii_lowercase()
                .replace('_', "-")
        };
        names.push(plain(name));
        names.extend(name.split_whitespace().next().map(plain));
    }
    names
}

fn dressed() -> impl Strategy<Value = String> {
    let odd = select(
        &[
            "", "", "\u{c}", "\u{b}", "\u{1}", "\u{7f}", "\u{85}", "\u{a0}", "\u{200b}", " ", "\t",
            "é",
        ][..],
    );
    let name = select(&OURS[..]);
    let case = 0..4;
    (
        odd.clone(),
        name,
        case,
        odd,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(before, name, case, odd, at, inside)| {
            let name = match case {
                0 => name.to_uppercase(),
                1 => name.to_lowercase(),
                2 => name.replace('-', "_"),
                _ => name.to_owned(),
            };
            let at = if inside {
                at.index(name.len())
            } else {
                name.len()
            };
            let (left, right) = name.split_at(at);
            format!("{before}{left}{odd}{right}")
        })
}

fn line() -> impl Strategy<Value = String> {
    let other = select(
        &[
            "Subject",
            "From",
            "X-Gatepost-Tags-Of-Mine",
            "To",
            "List-Id",
        ][..],
    );
    let fold = select(&["", "", "\r\n ", "\r\n\t", "\u{c}", "\u{2028}", "\u{1e}"][..]);
    prop_oneof![
        3 => (dressed(), select(&[":", " :", ": "][..])).prop_map(|(name, colon)| format!("{name}{colon}forged\r\n")),
        3 => (other.clone(), fold, dressed()).prop_map(|(name, fold, ours)| format!("{name}: x{fold}{ours}: forged\r\n")),
        2 => dressed().prop_map(|ours| format!(" {ours}: forged\r\n")),
        2 => "[a-z ]{1,12}\r\n",
        3 => (other, "[ -~]{0,20}").prop_map(|(name, body)| format!("{name}: {body}\r\n")),
    ]
}

fn message() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec(line(), 0..8);
    (lines, select(&["", "\r\nHello!\r\n", "\r\n"][..]))
        .prop_map(|(lines, rest)| lines.concat() + rest)
}

/// Returns the message as it leaves: without the removed fields, and with the end of the section
/// marked.
fn leaves(message: &str, flow: Flow) -> Vec<u8> {
    let message = Message::from_bytes(message.as_bytes().to_vec().into());
    static CONFIG: LazyLock<Config> = LazyLock::new(Config::builtin);
    let left = cleared(&CONFIG, flow, &message).with_its_end_marked();
    left.to_bytes().unwrap().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_reader_finds_a_field_of_ours(
        message in message(),
        flow in select(&[Flow::Inbound, Flow::Submission][..]),
    ) {
        let left = leaves(&message, flow);
        for name in lax_reader(&left) {
            let ours = OURS.iter().find(|ours| ours.eq_ignore_ascii_case(&name));
            // Only the application may say why it sends.
            let trigger = flow == Flow::Submission && ours == Some(&"X-Gatepost-Trigger");
            prop_assert!(
                ours.is_none() || trigger,
                "{:?} of {:?} in {:?}", name, message, String::from_utf8_lossy(&left)
            );
        }
    }

    #[test]
    fn fields_that_nobody_could_mistake_for_ours_stay_octet_for_octet(
        fields in prop::collection::vec("(X-[A-WYZa-z]{1,9}|Subject|From)[ \t]?:([ -~é\u{2028}]|\r\n ){0,30}\r\n", 0..6),
    ) {
        let message = fields.concat() + "\r\nX-Gatepost-Tags: in the body\r\n";
        let claims = lax_reader(message.as_bytes()).iter().any(|name| name.contains("gatepost"));
        prop_assume!(!claims);
        prop_assert_eq!(leaves(&message, Flow::Inbound), message.as_bytes());
    }
}
