//! Messages that `gatepost-dkim` signs verify, and still do after whatever a server may do to a
//! message on its way without altering it (RFC 6376 sections 3.4 and 5.4): for random messages, both
//! algorithms and all canonical forms.

#![allow(clippy::unwrap_used)]

mod memory;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use gatepost_authentication::{Arrival, Authentication, Settings, gather};
use gatepost_dkim::{
    Algorithm, Canonicalization, Forms, KeyRecord, PrivateKey, Signer, sign_in_forms,
    with_signatures,
};
use gatepost_message::{Message, Millis, ReversePath};
use memory::InMemory;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use test_support::Zone;

const NOW: Millis = Millis(1_800_000_000_000);

/// A key of each algorithm, and the zone with their records.
static KEYS: LazyLock<([Arc<Signer>; 2], Zone)> = LazyLock::new(|| {
    let mut zone = Zone::new();
    let keys = Algorithm::ALL.map(|algorithm| {
        let key = PrivateKey::generate(algorithm).unwrap();
        let signer = Signer {
            domain: "customer.example".parse().unwrap(),
            selector: format!("desk-{algorithm}-1").parse().unwrap(),
            key,
        };
        let public = signer.key.public().unwrap();
        let record = KeyRecord::new(&signer.domain, &signer.selector, algorithm, &public);
        let strings: Vec<_> = record.strings().into_iter().map(str::as_bytes).collect();
        zone.txt_strings(record.name(), &strings);
        Arc::new(signer)
    });
    (keys, zone)
});

/// Results of the signatures of a message, from the top down.
fn results(message: &Message) -> Vec<Authentication> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let path = ReversePath::parse("").unwrap();
    let arrival = Arrival {
        client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 99)),
        helo: "client.invalid",
        receiver: "mx.desk.example",
        reverse_path: &path,
        at: NOW,
    };
    let dns = InMemory::new(KEYS.1.clone());
    let settings = Settings::default();
    let facts = runtime.block_on(gather(message, &arrival, &dns, &settings));
    facts.dkim.iter().map(|one| one.result).collect()
}

fn message(octets: Vec<u8>) -> Message {
    Message::from_bytes(Bytes::from(octets))
}

/// Random fields below From, and a random body.
fn messages() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "To",
        "cc",
        "SUBJECT",
        "Date",
        "Message-ID",
        "Reply-To",
        "Content-Type",
        "MIME-Version",
        "Content-Language",
        "X-Own",
        "Sender",
        "List-Id",
        "Received",
        "To",
        "Subject",
    ]);
    let line = "[ -9;-~]{0,20}";
    let fold = prop::sample::select(vec![" ", "\t", "  ", "\r\n ", "\r\n\t"]);
    let field = (name, line, fold, "[!-~\u{e9}]{1,9}")
        .prop_map(|(name, line, fold, end)| format!("{name}:{line}{fold}{end}\r\n"));
    let fields = prop::collection::vec(field, 0..8);
    // An open last line ends in text: what becomes of white space there is not agreed upon.
    let body = "([ -~\t\u{e9}]{0,30}\r\n){0,6}[!-~]{0,5}";
    let spaces = prop::sample::select(vec!["", "\r\n", " \r\n", "\r\n\r\n", "\t\r\n \r\n"]);
    (fields, body, spaces).prop_map(|(fields, body, spaces)| {
        let from = "From: Ann <ann@customer.example>\r\n";
        let fields = fields.concat();
        format!("{fields}{from}\r\n{body}{spaces}").into_bytes()
    })
}

/// Changes each field of a message.
fn with_fields(message: &Message, change: impl Fn(&[u8]) -> Vec<u8>) -> Message {
    let mut head = Vec::new();
    for field in message.fields() {
        head.extend(change(field.raw()));
    }
    head.extend_from_slice(b"\r\n");
    Message::from_parts(head.into(), Arc::clone(message.body()))
}

fn above(message: &Message, fields: &str) -> Message {
    with_signatures(message, fields.as_bytes())
}

