//! The policy that is applied if From has several authors, or readers may differ about it (RFC 9989
//! section 11.5).

use gatepost_authentication::{Authentication, DmarcPolicy, FromClarity, Settings};
use test_support::{Signer, Zone};

use crate::world::World;

/// Returns a world and a message with this From. good.example requests `reject` and has signed the
/// message; bank.example requests `reject`, odd.example `quarantine` and quiet.example `none`.
fn world(from: &str) -> (World, Vec<u8>) {
    let signer = Signer::new();
    let mut zone = Zone::new();
    zone.txt("_dmarc.bank.example", "v=DMARC1; p=reject")
        .txt("_dmarc.good.example", "v=DMARC1; p=reject")
        .txt("_dmarc.quiet.example", "v=DMARC1; p=none")
        .txt("_dmarc.odd.example", "v=DMARC1; p=quarantine");
    signer.publish(&mut zone, "good.example");
    let message = signer.sign(format!("{from}\r\n\r\nbody\r\n").as_bytes(), "good.example");
    (World::of(zone), message)
}

#[test]
fn no_form_of_from_evades_the_policy_of_a_domain_in_it() {
    for from in [
        "From: ceo@bank.example",
        "From: ceo@ bank.example",
        "From: ceo @bank.example",
        "From: ceo@\r\n bank.example",
        "From: ceo@(x)bank.example",
        "From: ceo@bank.example.",
        "From: ceo@bank\u{3002}example",
        "From: ceo @ bank . example",
        "From: <@good.example:ceo@bank.example>",
        "From: ceo@bank.example, a@good.example",
        "From: a@good.example,,, ceo@bank.example",
        "From: x:ceo@bank.example,a@good.example;",
        "From: <ceo@bank.example> <a@good.example>",
        "From: ceo@bank.example;a@good.example",
        "From: ceo@bank.example <a@good.example>",
        "From: <ceo@bank.example",
        "From: ceo@bank.example>",
        "From: \"ceo@bank.example",
        "From: =?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=",
        "From: ceo@\"bank.example\"",
        "From: ceo@bank.example\u{b}<a@good.example>",
        "From: a@good.example\r\nFrom: ceo@bank.example",
        "From: ceo@bank.example\r\nFrom: a@good.example",
        "From\u{c}: ceo@bank.example\r\nFrom: a@good.example",
    ] {
        let (world, message) = world(from);
        let facts = world.facts(&message, &Settings::default());
        assert_eq!(
            facts.dmarc.result,
            Authentication::Fail,
            "{from:?}: {facts:?}"
        );
        assert_eq!(facts.dmarc.applied, Some(DmarcPolicy::Reject), "{from:?}");
        assert_eq!(facts.dmarc.domain, "bank.example", "{from:?}");
        assert!(!facts.dmarc.alignment.dkim, "{from:?}");
    }
}

#[test]
fn an_address_in_a_display_name_does_not_count() {
    for from in [
        "From: \"ceo@bank.example\" <a@good.example>",
        "From: =?utf-8?q?ceo=40bank.example?= <a@good.example> (ceo@bank.example)",
        "From: A <a@good.example>, B <b@good.example>",
        "From: A <a@news.good.example>",
    ] {
        let (world, message) = world(from);
        let facts = world.facts(&message, &Settings::default());
        assert_eq!(
            facts.dmarc.result,
            Authentication::Pass,
            "{from:?}: {facts:?}"
        );
        assert_eq!(facts.from.clarity, FromClarity::Unequivocal, "{from:?}");
    }
}

#[test]
fn the_worst_result_of_several_authors_counts() {
    for (from, result, domain) in [
        (
            "From: a@good.example, b@quiet.example",
            Authentication::Fail,
            "quiet.example",
        ),
        (
            "From: a@quiet.example, b@odd.example",
            Authentication::Fail,
            "odd.example",
        ),
        (
            "From: a@odd.example, b@bank.example",
            Authentication::Fail,
            "bank.example",
        ),
        (
            "From: a@good.example, b@silent.example",
            Authentication::None,
            "silent.example",
        ),
    ] {
        let (world, message) = world(from);
        let facts = world.facts(&message, &Settings::default());
        assert_eq!(facts.dmarc.result, result, "{from}");
        assert_eq!(facts.dmarc.domain, domain, "{from}");
        assert!(!facts.dmarc.alignment.dkim, "{from}");
    }
}

