//! Whatever a domain publishes, and however many ask, the questions are bounded.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures_util::future::join_all;
use test_support::Zone;
use test_support::zone::{Fault, RecordType};
use tokio::time::timeout;

use crate::{World, addresses, public};

#[tokio::test]
async fn a_domain_with_many_exchanges_costs_a_bounded_number_of_questions() {
    let mut zone = Zone::new();
    for number in 0..200 {
        let host = format!("mx{number}.a.example");
        zone.mx("a.example", 10, &host);
        for last in 0..30 {
            zone.a(&host, public(last));
            zone.aaaa(
                &host,
                Ipv6Addr::new(0x2a00, 0, 0, 0, 0, 0, number, last.into()),
            );
        }
    }
    let world = World::new(zone);
    let route = world.route("a.example").await.unwrap();
    assert_eq!(addresses(&route).len(), 40);
    assert!(route.candidates.iter().all(|one| one.addresses.len() <= 8));
    let asked = world.dns.asked();
    let names: std::collections::BTreeSet<_> = asked.iter().map(|asked| &asked.name).collect();
    assert_eq!(names.len(), 21, "the domain, and 20 exchanges");
}

#[tokio::test]
async fn callers_at_one_time_share_the_questions() {
    let mut zone = Zone::new();
    zone.mx("a.example", 10, "mx.example")
        .a("mx.example", Ipv4Addr::new(20, 0, 0, 1));
    let world = World::new(zone);
    let routes = join_all((0..500).map(|_| world.route("a.example"))).await;
    assert!(routes.iter().all(Result::is_ok));
    assert_eq!(world.dns.asked_for("a.example", RecordType::MX), 1);
    assert_eq!(world.dns.asked_for("mx.example", RecordType::A), 1);
}

#[tokio::test]
async fn exchanges_without_an_answer_do_not_hold_up_other_domains() {
    let mut zone = Zone::new();
    for number in 0..120 {
        for exchange in 0..8 {
            let host = format!("mx{exchange}.dead{number}.example");
            zone.mx(&format!("dead{number}.example"), 10, &host);
            zone.fault(&host, Fault::Silence);
        }
    }
    zone.mx("a.example", 10, "mx.example")
        .a("mx.example", public(1));
    let world = World::patient(zone);
    let dead = join_all((0..120).map(|number| {
        let mx = world.mx.clone();
        async move { mx.route(&format!("dead{number}.example")).await }
    }));
    // More questions about the dead are open than the resolver has permits for others. The first of
    // them are given up after ten seconds.
    let living = async {
        while world.dns.asked().len() < 400 {
            tokio::task::yield_now().await;
        }
        timeout(Duration::from_secs(9), world.route("a.example")).await
    };
    tokio::select! {
        biased;
        _ = dead => panic!("the dead were answered first"),
        route = living => assert!(matches!(route, Ok(Ok(_))), "{route:?}"),
    }
}

#[tokio::test]
async fn three_thousand_domains_at_one_time_have_their_routes() {
    let mut zone = Zone::new();
    for number in 0..3_000 {
        let host = format!("mx.d{number}.example");
        zone.mx(&format!("d{number}.example"), 10, &host)
            .a(&host, public(1));
    }
    let world = World::patient(zone);
    let routes = (0..3_000).map(|number| {
        let mx = world.mx.clone();
        async move { mx.route(&format!("d{number}.example")).await }
    });
    let routes = join_all(routes).await;
    let failed: Vec<_> = routes.into_iter().filter_map(Result::err).collect();
    assert!(
        failed.is_empty(),
        "{} of 3000: {:?}",
        failed.len(),
        failed.first()
    );
}

#[tokio::test]
async fn domains_without_an_answer_do_not_hold_up_others() {
    let mut zone = Zone::new();
    for number in 0..100 {
        zone.fault(&format!("dead{number}.example"), Fault::Silence);
    }
    zone.mx("a.example", 10, "mx.example")
        .a("mx.example", public(1));
    let world = World::new(zone);
    let dead = join_all((0..100).map(|number| {
        let mx = world.mx.clone();
        async move { mx.route(&format!("dead{number}.example")).await }
    }));
    tokio::select! {
        biased;
        _ = dead => panic!("the dead were answered first"),
        route = world.route("a.example") => assert!(route.is_ok()),
    }
}
