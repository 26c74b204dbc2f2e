//! Mail that was forwarded more than once, and its requester.

use crate::common;

use common::*;
use gatepost_sdk::{DomainKind, DomainState};

const FIRST: (&str, &str) = (
    "Received",
    "from out.author.example by mx.shop.example with ESMTP id 1 for <sales@shop.example>; Mon, 23 Nov 2026 01:00:00 +0000",
);
const SECOND: (&str, &str) = (
    "Received",
    "from mx.shop.example by mx.customer.example with ESMTP id 2 for <help@customer.example>; Mon, 23 Nov 2026 01:00:01 +0000",
);

fn scene(fields: Vec<(&'static str, &'static str)>) -> Scene {
    Scene {
        mail: Mail(fields),
        ..Scene::default()
    }
}

#[test]
fn mail_forwarded_once_is_not_tagged() {
    let outcome = scene(vec![SECOND, ("Reply-To", "ann@home.example")]).judge();
    assert_eq!(outcome.tags, Vec::<String>::new());
    assert_eq!(outcome.headers, []);
}

#[test]
fn mail_forwarded_twice_is_tagged_and_names_the_requester() {
    let outcome = scene(vec![SECOND, FIRST, ("Reply-To", "Ann <ann@home.example>")]).judge();
    assert_eq!(outcome.tags, ["multi-hop"]);
    let requester = (
        "X-Gatepost-Requester".to_owned(),
        "<ann@home.example>".to_owned(),
    );
    assert_eq!(outcome.headers, [requester]);
}

#[test]
fn our_own_addresses_are_not_the_requester() {
    let own = ("Reply-To", "help@acme.desk.example");
    let outcome = scene(vec![SECOND, FIRST, own, ("To", "nobody, ann@home.example")]).judge();
    assert_eq!(outcome.headers[0].1, "<ann@home.example>");
    let outcome = scene(vec![SECOND, FIRST, own]).judge();
    assert_eq!(
        (outcome.tags, outcome.headers),
        (vec!["multi-hop".to_owned()], vec![])
    );
}

#[test]
fn other_traces_of_forwarding_count_too() {
    let fields = vec![
        ("Delivered-To", "help@customer.example"),
        (
            "X-Forwarded-To",
            "support@customer.example, help@acme.desk.example",
        ),
        ("To", "ann@home.example"),
    ];
    assert_eq!(scene(fields).judge().tags, ["multi-hop"]);
}

/// The customer's server names the forwarding target in the fields that it adds: it is the recipient
/// by another name.
#[test]
fn a_forwarding_target_is_no_other_forwarder() {
    let target = "f-aaaaaaaaaaaaaaaa@acme.desk.example";
    let mut scene = Scene::to(DomainKind::Forwarded, DomainState::Verified);
    scene.mail = Mail(vec![FIRST, ("X-Forwarded-To", target)]);
    let destinations = &mut scene.given.directory.destinations;
    let domain = destinations["help@customer.example"].clone();
    destinations.insert(target.into(), domain);
    assert_eq!(scene.judge().tags, Vec::<String>::new());
}

#[test]
fn a_partner_is_not_the_requester() {
    let reply_to = ("Reply-To", "Support+9@partner.example, ann@home.example");
    let mut scene = scene(vec![SECOND, FIRST, reply_to]);
    let partners = &mut scene.given.directory.partners;
    partners.insert(
        "support@partner.example".into(),
        gatepost_sdk::PartnerSource::ByHand,
    );
    let outcome = scene.judge();
    assert_eq!(outcome.headers[0].1, "<ann@home.example>");
}

#[test]
fn an_endless_trace_takes_linear_time() {
    let leak = |addresses: String| -> &'static str { Box::leak(addresses.into_boxed_str()) };
    let all = |end: &str| {
        (0..5_000)
            .map(|number| format!("a{number}@{number}{end}, "))
            .collect()
    };
    let mut fields = vec![("Delivered-To", leak(all(".b.example"))); 8];
    fields.push(("Reply-To", leak(all(".c.example"))));
    fields.push(("Reply-To", "Ann <ann@home.example>"));
    let started = std::time::Instant::now();
    let outcome = scene(fields).judge();
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
    assert_eq!(outcome.tags, ["multi-hop"]);
    assert!(
        outcome.reasons[0].len() < 1_000,
        "{}",
        outcome.reasons[0].len()
    );
    assert_eq!(outcome.headers[0].1, "<a0@0.c.example>");
}

