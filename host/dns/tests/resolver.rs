//! The resolver with a name server that gives every kind of answer.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use gatepost_dns::{Dns, Found, MailExchange, NameServer, Resolver, ResolverSettings};
use test_support::zone::{Fault, RecordType};
use test_support::{DnsServer, Zone};

fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.a("mail.example", Ipv4Addr::new(192, 0, 2, 1))
        .mx("example", 20, "second.example")
        .mx("example", 10, "First.Example")
        .mx("null.example", 0, "")
        .txt_strings("txt.example", &[b"v=spf1 \xff", b"\x00-all"])
        .txt("long.example", "x".repeat(5000))
        .ptr(IpAddr::from([192, 0, 2, 1]), "Mail.Example")
        .cname("alias.example", "mail.example")
        .cname("nowhere.example", "gone.example")
        .cname("loop.example", "loop.example")
        .fault("broken.example", Fault::ServFail)
        .fault("garbage.example", Fault::Garbage)
        .fault("silent.example", Fault::Silence);
    zone
}

#[expect(clippy::unwrap_used)]
fn resolver(server: &DnsServer) -> Resolver {
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        timeout: Duration::from_millis(300),
        ..ResolverSettings::default()
    };
    Resolver::new(&settings).unwrap()
}

fn records<T: Clone + std::fmt::Debug>(found: Found<T>) -> Vec<T> {
    assert!(matches!(found, Found::Records(_)), "{found:?}");
    found.records().to_vec()
}

#[tokio::test]
async fn records_are_returned_as_published() {
    let server = DnsServer::start(zone());
    let dns = resolver(&server);
    let addresses = records(dns.a("Mail.Example.").await.unwrap());
    assert_eq!(addresses, [Ipv4Addr::new(192, 0, 2, 1)]);
    let mx = |preference, host: &str| MailExchange {
        preference,
        host: host.to_owned(),
    };
    let exchanges = records(dns.mx("example").await.unwrap());
    let published = [mx(10, "first.example"), mx(20, "second.example")];
    assert_eq!(exchanges, published);
    assert_eq!(records(dns.mx("null.example").await.unwrap()), [mx(0, "")]);
    let texts = records(dns.txt("txt.example").await.unwrap());
    assert_eq!(texts, [Box::from(b"v=spf1 \xff\x00-all".as_slice())]);
    let names = dns.ptr(IpAddr::from([192, 0, 2, 1])).await.unwrap();
    assert_eq!(records(names), ["mail.example"]);
}

#[tokio::test]
async fn a_long_answer_comes_over_tcp() {
    let server = DnsServer::start(zone());
    let texts = records(resolver(&server).txt("long.example").await.unwrap());
    assert_eq!(texts, [Box::from("x".repeat(5000).as_bytes())]);
    assert!(server.asked().iter().any(|question| question.tcp));
}

#[tokio::test]
async fn a_missing_record_and_a_missing_name_are_told_apart() {
    let server = DnsServer::start(zone());
    let dns = resolver(&server);
    assert_eq!(dns.aaaa("mail.example").await, Ok(Found::NoData));
    assert_eq!(dns.aaaa("gone.example").await, Ok(Found::NoName));
    // The cache tells them apart, too.
    assert_eq!(dns.aaaa("mail.example").await, Ok(Found::NoData));
    assert_eq!(dns.aaaa("gone.example").await, Ok(Found::NoName));
    assert_eq!(server.asked_for("mail.example", RecordType::AAAA), 1);
    assert_eq!(server.asked_for("gone.example", RecordType::AAAA), 1);
}

