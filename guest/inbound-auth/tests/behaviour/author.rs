//! Mail whose author is unknown.

use crate::common;

use common::*;
use gatepost_sdk::{DomainKind, DomainState, FromClarity, FromResult, Outcome, Verdict};

fn unreadable() -> FromResult {
    FromResult {
        clarity: FromClarity::Unreadable,
        doubt: Some("From has more than is read".to_owned()),
        ..FromResult::default()
    }
}

fn nobody(proved: &mut gatepost_sdk::Authentication) {
    proved.dmarc.result = Outcome::Permerror;
    proved.dmarc.spf_aligned = true;
    proved.from = unreadable();
}

#[test]
fn unreadable_author_is_refused_in_every_mode_and_way() {
    for settings in ["{}", r#"{ "mode": "enhanced" }"#] {
        let judged = Scene::default().settings(settings).with(nobody).judge();
        assert_eq!(judged.code(), 550, "{settings}");
        assert_eq!(judged.tags, ["author-unreadable"], "{settings}");
    }
    for kind in [DomainKind::TwoWay, DomainKind::OutboundOnly] {
        let judged = Scene::to(kind, DomainState::Verified).with(nobody).judge();
        assert_eq!(judged.code(), 550, "{kind:?}");
    }
}

#[test]
fn unreadable_author_is_quarantined_where_set() {
    let settings = r#"{ "unreadable-author": "quarantine" }"#;
    let judged = Scene::default().settings(settings).with(nobody).judge();
    assert!(
        matches!(judged.verdict, Verdict::Quarantine(_)),
        "{judged:?}"
    );
}

#[test]
fn a_permanent_error_of_dmarc_is_treated_alike() {
    let judged = Scene::default()
        .with(|proved| proved.dmarc.result = Outcome::Permerror)
        .judge();
    assert_eq!(judged.code(), 550);
}

#[test]
fn a_seal_does_not_vouch_for_several_authors() {
    let trusting = r#"{ "trusted-sealers": ["list.example"] }"#;
    let scene = |domains: &[&str]| {
        let from = FromResult {
            domains: domains.iter().map(ToString::to_string).collect(),
            ..FromResult::default()
        };
        Scene::default()
            .with(dmarc_fails(gatepost_sdk::DmarcPolicy::Reject))
            .with(|proved| {
                proved.arc = sealed_by("list.example", "author.example");
                proved.from = from;
            })
            .settings(trusting)
            .judge()
    };
    assert_eq!(scene(&["author.example"]).code(), 250);
    assert_eq!(scene(&["author.example", "bank.example"]).code(), 550);
}

#[test]
fn an_author_that_any_reader_shows_can_be_denied() {
    let denying = r#"{ "deny": { "domains": ["bank.example"] } }"#;
    let judged = Scene::default()
        .with(|proved| proved.from.domains = vec!["bank.example".to_owned()])
        .settings(denying)
        .judge();
    assert_eq!(judged.code(), 550);
}
