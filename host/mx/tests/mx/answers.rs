//! Every kind of answer about a domain has its route or its reply.

use std::net::IpAddr;

use gatepost_mx::SessionTls;
use test_support::Zone;
use test_support::zone::{Fault, RecordType};

use crate::{World, addresses, public};

#[tokio::test]
async fn exchanges_come_by_preference_with_their_addresses() {
    let mut zone = Zone::new();
    zone.mx("a.example", 20, "second.example")
        .mx("a.example", 10, "First.Example")
        .a("first.example", public(1))
        .aaaa("first.example", "2a00::1".parse().unwrap())
        .a("second.example", public(2));
    let world = World::new(zone);
    let route = world.route("A.Example.").await.unwrap();
    assert_eq!(route.domain, "a.example");
    let hosts: Vec<_> = route
        .candidates
        .iter()
        .map(|one| one.host.as_str())
        .collect();
    assert_eq!(hosts, ["first.example", "second.example"]);
    let mut first = route.candidates[0].addresses.clone();
    first.sort();
    assert_eq!(first, [IpAddr::V4(public(1)), "2a00::1".parse().unwrap()]);
    assert!(
        route
            .candidates
            .iter()
            .all(|one| one.tls == SessionTls::Opportunistic)
    );
}

#[tokio::test]
async fn the_order_within_a_preference_changes_from_call_to_call() {
    let mut zone = Zone::new();
    for host in ["one.example", "two.example", "three.example"] {
        zone.mx("a.example", 10, host).a(host, public(1));
    }
    zone.mx("a.example", 20, "last.example")
        .a("last.example", public(2));
    let world = World::new(zone);
    let mut first = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let hosts = world.hosts("a.example").await;
        assert_eq!(hosts[3], "last.example");
        first.insert(hosts[0].clone());
    }
    assert_eq!(first.len(), 3, "seed {}", crate::SEED);
    // The answers come from the resolver's cache.
    assert_eq!(world.dns.asked_for("a.example", RecordType::MX), 1);
}

#[tokio::test]
async fn a_domain_without_mx_is_its_own_server() {
    let mut zone = Zone::new();
    zone.a("a.example", public(1))
        .mx("b.example", 0, "mx.b.example")
        .a("b.example", public(2));
    let world = World::new(zone);
    assert_eq!(world.hosts("a.example").await, ["a.example"]);
    // With MX, the domain's own address is of no concern.
    assert_eq!(world.refusal("b.example").await, "550 5.4.4");
    assert_eq!(world.dns.asked_for("b.example", RecordType::A), 0);
}

#[tokio::test]
async fn each_failure_has_its_reply() {
    let mut zone = Zone::new();
    zone.mx("null.example", 0, "")
        .exists("empty.example")
        .fault("broken.example", Fault::ServFail)
        .fault("silent.example", Fault::Silence)
        .fault_of("implicit.example", RecordType::A, Fault::ServFail)
        .mx("odd.example", 5, "localhost")
        .mx("odd.example", 5, "192.0.2.1")
        .mx("gone.example", 5, "nobody.example")
        .mx("half.example", 5, "nobody.example")
        .mx("half.example", 9, "broken.example");
    let world = World::new(zone);
    for (domain, reply) in [
        ("null.example", "556 5.1.10"),
        ("missing.example", "550 5.1.2"),
        ("empty.example", "550 5.4.4"),
        ("broken.example", "451 4.4.3"),
        ("silent.example", "451 4.4.3"),
        ("implicit.example", "451 4.4.3"),
        ("odd.example", "550 5.4.4"),
        ("gone.example", "550 5.4.4"),
        ("half.example", "451 4.4.4"),
        ("a..b", "550 5.1.3"),
        ("127.0.0.1", "550 5.1.3"),
    ] {
        assert_eq!(world.refusal(domain).await, reply, "{domain}");
    }
}

#[tokio::test]
async fn an_exchange_that_is_not_resolved_leaves_the_others() {
    let mut zone = Zone::new();
    zone.mx("a.example", 5, "broken.example")
        .fault("broken.example", Fault::ServFail)
        .mx("a.example", 9, "mx.example")
        .a("mx.example", public(1));
    assert_eq!(World::new(zone).hosts("a.example").await, ["mx.example"]);
}

#[tokio::test]
async fn an_international_domain_is_asked_in_a_labels() {
    let mut zone = Zone::new();
    zone.mx("xn--bcher-kva.example", 5, "mx.example")
        .a("mx.example", public(1));
    let world = World::new(zone);
    let route = world.route("Bücher.example").await.unwrap();
    assert_eq!(route.domain, "xn--bcher-kva.example");
    assert_eq!(addresses(&route), [IpAddr::V4(public(1))]);
}

#[tokio::test]
async fn an_address_literal_is_its_own_server() {
    let world = World::new(Zone::new());
    let route = world.route("[20.0.0.1]").await.unwrap();
    assert_eq!(addresses(&route), [IpAddr::V4(public(1))]);
    let route = world.route("[IPv6:2a00::1]").await.unwrap();
    assert_eq!(route.domain, "[IPv6:2a00::1]");
    assert_eq!(world.refusal("[127.0.0.1]").await, "550 5.1.2");
    assert_eq!(world.refusal("[IPv6:::ffff:10.0.0.1]").await, "550 5.1.2");
    assert_eq!(world.refusal("[2130706433]").await, "550 5.1.3");
    assert!(world.dns.asked().is_empty());
}
