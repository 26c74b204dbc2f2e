//! Mail for the domains that customers connect: through their relay, past it, and forwarded.

mod common;

use common::*;
use gatepost_sdk::*;

fn credential(scope: CredentialScope) -> Option<Credential> {
    Some(Credential {
        user: "relay".into(),
        scope,
    })
}

fn of(domain: &str) -> Option<Credential> {
    credential(CredentialScope::Inbound(domain.into()))
}

#[test]
fn a_customers_server_vouches_for_every_author() {
    let mut scene = Scene::to(DomainKind::TwoWay, DomainState::Verified);
    scene.given.credential = of("customer.example");
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
    for wrong in [of("other.example"), credential(CredentialScope::Submission)] {
        let mut scene = Scene::to(DomainKind::TwoWay, DomainState::Verified);
        scene.given.credential = wrong;
        assert_eq!(scene.judge().code(), 550);
    }
    let mut scene = Scene::to(DomainKind::TwoWay, DomainState::Verified);
    scene.given.credential = of("customer.example");
    scene.recipients = vec!["help@customer.example", "help@acme.desk.example"];
    let outcome = scene.judge();
    assert_eq!(outcome.code(), 250);
    assert_eq!(outcome.refused, ["help@acme.desk.example"]);
}

#[test]
fn what_comes_past_the_relay_is_tagged_or_refused() {
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

#[test]
fn a_domain_without_a_relay_goes_on_receiving_untagged() {
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