#[tokio::test]
async fn a_name_that_cannot_exist_is_not_asked_about() {
    let server = DnsServer::start(zone());
    let dns = resolver(&server);
    for name in ["a..example", &format!("{}.example", "a".repeat(64))] {
        assert_eq!(dns.a(name).await, Ok(Found::NoName));
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn aliases_are_followed() {
    let server = DnsServer::start(zone());
    let dns = resolver(&server);
    let addresses = records(dns.a("alias.example").await.unwrap());
    assert_eq!(addresses, [Ipv4Addr::new(192, 0, 2, 1)]);
    assert_eq!(dns.aaaa("alias.example").await, Ok(Found::NoData));
    assert_eq!(dns.a("nowhere.example").await, Ok(Found::NoName));
    assert!(dns.a("loop.example").await.is_err());
}

#[tokio::test]
async fn an_answer_is_cached_and_a_failure_is_not() {
    let server = DnsServer::start(zone());
    let dns = resolver(&server);
    for _ in 0..3 {
        dns.a("mail.example").await.unwrap();
    }
    assert_eq!(server.asked_for("mail.example", RecordType::A), 1);

    assert!(dns.a("broken.example").await.is_err());
    let mended = Ipv4Addr::new(192, 0, 2, 2);
    server
        .zone()
        .forget("broken.example")
        .a("broken.example", mended);
    assert_eq!(records(dns.a("broken.example").await.unwrap()), [mended]);
}

#[tokio::test]
async fn an_answer_without_a_ttl_is_cached_for_a_moment() {
    let mut zone = zone();
    zone.set_ttl(0);
    let server = DnsServer::start(zone);
    let dns = resolver(&server);
    for _ in 0..3 {
        dns.a("mail.example").await.unwrap();
        assert_eq!(dns.a("gone.example").await, Ok(Found::NoName));
    }
    assert_eq!(server.asked_for("mail.example", RecordType::A), 1);
    assert_eq!(server.asked_for("gone.example", RecordType::A), 1);
}

#[tokio::test]
async fn a_question_without_a_usable_answer_is_unavailable_in_time() {
    let server = DnsServer::start(zone());
    let dns = resolver(&server);
    for name in ["broken.example", "garbage.example", "silent.example"] {
        let begun = Instant::now();
        let unavailable = dns.a(name).await.unwrap_err();
        assert_eq!(unavailable.name, name);
        // Two attempts of 300 ms; the rest is for a busy machine.
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}");
        let asked = server.asked_for(name, RecordType::A);
        assert!((1..=8).contains(&asked), "{name}: {asked} queries");
    }
}

#[tokio::test]
async fn a_question_to_an_unreachable_server_is_unavailable() {
    let address = DnsServer::start(Zone::new()).address();
    let settings = ResolverSettings {
        servers: vec![NameServer(address)],
        timeout: Duration::from_millis(300),
        ..ResolverSettings::default()
    };
    let dns = Resolver::new(&settings).unwrap();
    assert!(dns.a("mail.example").await.is_err());
}

#[tokio::test]
async fn the_number_of_open_questions_is_bounded() {
    for (concurrent, asked_meanwhile) in [(1, 0), (2, 1)] {
        let server = DnsServer::start(zone());
        let settings = ResolverSettings {
            servers: vec![NameServer(server.address())],
            timeout: Duration::from_secs(2),
            attempts: 1,
            concurrent,
            ..ResolverSettings::default()
        };
        let dns = Resolver::new(&settings).unwrap();
        let asked = || server.asked_for("mail.example", RecordType::A);
        // The first question keeps its permit until its time is over. The count is read then,
        // before the other question can get the permit.
        let first = async {
            assert!(dns.a("silent.example").await.is_err());
            assert_eq!(asked(), asked_meanwhile, "{concurrent} at once");
        };
        // The other question may then still be answered, or its own time may be over.
        let (_, _other) = tokio::join!(first, dns.a("mail.example"));
    }
}

#[tokio::test]
async fn resolvers_beside_each_other_share_answers_and_no_permits() {
    let server = DnsServer::start(zone());
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        timeout: Duration::from_secs(2),
        attempts: 1,
        concurrent: 1,
        ..ResolverSettings::default()
    };
    let dns = Resolver::new(&settings).unwrap();
    let beside = dns.beside(1);
    // The answer arrives while the only permit of the other is taken.
    tokio::select! {
        biased;
        _ = dns.a("silent.example") => panic!("the silent server answers"),
        answer = beside.a("mail.example") => assert!(answer.is_ok()),
    }
    dns.a("mail.example").await.unwrap();
    assert_eq!(server.asked_for("mail.example", RecordType::A), 1);
}

#[tokio::test]
async fn special_names_are_answered_without_a_question() {
    let server = DnsServer::start(zone());
    let dns = resolver(&server);
    let names = dns.ptr(IpAddr::from([127, 0, 0, 1])).await.unwrap();
    assert_eq!(records(names), ["localhost"]);
    assert_eq!(dns.a("a.invalid").await, Ok(Found::NoName));
    assert!(server.asked().is_empty());
}
