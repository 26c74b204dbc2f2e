//! Probes that came back, and what is said of them.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod support;

use gatepost_authentication::Authentication::{self, Fail, Neutral, Pass, Temperror};
use gatepost_authentication::Facts;
use gatepost_verification::*;
use proptest::prelude::*;
use support::*;

fn customer() -> ReturnWay {
    ReturnWay::Session(domain("customer.example"))
}

fn session() -> ArrivalWay {
    ArrivalWay::Session(domain("customer.example"))
}

fn words(text: &str) -> QuotedWords {
    QuotedWords::of(text).unwrap()
}

#[test]
fn a_probe_that_comes_back_unchanged_passes_by_every_way() {
    for (kind, way, arrived) in [
        (ProbeKind::Inbound, customer(), session()),
        (
            ProbeKind::Inbound,
            ReturnWay::Forwarded,
            ArrivalWay::Forwarded,
        ),
        (
            ProbeKind::Outbound,
            ReturnWay::Delivered,
            ArrivalWay::Direct,
        ),
        (ProbeKind::Circuit, customer(), session()),
    ] {
        let (probe, message) = sent(kind, way);
        // Servers on the way add fields of their own above.
        let came = prepended(&message, "Received: from a by b; now\r\nX-Other: 1\r\n");
        let report = judged(&probe, &came, &arrived, &good());
        assert_eq!(report.outcome, ProbeOutcome::Passed, "{report:#?}");
        assert_eq!(report.remarks, []);
        assert_eq!(report.fields.len(), 11);
        assert!(
            report
                .fields
                .iter()
                .all(|field| field.change == FieldChange::Intact)
        );
        let domain = words("desk.example");
        assert_eq!(report.signature, SignatureReport::Valid { domain });
        let results = &report.authentication;
        assert_eq!(
            (results.spf, results.dkim, results.dmarc),
            (Pass, Pass, Pass)
        );
        let stored = serde_json::to_string(&report).unwrap();
        assert_eq!(
            serde_json::from_str::<ProbeReport>(&stored).unwrap(),
            report
        );
    }
}

#[test]
fn the_same_recipient_in_another_case_is_the_same() {
    let (probe, message) = sent(ProbeKind::Inbound, ReturnWay::Forwarded);
    let recipient = address("F-ABC@Native.Desk.example");
    let report = judged_at(
        &probe,
        &message,
        &ArrivalWay::Forwarded,
        &good(),
        &recipient,
    );
    assert_eq!(report.outcome, ProbeOutcome::Passed);
}

#[test]
fn what_does_no_harm_is_remarked() {
    let (probe, message) = sent(ProbeKind::Inbound, customer());
    let subject = ProbeRemark::StandardFieldChanged {
        field: words("Subject"),
    };
    let id = ProbeRemark::StandardFieldChanged {
        field: words("Message-ID"),
    };
    let added = ProbeRemark::FieldAdded {
        field: words("X-Mailer"),
    };
    for (came, remark) in [
        (
            changed(&message, "Subject: ", "Subject: [EXTERN] "),
            subject,
        ),
        (without(&message, "Message-ID"), id),
        (
            changed(&message, "\"Acme Desk\" <", "Acme <"),
            ProbeRemark::NameInFromChanged,
        ),
        (prepended(&message, "X-Mailer: Another\r\n"), added),
        (
            without(&message, "DKIM-Signature"),
            ProbeRemark::SignatureLost,
        ),
    ] {
        let report = judged(&probe, &came, &session(), &good());
        assert_eq!(report.outcome, ProbeOutcome::Passed, "{remark}");
        assert_eq!(report.remarks, [remark]);
    }
}

#[test]
fn a_broken_signature_is_told_from_one_that_could_not_be_checked() {
    let (probe, message) = sent(ProbeKind::Inbound, customer());
    let report = |facts: &Facts| judged(&probe, &message, &session(), facts);
    let broken = report(&facts(Pass, Fail, Pass));
    assert!(matches!(broken.signature, SignatureReport::Broken { .. }));
    assert_eq!(broken.remarks, [ProbeRemark::SignatureBroken]);
    assert_eq!(broken.outcome, ProbeOutcome::Passed);
    let unchecked = report(&facts(Pass, Temperror, Pass));
    assert!(matches!(
        unchecked.signature,
        SignatureReport::Unchecked { .. }
    ));
    assert_eq!(unchecked.remarks, []);
    let mut unsigned = probe.clone();
    unsigned.signatures.clear();
    let report = judged(&unsigned, &message, &session(), &good());
    assert_eq!(report.signature, SignatureReport::NotSigned);
}

#[test]
fn of_two_signatures_one_that_survives_is_enough() {
    let (mut probe, message) = sent(ProbeKind::Inbound, customer());
    let other = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=desk.example; s=g2; b=X";
    probe.signatures.insert(0, other.to_owned());
    let report = judged(&probe, &message, &session(), &good());
    assert!(
        matches!(report.signature, SignatureReport::Valid { .. }),
        "{report:?}"
    );
}

