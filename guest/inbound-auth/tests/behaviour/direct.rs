//! Mail that comes directly, in both modes.

use crate::common;

use common::*;
use gatepost_sdk::{DmarcPolicy, Outcome, Verdict};

const ENHANCED: &str = r#"{ "mode": "enhanced", "enhanced-failure": "refuse" }"#;

#[test]
fn the_dmarc_policy_of_the_authors_domain_is_applied() {
    let rejected = Scene::default()
        .with(dmarc_fails(DmarcPolicy::Reject))
        .judge();
    assert_eq!(rejected.code(), 550, "{rejected:?}");
    let kept = Scene::default()
        .with(dmarc_fails(DmarcPolicy::Quarantine))
        .judge();
    assert!(matches!(kept.verdict, Verdict::Quarantine(_)), "{kept:?}");
    let taken = Scene::default()
        .with(dmarc_fails(DmarcPolicy::None))
        .judge();
    assert_eq!(
        (taken.verdict, taken.tags),
        (Verdict::Pass, vec!["dmarc-fail".to_owned()])
    );
}

#[test]
fn mail_is_accepted_and_tagged_if_the_dns_fails() {
    let unsure =
        |proved: &mut gatepost_sdk::Authentication| proved.dmarc.result = Outcome::Temperror;
    let taken = Scene::default().with(unsure).judge();
    assert_eq!(
        (taken.verdict, taken.tags),
        (Verdict::Pass, vec!["dmarc-temperror".to_owned()])
    );
    let later = Scene::default().with(unsure).settings(ENHANCED).judge();
    assert_eq!(later.code(), 451, "{:?}", later.reasons);
}

#[test]
fn enhanced_requires_proof_without_a_dmarc_policy() {
    let unproved = Scene::default().settings(ENHANCED).judge();
    assert_eq!(unproved.code(), 550);
    let kept = Scene::default()
        .settings(r#"{ "mode": "enhanced" }"#)
        .judge();
    assert!(matches!(kept.verdict, Verdict::Quarantine(_)), "{kept:?}");
    for proof in [
        |proved: &mut gatepost_sdk::Authentication| proved.dmarc.spf_aligned = true,
        |proved: &mut gatepost_sdk::Authentication| proved.dmarc.dkim_aligned = true,
    ] {
        let proved = Scene::default().with(proof).settings(ENHANCED).judge();
        assert_eq!(proved.verdict, Verdict::Pass);
    }
}

#[test]
fn enhanced_requires_one_author_whose_name_shows_no_other_address() {
    let names = [
        vec![],
        vec![author("Ann", "")],
        vec![
            author("", "a@author.example"),
            author("", "b@author.example"),
        ],
        vec![author("ceo@bank.example", "a@author.example")],
    ];
    for authors in names {
        let scene = Scene::default().settings(ENHANCED).with(|proved| {
            proved.dmarc.dkim_aligned = true;
            proved.authors = authors.clone();
        });
        assert_eq!(scene.judge().code(), 550, "{authors:?}");
    }
    // In any characters and any encoding of the name.
    for name in [
        "ceo\u{ff20}bank.example",
        "ceo\u{fe6b}bank.example",
        "ceo@bank\u{3002}example",
        "Ann (ceo@bank\u{ff0e}example)",
        "ceo@bank\u{ff61}example",
        "ceo%40bank.example",
        "ceo&#64;bank.example",
        "=?utf-8?b?Y2Vv77ygYmFuay5leGFtcGxl?=",
        "a@author.example ceo\u{ff20}bank.example",
    ] {
        let scene = Scene::default().settings(ENHANCED).with(|proved| {
            proved.dmarc.dkim_aligned = true;
            proved.authors = vec![author(name, "a@author.example")];
        });
        assert_eq!(scene.judge().code(), 550, "{name}");
    }
    for name in [
        "Ann",
        "'a@author.example'",
        "Ann @ Shop.example",
        "a\u{ff20}author.example",
    ] {
        let scene = Scene::default().settings(ENHANCED).with(|proved| {
            proved.dmarc.dkim_aligned = true;
            proved.authors = vec![author(name, "a@author.example")];
        });
        assert_eq!(scene.judge().code(), 250, "{name}");
    }
    let herself = Scene::default().settings(ENHANCED).with(|proved| {
        proved.dmarc.dkim_aligned = true;
        proved.authors = vec![author("A@Author.Example", "a@author.example")];
    });
    assert_eq!(herself.judge().code(), 250);
}

#[test]
fn a_trusted_seal_overrides_a_failure_of_the_same_author() {
    let trusting = r#"{ "trusted-sealers": ["list.example"] }"#;
    let judge = |sealer: &str, author: &str, settings| {
        let sealed = sealed_by(sealer, author);
        let scene = Scene::default().with(dmarc_fails(DmarcPolicy::Reject));
        scene
            .with(|proved| proved.arc = sealed)
            .settings(settings)
            .judge()
    };
    let overridden = judge("list.example", "author.example", trusting);
    assert_eq!(overridden.tags, ["arc-override"]);
    assert_eq!(overridden.verdict, Verdict::Pass);
    assert_eq!(judge("list.example", "other.example", trusting).code(), 550);
    assert_eq!(
        judge("attacker.example", "author.example", trusting).code(),
        550
    );
    assert_eq!(judge("list.example", "author.example", "{}").code(), 550);
}

#[test]
fn denied_senders_are_refused_and_allowed_ones_accepted() {
    for denied in [
        r#"{ "deny": { "networks": ["192.0.2.0/24"] } }"#,
        r#"{ "deny": { "domains": ["example"] } }"#,
        r#"{ "deny": { "addresses": ["A@author.example"] }, "allow": { "networks": ["192.0.2.1"] } }"#,
    ] {
        assert_eq!(
            Scene::default().settings(denied).judge().code(),
            550,
            "{denied}"
        );
    }
    let other = r#"{ "deny": { "domains": ["thor.example"], "networks": ["198.51.100.7"] } }"#;
    assert_eq!(Scene::default().settings(other).judge().code(), 250);
    let allowed = r#"{ "allow": { "networks": ["192.0.2.1"] } }"#;
    let scene = Scene::default().with(dmarc_fails(DmarcPolicy::Reject));
    assert_eq!(scene.settings(allowed).judge().tags, ["allowed"]);
}

#[test]
fn an_account_overrides_the_settings() {
    let mut scene = Scene::default();
    scene.given.directory.settings = Some(r#"{ "mode": "enhanced" }"#.into());
    assert!(matches!(scene.judge().verdict, Verdict::Quarantine(_)));
    let mut scene = Scene::default().settings(ENHANCED);
    scene.given.directory.settings = Some(r#"{ "mode": "lax" }"#.into());
    let outcome = scene.judge();
    assert_eq!(outcome.code(), 550, "what does not fit changes nothing");
    assert!(outcome.reasons[0].contains("lax"), "{:?}", outcome.reasons);
}
