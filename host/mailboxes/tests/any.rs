//! Random fields: no address is hidden, another parser agrees where there is no doubt, and reading
//! takes linear time.

use std::time::{Duration, Instant};

use gatepost_mailboxes::{Clarity, read};
use mail_parser::parsers::MessageStream;
use proptest::prelude::*;

/// Returns the domains that another parser finds, in lower case.
fn by_mail_parser(field: &str) -> Vec<String> {
    let body = format!("{field}\r\n");
    let parsed = MessageStream::new(body.as_bytes()).parse_address();
    let Some(parsed) = parsed.into_address() else {
        return Vec::new();
    };
    let addresses = parsed.iter().filter_map(|one| one.address.as_deref());
    let domains = addresses.filter_map(|address| address.rsplit_once('@'));
    domains
        .map(|(_, domain)| domain.trim().to_lowercase())
        .collect()
}

/// Generates white space, folds and comments (RFC 5322 section 3.2.2), with decoys inside.
fn gap() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        Just(" ".to_owned()),
        Just("\t".to_owned()),
        Just("\r\n ".to_owned()),
        Just("(x)".to_owned()),
        Just("(d@decoy.example)".to_owned()),
        Just("(a (<d@decoy.example>) \\) b)".to_owned()),
    ];
    prop_oneof![
        2 => Just(String::new()),
        1 => prop::collection::vec(one, 1..3).prop_map(|gaps| gaps.concat()),
    ]
}

/// Generates spellings of `local@bank.example` by RFC 5322 sections 3.4.1 and 4.4.
fn spelling() -> impl Strategy<Value = String> {
    let local = prop_oneof![
        Just("ceo".to_owned()),
        Just("c.e.o".to_owned()),
        Just("\"c e\\\"o@x\"".to_owned()),
        Just("=?utf-8?q?ceo?=".to_owned()),
    ];
    let dot = prop_oneof![
        4 => Just("."), 1 => Just("\u{3002}"), 1 => Just("\u{ff0e}"), 1 => Just("\u{ff61}")
    ];
    let bank = prop_oneof![3 => Just("bank"), 1 => Just("BANK"), 1 => Just("ba\u{ad}nk"), 1 => Just("\u{ff42}ank")];
    let end = prop_oneof![3 => Just(""), 1 => Just(".")];
    let gaps = [gap(), gap(), gap(), gap()];
    (local, bank, dot, end, gaps).prop_map(|(local, bank, dot, end, [a, b, c, d])| {
        // White space may stand only around a dot of US-ASCII.
        let (c, d) = match dot {
            "." => (c, d),
            _ => (String::new(), String::new()),
        };
        format!("{local}{a}@{b}{bank}{c}{dot}{d}example{end}")
    })
}

/// Generates text that stands beside an address.
fn decoy() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("Ann B".to_owned()),
        Just("\"d@decoy.example, <e@decoy.example>\"".to_owned()),
        Just("=?utf-8?q?d=40decoy.example?=".to_owned()),
        Just("d@decoy.example".to_owned()),
        Just("\"a \\\" <d@decoy.example> \"".to_owned()),
    ]
}

fn mailbox() -> impl Strategy<Value = String> {
    let bare = (gap(), spelling(), gap()).prop_map(|(a, spelt, b)| format!("{a}{spelt}{b}"));
    let routes = prop_oneof![
        3 => Just(""), 1 => Just("@r.example:"), 1 => Just("@r.example,,@s.example:")
    ];
    let angled = (decoy(), gap(), gap(), routes, spelling(), gap(), gap()).prop_map(
        |(decoy, a, b, route, spelt, c, d)| format!("{decoy}{a}<{b}{route}{spelt}{c}>{d}"),
    );
    prop_oneof![bare, angled]
}

/// Generates a From field with one mailbox at bank.example among others.
fn field() -> impl Strategy<Value = String> {
    let other = prop_oneof![
        Just("a@good.example".to_owned()),
        Just("\"x, y\" <a@good.example>".to_owned()),
        Just("Team: a@good.example, b@good.example;".to_owned()),
        Just(String::new()),
    ];
    let others = prop::collection::vec(other, 0..3);
    let separator = prop_oneof![4 => Just(","), 1 => Just(";"), 1 => Just("\u{b},")];
    (others.clone(), mailbox(), others, separator, any::<bool>()).prop_map(
        |(before, mailbox, after, separator, grouped)| {
            let mailbox = match grouped {
                true => format!("Us: {mailbox};"),
                false => mailbox,
            };
            let all = before.into_iter().chain([mailbox]).chain(after);
            all.collect::<Vec<_>>().join(separator)
        },
    )
}

/// Generates text of the signs that matter.
fn signs() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a",
        "b.example",
        "c@d.example",
        "@",
        ".",
        "<",
        ">",
        ",",
        ";",
        ":",
        "(",
        ")",
        "\"",
        "\\",
        " ",
        "\r\n ",
        "[",
        "]",
        "=?utf-8?q?",
        "x=40y.example",
        "?=",
        "\u{b}",
        "\0",
        "\u{3002}",
        "e@f.example",
        "Ann",
        "\u{fc}",
        "\n",
        "'",
        "%",
        "!",
        "=",
        "?",
    ]);
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn no_spelling_hides_a_domain(field in field()) {
        let reading = read([&field]);
        prop_assert_eq!(gatepost_mailboxes::mailboxes(&field), reading.mailboxes());
        prop_assert!(reading.domains().any(|domain| domain == "bank.example"), "{:?}", reading);
    }

    #[test]
    fn another_parser_agrees_about_unequivocal_fields(field in prop_oneof![signs(), field()]) {
        let reading = read([&field]);
        if reading.clarity() == Clarity::Unequivocal {
            let ours: Vec<_> = reading.addresses().map(|one| one.domain.clone()).collect();
            prop_assert_eq!(ours, by_mail_parser(&field), "{:?}", reading);
        }
    }

    /// If another parser finds an address whose domain can be looked up, this one shows it, too.
    #[test]
    fn addresses_that_another_parser_finds_are_shown(field in prop_oneof![signs(), field()]) {
        let reading = read([&field]);
        for domain in by_mail_parser(&field) {
            let is_domain = domain.contains('.') && domain.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric())
            });
            if is_domain {
                prop_assert!(reading.domains().any(|one| one == domain), "{}: {:?}", domain, reading);
            }
        }
    }

    #[test]
    fn any_octets_are_read_without_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        read([octets]);
    }
}

#[test]
fn reading_takes_linear_time() {
    let openings = [
        "(",
        "\"",
        "[",
        "<",
        "=?",
        "=?x?q?",
        "=?x?b?",
        "@",
        "@[",
        "\\",
        "\"\\",
        "(\\",
        "((",
        "a@b.c,",
        "a.",
        "a@",
        ":",
        ";",
        ",",
        " ",
        "@ ",
        ". ",
        "a:",
        "<@",
        "<@,",
        "<>",
        "a@b.c ",
        "=?x?q?@",
        "(a)",
        "\"a\"",
        "\u{3002}",
        "+",
        "=?utf-7?q?+",
        "\r\n ",
    ];
    for opening in openings {
        for begin in ["", "<", "\"@", "=?x?q?"] {
            let field = format!("{begin}{}", opening.repeat(64 * 1024 / opening.len()));
            let start = Instant::now();
            read([&field]);
            let took = start.elapsed();
            assert!(
                took < Duration::from_millis(500),
                "{begin:?} {opening:?}: {took:?}"
            );
        }
    }
}
