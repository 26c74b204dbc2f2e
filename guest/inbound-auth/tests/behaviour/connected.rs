//! Mail for connected domains: through their relay, past it, and forwarded.

use crate::common;

use common::*;
use gatepost_sdk::*;

fn inbound(domain: &str) -> CredentialScope {
    CredentialScope::Inbound(domain.into())
}

#[test]
fn a_customers_server_vouches_for_every_author() {
    let mut scene = Scene::to(DomainKind::TwoWay, DomainState::Verified);
    scene = scene.logged_in(inbound("customer.example"));
    let taken = scene.with(dmarc_fails(DmarcPolicy::Reject)).judge();
    assert_eq!(
        (taken.verdict, taken.tags),
        (Verdict::Pass, vec!["relay-secure".to_owned()])
    );
    assert!(
        taken.reasons[0].contains("fail"),
        "DMARC is recorded: {:?}",
        taken.reasons
    );
}

#[test]
fn credentials_are_for_their_own_domain() {
    for wrong in [inbound("other.example"), CredentialScope::Submission] {
        let mut scene = Scene::to(DomainKind::TwoWay, DomainState::Verified);
        scene = scene.logged_in(wrong);
        assert_eq!(scene.judge().code(), 550);
    }
    let mut scene = Scene::to(DomainKind::TwoWay, DomainState::Verified);
    scene = scene.logged_in(inbound("customer.example"));
    scene.recipients = vec!["help@customer.example", "help@acme.desk.example"];
    let outcome = scene.judge();
    assert_eq!(outcome.code(), 250);
    assert_eq!(outcome.refused, ["help@acme.desk.example"]);
}

#[test]
fn mail_past_the_relay_is_tagged_or_refused() {
    let past = || Scene::to(DomainKind::TwoWay, DomainState::Verified);
    assert_eq!(past().judge().tags, ["relay-missing"]);
    let refuse = r#"{ "unauthenticated": "refuse" }"#;
    assert_eq!(past().settings(refuse).judge().code(), 550);
    let mut both = past().settings(refuse);
    both.recipients = vec!["help@customer.example", "help@acme.desk.example"];
    let outcome = both.judge();
    assert_eq!(
        (outcome.code(), outcome.refused),
        (250, vec!["help@customer.example".to_owned()])
    );
}

/// Without its credential, mail for a two-way domain proves no more than direct mail.
#[test]
fn mail_past_the_relay_is_judged_as_direct_mail_unless_set() {
    let spoofed = |settings: &'static str| {
        let scene = Scene::to(DomainKind::TwoWay, DomainState::Verified).settings(settings);
        scene.with(dmarc_fails(DmarcPolicy::Reject)).judge()
    };
    for judged in ["{}", r#"{ "unauthenticated": "judge" }"#] {
        let outcome = spoofed(judged);
        assert_eq!(outcome.code(), 550, "{outcome:?}");
        assert_eq!(outcome.tags, ["relay-missing", "dmarc-fail"]);
    }
    let tagged = spoofed(r#"{ "unauthenticated": "tag" }"#);
    assert_eq!(tagged.verdict, Verdict::Pass);
    assert_eq!(tagged.tags, ["relay-missing", "dmarc-fail"]);
    let enhanced = Scene::to(DomainKind::TwoWay, DomainState::Verified);
    let enhanced = enhanced.settings(r#"{ "mode": "enhanced" }"#).judge();
    assert!(matches!(enhanced.verdict, Verdict::Quarantine(_)));
}

/// Everybody may write to a forwarding target who knows it: it is taken, and vouched for by nobody.
#[test]
fn mail_to_a_forwarding_target_is_forwarded_by_somebody_known_or_not() {
    let to_target = |kind, client: &'static str| {
        let mut scene = Scene::to(kind, DomainState::Verified);
        scene.client = client;
        let destinations = scene.given.directory.destinations.values_mut();
        destinations.for_each(|of| of.by_target = true);
        scene.with(dmarc_fails(DmarcPolicy::Reject)).judge()
    };
    use DomainKind as Kind;
    for kind in [Kind::Forwarded, Kind::OutboundOnly, Kind::TwoWay] {
        let known = to_target(kind, "203.0.113.9");
        assert_eq!(known.verdict, Verdict::Pass, "{kind:?}");
        assert_eq!(known.tags, ["forwarded", "dmarc-fail"]);
        let unknown = to_target(kind, "192.0.2.1");
        assert_eq!(unknown.verdict, Verdict::Pass, "{kind:?}");
        assert_eq!(unknown.tags, ["forwarder-unknown", "dmarc-fail"]);
    }
}

#[test]
fn mail_for_a_domain_without_a_relay_is_not_tagged() {
    for state in [DomainState::Disconnected, DomainState::Claimed] {
        let outcome = Scene::to(DomainKind::TwoWay, state).judge();
        assert_eq!(
            (outcome.verdict, outcome.tags),
            (Verdict::Pass, vec![]),
            "{state:?}"
        );
    }
}

