//! iprev, with a real name server on loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use gatepost_authentication::{Authentication, IprevFact, iprev};
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use test_support::zone::Fault;
use test_support::{DnsServer, Zone};

const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const REVERSE: &str = "1.2.0.192.in-addr.arpa";

async fn check(server: &DnsServer, address: impl Into<IpAddr>, within: Duration) -> IprevFact {
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        timeout: Duration::from_secs(5),
        ..ResolverSettings::default()
    };
    let dns = Resolver::new(&settings).unwrap_or_else(|error| panic!("{error}"));
    iprev::check(&dns, address.into(), within).await
}

async fn result(zone: &Zone, within: Duration) -> Authentication {
    let server = DnsServer::start(zone.clone());
    check(&server, V4, within).await.result
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_name_that_has_the_address_passes() {
    let mut zone = Zone::new();
    zone.ptr(V4.into(), "gone.example")
        .ptr(V4.into(), "Mail.Example")
        .ptr(V6.into(), "mail.example")
        .a("mail.example", V4)
        .aaaa("mail.example", V6);
    let server = DnsServer::start(zone);
    let expected = IprevFact {
        result: Authentication::Pass,
        name: "mail.example".to_owned(),
    };
    for address in [IpAddr::from(V4), V6.into(), V4.to_ipv6_mapped().into()] {
        assert_eq!(check(&server, address, LONG).await, expected, "{address}");
    }
}

#[tokio::test]
async fn a_name_with_another_address_fails() {
    let mut zone = Zone::new();
    zone.ptr(V4.into(), "mail.example")
        .a("mail.example", Ipv4Addr::new(192, 0, 2, 2));
    assert_eq!(result(&zone, LONG).await, Authentication::Fail);
}

#[tokio::test]
async fn an_address_without_a_name_is_a_permanent_error() {
    let mut zone = Zone::new();
    assert_eq!(result(&zone, LONG).await, Authentication::Permerror);
    zone.exists(REVERSE);
    assert_eq!(result(&zone, LONG).await, Authentication::Permerror);
}

#[tokio::test]
async fn a_look_up_without_an_answer_is_a_temporary_error() {
    let mut reverse = Zone::new();
    reverse.fault(REVERSE, Fault::ServFail);
    assert_eq!(result(&reverse, LONG).await, Authentication::Temperror);

    let mut forward = Zone::new();
    forward
        .ptr(V4.into(), "broken.example")
        .ptr(V4.into(), "other.example")
        .fault("broken.example", Fault::ServFail);
    assert_eq!(result(&forward, LONG).await, Authentication::Temperror);

    let mut silent = Zone::new();
    silent.fault(REVERSE, Fault::Silence);
    let within = Duration::from_millis(200);
    assert_eq!(result(&silent, within).await, Authentication::Temperror);
}

#[tokio::test]
async fn at_most_ten_names_of_an_address_are_looked_up() {
    let mut zone = Zone::new();
    for number in 0..50 {
        zone.ptr(V4.into(), &format!("{number}.example"));
    }
    let server = DnsServer::start(zone);
    assert_eq!(check(&server, V4, LONG).await.result, Authentication::Fail);
    assert_eq!(server.asked().len(), 1 + 10);
}