fn with_body(message: &Message, change: impl Fn(&str) -> String) -> Message {
    let raw = message.to_bytes().unwrap();
    let body = String::from_utf8(raw[message.head().len()..].to_vec()).unwrap();
    Message::from_parts(message.head().clone(), Arc::new(Bytes::from(change(&body))))
}

/// Refolds a field and changes the case of its name.
fn refolded(field: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(field.to_vec()).unwrap();
    let (name, value) = text.split_once(':').unwrap();
    let value = value.trim_end_matches("\r\n").replace("\r\n", "");
    let value = value.replace(['\t'], "  ").replacen(' ', "\r\n \t", 1);
    format!("{} : {value} \r\n", name.to_uppercase()).into_bytes()
}

/// Returns changes on the way that servers may make to a message signed in these forms.
fn legal(signed: &Message, forms: Forms) -> Vec<(&'static str, Message)> {
    let mut changed = vec![
        (
            "trace fields, fields of a list and of resending",
            above(
                signed,
                "Return-Path: <x@y.example>\r\nReceived: from a by b; date\r\nList-Id: <l>\r\n\
                 Resent-From: r@y.example\r\nSender: s@y.example\r\nX-Spam: no\r\n",
            ),
        ),
        (
            "results and seals of others",
            above(
                signed,
                "Authentication-Results: b; none\r\nARC-Seal: i=1; b=x\r\n",
            ),
        ),
        (
            "more empty lines at the end",
            with_body(signed, |body| match body {
                "" => "\r\n".to_owned(),
                body if body.ends_with("\r\n") => format!("{body}\r\n\r\n"),
                body => format!("{body}\r\n"),
            }),
        ),
    ];
    if forms.fields == Canonicalization::Relaxed {
        changed.push(("fields folded anew", with_fields(signed, refolded)));
    }
    if forms.body == Canonicalization::Relaxed {
        let spaced = |body: &str| {
            let lines = body
                .split_inclusive("\r\n")
                .map(|line| match line.strip_suffix("\r\n") {
                    Some(line) => format!("{} \t\r\n", line.replace(' ', " \t ")),
                    None => line.to_owned(),
                });
            lines.collect()
        };
        changed.push(("other white space in lines", with_body(signed, spaced)));
    }
    changed
}

/// Changes that break every signature.
fn illegal(signed: &Message) -> Vec<(&'static str, Message)> {
    vec![
        ("another body", with_body(signed, |body| format!("x{body}"))),
        ("a second From", above(signed, "From: eve@evil.example\r\n")),
        ("a second Subject", above(signed, "Subject: other\r\n")),
        ("a part", above(signed, "Content-Type: text/html\r\n")),
        (
            "other answers",
            above(signed, "Reply-To: eve@evil.example\r\n"),
        ),
    ]
}

#[test]
fn what_is_signed_verifies_after_every_legal_change_and_after_no_other() {
    const SEED: [u8; 32] = *b"signatures of random messages...";
    println!("seed {SEED:?}");
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(config, random);
    let all = [Canonicalization::Simple, Canonicalization::Relaxed];
    let checked = runner.run(&messages(), |octets| {
        let message = message(octets);
        for (fields, body) in all.iter().flat_map(|one| all.map(|other| (*one, other))) {
            let forms = Forms { fields, body };
            let signature = sign_in_forms(&message, &KEYS.0, NOW, forms).unwrap();
            let signed = with_signatures(&message, &signature);
            let pass = vec![Authentication::Pass; 2];
            prop_assert_eq!(&results(&signed), &pass, "{:?}", forms);
            for (what, changed) in legal(&signed, forms) {
                prop_assert_eq!(&results(&changed), &pass, "{}: {:?}", what, forms);
            }
            for (what, changed) in illegal(&signed) {
                let fail = vec![Authentication::Fail; 2];
                prop_assert_eq!(&results(&changed), &fail, "{}: {:?}", what, forms);
            }
        }
        Ok(())
    });
    checked.unwrap();
}
