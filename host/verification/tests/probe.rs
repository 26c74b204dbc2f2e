//! The message of a probe.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod support;

use gatepost_verification::{Language, ProbeKind, ReturnWay};
use mail_parser::MessageParser;
use support::{bytes, composed, marks, sent, token};

#[test]
fn a_probe_says_what_it_is_in_every_language_and_has_the_fields_that_must_survive() {
    for language in Language::ALL {
        for kind in ProbeKind::ALL {
            let message = composed(kind, language);
            let octets = bytes(&message);
            let parsed = MessageParser::default().parse(&octets).unwrap();
            let subject = parsed.subject().unwrap();
            assert!(subject.contains("help@customer.example"), "{subject}");
            assert!(
                subject.ends_with(&format!("[{}]", token().as_str())),
                "{subject}"
            );
            let text = parsed.body_text(0).unwrap();
            for part in ["help@customer.example", "Acme Desk", token().as_str()] {
                assert!(text.contains(part), "{language}: {part} in {text}");
            }
            for (name, value) in marks().iter() {
                assert_eq!(message.header(name.as_str()).as_deref(), Some(value));
                assert_eq!(message.count(name.as_str()), 1, "{name}");
            }
            for name in [
                "From",
                "To",
                "Date",
                "Message-ID",
                "MIME-Version",
                "Content-Type",
            ] {
                assert_eq!(message.count(name), 1, "{name}");
            }
            let tag = message.header("Content-Language");
            assert_eq!(tag.as_deref(), Some(language.tag()));
            assert!(!message.ends_in_no_field());
            for line in octets.split(|octet| *octet == b'\n') {
                assert!(line.len() <= 998 && line.is_ascii(), "{line:?}");
            }
        }
    }
}

#[test]
fn the_texts_differ_by_language() {
    let texts: std::collections::BTreeSet<_> = Language::ALL
        .into_iter()
        .map(|language| bytes(&composed(ProbeKind::Inbound, language)))
        .collect();
    assert_eq!(texts.len(), Language::ALL.len());
    for (tag, language) in [
        ("de-AT", Language::De),
        ("FR", Language::Fr),
        ("es_MX", Language::Es),
    ] {
        assert_eq!(tag.parse(), Ok(language), "{tag}");
    }
    assert!("xx".parse::<Language>().is_err());
}

#[test]
fn the_record_of_a_probe_survives_its_store() {
    for way in [
        ReturnWay::Forwarded,
        ReturnWay::Delivered,
        ReturnWay::Session(support::domain("customer.example")),
    ] {
        let (probe, _) = sent(ProbeKind::Inbound, way);
        assert_eq!(
            probe
                .fields
                .iter()
                .filter(|field| field.must_survive)
                .count(),
            5
        );
        assert_eq!(probe.signatures, [support::SIGNATURE]);
        let stored = serde_json::to_string(&probe).unwrap();
        assert_eq!(
            serde_json::from_str::<gatepost_verification::SentProbe>(&stored).unwrap(),
            probe
        );
    }
}