#[test]
fn a_smart_host_that_proves_nothing_is_remarked_where_nothing_forbids_it() {
    let (probe, message) = sent(ProbeKind::Outbound, ReturnWay::Delivered);
    let none = Authentication::None;
    let mut results = facts(Neutral, none, none);
    results.dkim.clear();
    let report = judged(&probe, &message, &ArrivalWay::Direct, &results);
    assert_eq!(report.outcome, ProbeOutcome::Passed);
    let spf = ProbeRemark::Spf { result: Neutral };
    let dkim = ProbeRemark::Dkim { result: none };
    let dmarc = ProbeRemark::Dmarc { result: none };
    assert_eq!(report.remarks, [spf, dkim, dmarc]);
    // The domain says that this server may not send in its name.
    let report = judged(
        &probe,
        &message,
        &ArrivalWay::Direct,
        &facts(Fail, none, none),
    );
    assert_eq!(
        failure(&report).reason,
        FailureReason::ReturnedUnauthenticated
    );
}

#[test]
fn a_forwarder_that_nothing_vouches_for_is_remarked() {
    let (probe, message) = sent(ProbeKind::Inbound, ReturnWay::Forwarded);
    let mut unknown = facts(Pass, Fail, Fail);
    unknown.spf.mailfrom.domain = "another.example".to_owned();
    let report = judged(&probe, &message, &ArrivalWay::Direct, &unknown);
    assert_eq!(report.outcome, ProbeOutcome::Passed);
    assert!(
        report.remarks.contains(&ProbeRemark::ForwarderUnproved),
        "{report:#?}"
    );
    let by_spf = facts(Pass, Fail, Fail);
    let mut by_signature = unknown.clone();
    by_signature.dkim.push(signed(Pass, "customer.example"));
    let mut by_seal = unknown.clone();
    by_seal.arc.result = Pass;
    for vouched in [by_spf, by_signature, by_seal] {
        let report = judged(&probe, &message, &ArrivalWay::Direct, &vouched);
        assert!(!report.remarks.contains(&ProbeRemark::ForwarderUnproved));
    }
}

#[test]
fn the_first_fault_to_mend_is_the_outcome_and_the_others_stand_in_the_report() {
    let (probe, message) = sent(ProbeKind::Inbound, customer());
    let came = without(&without(&message, "X-Mailer"), "Auto-Submitted");
    let report = judged(&probe, &came, &ArrivalWay::Direct, &good());
    assert_eq!(
        failure(&report).reason,
        FailureReason::ReturnedUnauthenticated
    );
    let report = judged(&probe, &came, &session(), &good());
    let lost = failure(&report);
    assert_eq!(lost.reason, FailureReason::HeaderLost);
    assert_eq!(lost.detail, Some(words("Auto-Submitted, X-Mailer")));
    let altered = changed(&message, "Acme Desk Mailer", "Other");
    let report = judged(&probe, &altered, &session(), &good());
    let detail = failure(&report).detail.clone().unwrap();
    assert_eq!(
        detail,
        words("X-Mailer: \"Other\" instead of \"Acme Desk Mailer\"")
    );
    let field = report
        .fields
        .iter()
        .find(|field| field.name == "X-Mailer")
        .unwrap();
    assert_eq!(field.came, Some(words("Other")));
}

#[test]
fn values_of_strangers_are_bounded_and_escaped() {
    let (probe, message) = sent(ProbeKind::Inbound, customer());
    let long = format!("{}\u{202e}\u{1b}", "x".repeat(200_000));
    let came = changed(&message, "Acme Desk Mailer", &long);
    let report = judged(&probe, &came, &session(), &good());
    let stored = serde_json::to_string(&report).unwrap();
    assert!(stored.len() < 8_000, "{}", stored.len());
    assert!(!stored.contains('\u{202e}') && !stored.contains('\u{1b}'));
}

proptest! {
    #[test]
    fn any_octets_that_come_back_are_judged(
        octets in proptest::collection::vec(any::<u8>(), 0..3000),
        whole in any::<bool>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (probe, message) = sent(ProbeKind::Circuit, customer());
        let original = bytes(&message);
        // Either anything, or the probe with anything in its middle.
        let at = cut.index(original.len());
        let octets = match whole {
            true => octets,
            false => [&original[..at], &octets, &original[at..]].concat(),
        };
        let came = support::message(&octets);
        let facts = good();
        let arrival = ArrivedProbe {
            message: &came,
            recipient: &probe.returns_to,
            way: &session(),
            facts: &facts,
            place: TokenPlace::Body,
        };
        let report = judge_arrival(&probe, &arrival);
        prop_assert!(serde_json::to_string(&report).unwrap().len() < 16_000);
        for from_nobody in [true, false] {
            ArrivalKind::of(&came, &octets, from_nobody, &token());
        }
        ForwardingConfirmation::recognise(&came, &octets, &facts);
        if let Some(report) = gatepost_reports::read(&octets, true) {
            let profiles = gatepost_connections::Profiles::built_in();
            judge_report(profiles.get_or_generic(""), &report);
        }
    }

    #[test]
    fn any_reply_is_read(code in 400_u16..600, text in ".{0,400}", stage in 0..9_usize) {
        use gatepost_connections::DialogueStage::*;
        let stages = [Connect, Tls, Greeting, Ehlo, Starttls, Auth, Mail, Recipient, Data];
        let reply = gatepost_smtp::Reply::checked(code, None, &text).unwrap();
        let profiles = gatepost_connections::Profiles::built_in();
        for profile in profiles.all() {
            let failure = failure_of_reply(profile, stages[stage], &reply);
            prop_assert!(failure.to_string().len() < 2_000);
        }
    }
}