type Change = fn(&mut Authentication);

#[test]
fn forwarded_mail_is_never_refused_for_dmarc_alone() {
    let forwarded = |client: &'static str, change: Change| {
        let mut scene = Scene::to(DomainKind::OutboundOnly, DomainState::Verified);
        scene.client = client;
        scene
            .with(dmarc_fails(DmarcPolicy::Reject))
            .with(change)
            .judge()
    };
    let known: [(&str, Change); 3] = [
        ("203.0.113.9", |_| ()),
        ("192.0.2.1", |proved| {
            proved.dkim = vec![DkimResult {
                result: Outcome::Pass,
                domain: "mail.forwarder.example".into(),
                ..DkimResult::default()
            }]
        }),
        ("192.0.2.1", |proved| {
            proved.arc = sealed_by("sealer.example", "other.example")
        }),
    ];
    for (client, change) in known {
        let outcome = forwarded(client, change);
        assert_eq!(outcome.verdict, Verdict::Pass, "{outcome:?}");
        assert_eq!(outcome.tags, ["forwarded", "dmarc-fail"]);
    }
    let survived = forwarded("203.0.113.9", |proved| proved.dmarc.dkim_aligned = true);
    assert_eq!(survived.tags, ["forwarded"]);
    assert_eq!(
        forwarded("192.0.2.1", |_| ()).code(),
        550,
        "not by a known forwarder"
    );
    let unproved = forwarded("192.0.2.1", |proved| {
        proved.arc = ArcResult {
            result: Outcome::Fail,
            ..sealed_by("sealer.example", "x.example")
        };
        proved.dkim = vec![DkimResult {
            result: Outcome::Fail,
            domain: "forwarder.example".into(),
            ..DkimResult::default()
        }];
    });
    assert_eq!(
        unproved.code(),
        550,
        "a seal and a signature that fail prove no forwarder"
    );
}

/// A customer's server often forwards to a native address.
#[test]
fn forwarders_are_recognised_at_a_native_address_too() {
    let to_native = |client: &'static str, change: Change| {
        let mut scene = Scene {
            client,
            ..Scene::default()
        };
        scene
            .given
            .directory
            .destinations
            .values_mut()
            .for_each(|of| {
                // Forwarders of an account that has connected this domain.
                of.forwarders.dkim_domains.push("customer.example".into());
            });
        let scene = scene.with(dmarc_fails(DmarcPolicy::Reject)).with(change);
        scene.judge()
    };
    let known: [(&str, Change); 4] = [
        ("203.0.113.9", |_| ()),
        ("192.0.2.1", |proved| {
            proved.dkim = vec![DkimResult {
                result: Outcome::Pass,
                domain: "customer.example".into(),
                ..DkimResult::default()
            }]
        }),
        ("192.0.2.1", |proved| {
            proved.spf_mailfrom = spf("mail.customer.example")
        }),
        ("192.0.2.1", |proved| {
            proved.arc = sealed_by("sealer.example", "other.example")
        }),
    ];
    for (client, change) in known {
        let outcome = to_native(client, change);
        assert_eq!(outcome.tags, ["forwarded", "dmarc-fail"], "{outcome:?}");
        assert_eq!(outcome.verdict, Verdict::Pass);
    }
    let unknown: [Change; 3] = [
        |_| (),
        |proved| proved.spf_mailfrom = spf("elsewhere.example"),
        |proved| {
            proved.spf_mailfrom = SpfResult {
                result: Outcome::Softfail,
                ..spf("customer.example")
            }
        },
    ];
    for change in unknown {
        assert_eq!(to_native("192.0.2.1", change).code(), 550);
    }
}

/// People of a customer write to a native address like anybody else.
#[test]
fn mail_by_the_customers_own_people_is_not_forwarded() {
    let mut scene = Scene::default();
    scene
        .given
        .directory
        .destinations
        .values_mut()
        .for_each(|of| {
            of.forwarders.dkim_domains.push("author.example".into());
        });
    let outcome = scene.with(|proved| {
        proved.spf_mailfrom = spf("author.example");
        proved.dmarc.spf_aligned = true;
    });
    assert_eq!(outcome.judge().tags, Vec::<String>::new());
}

/// Mail forwarded by the Sender Rewriting Scheme has a reverse-path of the connected domain.
#[test]
fn the_server_of_an_outbound_only_domain_is_recognised_by_spf() {
    for (state, code) in [
        (DomainState::Verified, 250),
        (DomainState::Disconnected, 550),
    ] {
        let scene = Scene::to(DomainKind::OutboundOnly, state);
        let outcome = scene
            .with(dmarc_fails(DmarcPolicy::Reject))
            .with(|proved| proved.spf_mailfrom = spf("customer.example"))
            .judge();
        assert_eq!(outcome.code(), code, "{state:?}");
    }
}

fn spf(domain: &str) -> SpfResult {
    SpfResult {
        result: Outcome::Pass,
        domain: domain.into(),
        reason: None,
    }
}
