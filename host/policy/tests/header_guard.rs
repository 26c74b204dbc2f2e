//! header-guard changes no byte of any message outside the fields that it names: without these
//! fields, the message is the same before and after.

use bytes::Bytes;
use gatepost_message::{Edit, FieldBody, FieldName, Message};
use gatepost_sdk::native::{Given, Mail};
use gatepost_sdk::{Action, Decision, Facts, Flow, Level, Policy, Session, Transaction, Verdict};
use header_guard::HeaderGuard;
use proptest::prelude::*;
use serde_json::json;

/// Fields that it is told to edit, or edits by itself.
const NAMED: [&str; 20] = [
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Mailer",
    "X-Gatepost-From-Account-Id",
    "X-Gatepost-Email-Id",
    "X-Gatepost-Trigger",
    "X-Set",
    "X-Required",
    "X-Stripped",
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
];

struct NoFacts;

impl Facts for NoFacts {
    fn now(&self) -> u64 {
        0
    }
    fn counted(&self, _: &str, _: u32) -> u64 {
        0
    }
    fn seen(&self, _: &str) -> bool {
        false
    }
    fn log(&self, _: Level, _: &str) {}
}

fn transaction(flow: Flow) -> Transaction {
    Transaction {
        id: "019b7780-4000-7000-8000-000000000001".into(),
        session: Session {
            listener: "mx".into(),
            flow,
            transport: gatepost_sdk::Transport::Smtp,
            client: Some(gatepost_sdk::ClientAddress {
                ip: "192.0.2.1".into(),
                port: 1025,
            }),
            helo: None,
            tls: None,
            user: None,
        },
        account: Some("acme".into()),
        mail_from: "ann@sender.example".into(),
        recipients: vec!["help@desk.example".into()],
    }
}

/// Returns the edits of a decision as the relay records them. Panics on one that it would refuse.
fn edits(decision: &Decision) -> Vec<Edit> {
    let name = |name: &str| FieldName::new(name).expect("a name that the relay takes");
    let body = |body: &str| FieldBody::new(body).expect("a body that the relay takes");
    let edits = decision.actions().iter().filter_map(|action| match action {
        Action::AddHeader(n, b) => Some(Edit::Add {
            name: name(n),
            body: body(b),
        }),
        Action::SetHeader(n, b) => Some(Edit::Set {
            name: name(n),
            body: body(b),
        }),
        Action::RemoveHeader(n) => Some(Edit::Remove { name: name(n) }),
        _ => None,
    });
    edits.collect()
}

/// Generates the content of a line: plain, binary, or long.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let octet = any::<u8>().prop_filter("no line ends", |octet| !matches!(octet, b'\r' | b'\n'));
    prop_oneof![
        "[a-z <@>,:;()\"=?]{0,30}".prop_map(String::into_bytes),
        prop::collection::vec(octet, 0..30),
        prop::collection::vec(Just(b'x'), 880..1010),
    ]
}

/// Generates a line of a header section: with a known or unknown name, continued, or malformed.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let spelt = (prop::sample::select(&NAMED[..]), 0..3).prop_map(|(name, case)| match case {
        0 => name.to_uppercase(),
        1 => name.to_lowercase(),
        _ => name.to_owned(),
    });
    let dressed = "[\\x00\\x0b\\x0c\\x7f é]?X-Set[\\x00\\x0b\\x0c\\x1f\\x7f é]?[ \t]?";
    let name = prop_oneof![
        4 => spelt,
        3 => "X-[A-Za-z]{1,3}",
        1 => "[ -~]{0,5}",
        1 => dressed,
    ];
    let end = prop_oneof![9 => Just("\r\n"), 1 => Just("\n")];
    let colon = prop::sample::select(&[":", ": ", " : "][..]);
    let gap = prop::sample::select(&["", " ", "\t", "\r\n "][..]);
    prop_oneof![
        12 => (name, colon, content(), gap, content(), end.clone())
            .prop_map(|(name, colon, body, gap, more, end)| {
                let (name, colon) = (name.as_bytes(), colon.as_bytes());
                [name, colon, &body, gap.as_bytes(), &more, end.as_bytes()].concat()
            }),
        1 => (content(), end).prop_map(|(line, end)| [&line, end.as_bytes()].concat()),
    ]
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let lines = prop::collection::vec(line(), 0..12);
    let rest = prop_oneof![
        4 => content().prop_map(|body| {
            [b"\r\n", body.as_slice(), b"\r\nX-Mailer: in the body\r\n"].concat()
        }),
        1 => Just(Vec::new()),
    ];
    (lines, rest).prop_map(|(lines, rest)| [lines.concat(), rest].concat())
}

fn without_named(message: &Message) -> Bytes {
    let left = message.without(|field| NAMED.iter().any(|name| field.is(name)));
    left.to_bytes().expect("it is in memory")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn header_guard_changes_no_byte_outside_the_fields_that_it_names(
        octets in message(),
        flow in prop::sample::select(&[Flow::Inbound, Flow::Submission][..]),
        malformed in prop::sample::select(&["refuse", "keep"][..]),
        duplicates in prop::sample::select(&["repair", "first"][..]),
    ) {
        let settings = json!({
            "malformed": malformed,
            "duplicates": duplicates,
            "rules": [
                { "header": "X-Set", "action": { "set": { "value": "new" } }, "protect": true },
                { "header": "X-Required", "action": { "require": { "value": "added" } } },
                { "header": "x-stripped", "action": "strip" },
            ],
        });
        let settings = serde_json::from_value(settings).expect("settings");
        let Ok(guard) = HeaderGuard::new(settings) else { panic!("settings") };
        let _given = Given::default().give();
        let before = Message::from_bytes(octets.into());
        let mut decision = Decision::default();
        let verdict = guard.message(&transaction(flow), &Mail(&before), &NoFacts, &mut decision);
        let edits = edits(&decision);
        // Relay and policy agree on which names are malformed.
        let malformed_name = before.fields().any(|field| !field.is_well_formed());
        prop_assert!(malformed == "keep" || !malformed_name || verdict != Verdict::Pass);
        if verdict != Verdict::Pass {
            prop_assert_eq!(edits, vec![]);
            return Ok(());
        }
        let after = before.edited(&edits);
        prop_assert!(edits.is_empty() || after.to_bytes().is_ok());
        let (left, right) = (without_named(&before), without_named(&after));
        // Edits put the empty line in front of a body that has no header section.
        let bare = before.head().is_empty();
        let gets_line = bare && !edits.is_empty() && before.size() > 0;
        let added: &[u8] = if gets_line { b"\r\n" } else { b"" };
        prop_assert_eq!(right, [added, &left].concat());
        if flow == Flow::Submission {
            for mark in &NAMED[..5] {
                prop_assert_eq!(after.count(mark), 1, "{}", mark);
            }
            prop_assert_eq!(after.count("X-Gatepost-Trigger"), 0);
        }
        for once in &NAMED[9..] {
            let left = format!("{once} stood there more than once, and is too long to be one");
            let says = |action: &Action| matches!(action, Action::Reason(said) if *said == left);
            let left = duplicates == "repair" && decision.actions().iter().any(says);
            let is_always_repaired = ["From", "Sender", "Reply-To", "Subject"].contains(once);
            prop_assert!(after.count(once) <= 1 || left && !is_always_repaired, "{}", once);
        }
    }
}