#[test]
fn a_requester_is_no_longer_than_an_address() {
    let long = format!("{}@home.example, ann@home.example", "a".repeat(942));
    let long: &'static str = Box::leak(long.into_boxed_str());
    let outcome = scene(vec![SECOND, FIRST, ("Reply-To", long)]).judge();
    assert_eq!(outcome.headers[0].1, "<ann@home.example>");
}

/// An alias of a mailbox that forwards: one organisation has several addresses in the trace.
#[test]
fn forwarding_through_an_alias_counts_once() {
    const ALIAS: (&str, &str) = (
        "Received",
        "from mail.home.example by mx.customer.example with ESMTPS id 1 for <sales@customer.example>; Mon, 5 Jan 2026 01:00:01 +0000",
    );
    const INSIDE: (&str, &str) = (
        "Received",
        "from mx.customer.example by in.host.example with ESMTPS id 2 for <tom@customer.mail.host.example>; Mon, 5 Jan 2026 01:00:02 +0000",
    );
    for fields in [
        vec![
            ("X-Forwarded-To", "help@acme.desk.example"),
            (
                "X-Forwarded-For",
                "tom@customer.example help@acme.desk.example",
            ),
            ("Delivered-To", "tom@customer.example"),
            ALIAS,
        ],
        vec![("Delivered-To", "tom+sales@customer.example"), ALIAS],
        vec![INSIDE, ("Delivered-To", "tom@mail.customer.example"), ALIAS],
        vec![("Delivered-To", "Help+3@acme.desk.example"), ALIAS],
    ] {
        let mut fields = fields;
        fields.push(("To", "Sales <sales@customer.example>"));
        let outcome = scene(fields.clone()).judge();
        assert_eq!(
            (outcome.tags, outcome.headers),
            (vec![], vec![]),
            "{fields:?}"
        );
    }
}

#[test]
fn an_alias_of_a_connected_address_is_no_forwarder() {
    let mut scene = Scene::to(DomainKind::TwoWay, DomainState::Disconnected);
    let alias = ("Delivered-To", "help-desk@customer.example");
    scene.mail = Mail(vec![alias, FIRST]);
    assert_eq!(scene.judge().tags, Vec::<String>::new());
}

/// A forwarding mailbox is not the requester, by whatever field it is named; nor is a list.
#[test]
fn forwarders_and_lists_are_not_the_requester() {
    for passed_on in [
        ("Delivered-To", "tom@customer.example"),
        (
            "X-Forwarded-For",
            "tom@customer.example help@acme.desk.example",
        ),
        ("Resent-From", "Tom <tom@customer.example>"),
        ("X-MS-Exchange-Inbox-Rules-Loop", "tom@customer.example"),
        ("List-Post", "<mailto:tom@customer.example>"),
        ("X-BeenThere", "tom@customer.example"),
        (
            "Mailing-List",
            "list tom@customer.example; contact tom-owner@customer.example",
        ),
    ] {
        let reply_to = ("Reply-To", "Tom+orders@customer.example");
        let outcome = scene(vec![passed_on, SECOND, FIRST, reply_to]).judge();
        assert_eq!(outcome.tags, ["multi-hop"], "{passed_on:?}");
        assert_eq!(outcome.headers, [], "{passed_on:?}");
    }
    // Another alias at the site, which is not in the trace; an author there may be the requester.
    let to = ("To", "all@shop.example, ann@home.example");
    let outcome = scene(vec![SECOND, FIRST, to]).judge();
    assert_eq!(outcome.headers[0].1, "<ann@home.example>");
    let outcome = scene(vec![SECOND, FIRST, ("Reply-To", "eve@shop.example")]).judge();
    assert_eq!(outcome.headers[0].1, "<eve@shop.example>");
}