#[test]
fn an_author_at_an_address_literal_has_no_dmarc_result() {
    let (world, message) = world("From: a@[192.0.2.1]");
    let facts = world.facts(&message, &Settings::default());
    assert_eq!(facts.dmarc.result, Authentication::None);
    assert_eq!(facts.from.clarity, FromClarity::Unequivocal);
}

/// RFC 9989 section 4.10, step 2: several records are discarded, and the walk goes on. At the
/// author's own domain, no record above is used instead.
#[test]
fn several_records_of_one_name_are_discarded() {
    let mut zone = Zone::new();
    zone.txt("_dmarc.good.example", "v=DMARC1; p=reject")
        .txt("_dmarc.team.good.example", "v=DMARC1; p=reject")
        .txt("_dmarc.team.good.example", "v=DMARC1; p=none");
    let world = World::of(zone);
    let judged = |domain: &str| {
        let message = format!("From: a@{domain}\r\n\r\n");
        world.facts(message.as_bytes(), &Settings::default()).dmarc
    };
    let between = judged("x.team.good.example");
    assert_eq!(
        (between.result, between.applied),
        (Authentication::Fail, Some(DmarcPolicy::Reject))
    );
    let own = judged("team.good.example");
    assert_eq!((own.result, own.policy), (Authentication::None, None));
    assert_eq!(own.organizational_domain, "good.example");
    assert!(
        own.reason
            .is_some_and(|reason| reason.contains("several DMARC records"))
    );
}

#[test]
fn an_aligned_signature_is_checked_before_others_above_it() {
    let signer = Signer::new();
    let mut zone = Zone::new();
    zone.txt("_dmarc.good.example", "v=DMARC1; p=reject");
    signer.publish(&mut zone, "mail.good.example");
    let signed = signer.sign(b"From: a@good.example\r\n\r\nbody\r\n", "mail.good.example");
    let signed = String::from_utf8(signed).expect("text");
    let (signature, _) = signed.split_once("From: ").expect("From");
    let others: String = (0..20)
        .map(|number| signature.replace("d=mail.good.example", &format!("d=o{number}.example")))
        .collect();
    let facts = World::of(zone).facts(format!("{others}{signed}").as_bytes(), &Settings::default());
    assert_eq!(facts.dkim.len(), 8);
    assert_eq!(facts.dkim[0].domain, "o0.example");
    assert_eq!(facts.dkim[7].domain, "mail.good.example");
    assert_eq!(facts.dmarc.result, Authentication::Pass, "{facts:?}");
}

#[test]
fn the_identity_of_a_signature_is_decoded_before_it_is_compared() {
    let (world, message) = world("From: a@good.example");
    let message = String::from_utf8(message).expect("text");
    let of = |identity: &str| {
        let message = message.replacen("v=1; ", &format!("v=1; i={identity}; "), 1);
        let facts = world.facts(message.as_bytes(), &Settings::default());
        facts.dkim[0].reason.clone().unwrap_or_default()
    };
    // A changed signature no longer verifies; malformed tags are refused before that.
    assert!(of("a@good=2Eexample").starts_with("the signature does not fit"));
    assert_eq!(
        of("a@good.example=2Eorg"),
        "i= is of another domain than d="
    );
    assert_eq!(of("a@good=2"), "i= is malformed");
}

#[test]
fn a_malformed_key_is_a_permanent_error() {
    let (world, message) = world("From: a@good.example");
    for record in [
        "v=DKIM1; p=BARF",
        "v=DKIM1; k=ed25519; p=BARF",
        "v=DKIM1; k=ed25519; p=!",
    ] {
        let mut zone = Zone::new();
        zone.txt("s._domainkey.good.example", record);
        let message = String::from_utf8(message.clone()).expect("text");
        let message = match record.contains("ed25519") {
            true => message,
            false => message.replacen("a=ed25519-sha256", "a=rsa-sha256", 1),
        };
        let facts = World::of(zone).facts(message.as_bytes(), &Settings::default());
        assert_eq!(
            facts.dkim[0].result,
            Authentication::Permerror,
            "{record}: {:?}",
            facts.dkim
        );
    }
    drop(world);
}
