//! Bounds of an SPF check, whatever a stranger's records contain.

mod memory;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use gatepost_authentication::spf::{SpfClient, SpfIdentity, check};
use gatepost_authentication::{Authentication, SpfFact};
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use memory::InMemory;
use proptest::prelude::*;
use test_support::zone::{Fault, RecordType};
use test_support::{DnsServer, Zone};

const CLIENT: SpfClient<'static> = SpfClient {
    address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    helo: "client.example",
    receiver: "mx.example.net",
};
const LONG: Duration = Duration::from_secs(20);

fn resolver(server: &DnsServer) -> Resolver {
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        timeout: Duration::from_secs(5),
        ..ResolverSettings::default()
    };
    Resolver::new(&settings).unwrap_or_else(|error| panic!("{error}"))
}

async fn check_sender(server: &DnsServer, within: Duration) -> SpfFact {
    let identity = SpfIdentity::MailFrom("a@bomb.example");
    check(&resolver(server), &CLIENT, identity, within).await
}

#[tokio::test]
async fn an_include_bomb_ends_after_ten_terms() {
    let mut zone = Zone::new();
    zone.txt(
        "bomb.example",
        "v=spf1 include:0.a.example include:0.b.example -all",
    );
    for level in 0..20 {
        for side in ["a", "b"] {
            let next = level + 1;
            let both = format!("v=spf1 include:{next}.a.example include:{next}.b.example -all");
            zone.txt(&format!("{level}.{side}.example"), both);
        }
    }
    let server = DnsServer::start(zone);
    let fact = check_sender(&server, LONG).await;
    assert_eq!(fact.result, Authentication::Permerror);
    assert_eq!(
        fact.reason.as_deref(),
        Some("more than 10 terms that ask the DNS")
    );
    assert_eq!(server.asked().len(), 11);
}

#[tokio::test]
async fn each_mx_term_asks_about_ten_exchanges_at_most() {
    let mut zone = Zone::new();
    let terms: Vec<String> = (0..10)
        .map(|term| format!("mx:{term}.bomb.example"))
        .collect();
    zone.txt("bomb.example", format!("v=spf1 {} -all", terms.join(" ")));
    for term in 0..10 {
        for exchange in 0..10 {
            let name = format!("{exchange}.{term}.example");
            zone.mx(&format!("{term}.bomb.example"), exchange, &name);
            zone.a(&name, Ipv4Addr::new(203, 0, 113, 1));
        }
    }
    let server = DnsServer::start(zone);
    let fact = check_sender(&server, LONG).await;
    assert_eq!(fact.result, Authentication::Fail);
    assert_eq!(server.asked().len(), 1 + 10 + 100);
}

#[tokio::test]
async fn the_third_void_look_up_is_a_permanent_error() {
    let mut zone = Zone::new();
    zone.txt(
        "bomb.example",
        "v=spf1 a:1.void.example a:2.void.example a:3.void.example a:4.void.example",
    );
    let server = DnsServer::start(zone);
    let fact = check_sender(&server, LONG).await;
    assert_eq!(fact.result, Authentication::Permerror);
    assert_eq!(fact.reason.as_deref(), Some("more than 2 void look-ups"));
    assert_eq!(server.asked().len(), 1 + 3);
}

#[tokio::test]
async fn at_most_ten_names_of_a_client_are_looked_up() {
    let mut zone = Zone::new();
    zone.txt("bomb.example", "v=spf1 ptr exists:%{p}.example -all");
    for number in 0..50 {
        let name = format!("{number}.bomb.example");
        zone.ptr(CLIENT.address, &name)
            .a(&name, Ipv4Addr::new(203, 0, 113, 1));
    }
    let server = DnsServer::start(zone);
    let fact = check_sender(&server, LONG).await;
    assert_eq!(fact.result, Authentication::Fail);
    // The record, the PTR records, ten of their names, and `unknown.example`.
    assert_eq!(server.asked().len(), 1 + 1 + 10 + 1);
    assert_eq!(server.asked_for("unknown.example", RecordType::A), 1);
}

#[tokio::test]
async fn a_silent_name_server_is_a_temporary_error_in_time() {
    let mut zone = Zone::new();
    zone.fault("bomb.example", Fault::Silence);
    let server = DnsServer::start(zone);
    let begun = Instant::now();
    let fact = check_sender(&server, Duration::from_millis(200)).await;
    assert_eq!(fact.result, Authentication::Temperror);
    assert_eq!(fact.domain, "bomb.example");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_fail_does_not_wait_for_its_explanation() {
    let mut zone = Zone::new();
    zone.txt("bomb.example", "v=spf1 -all exp=why.example")
        .fault("why.example", Fault::Silence);
    let server = DnsServer::start(zone);
    let fact = check_sender(&server, Duration::from_secs(2)).await;
    assert_eq!((fact.result, fact.reason), (Authentication::Fail, None));
    assert_eq!(server.asked_for("bomb.example", RecordType::TXT), 1);
}

#[tokio::test]
async fn a_failure_of_the_dns_is_a_temporary_error() {
    for fault in [Fault::ServFail, Fault::Garbage] {
        let mut zone = Zone::new();
        zone.txt("bomb.example", "v=spf1 a:broken.example +all")
            .fault("broken.example", fault);
        let server = DnsServer::start(zone);
        let fact = check_sender(&server, Duration::from_secs(2)).await;
        assert_eq!(fact.result, Authentication::Temperror, "{fault:?}");
    }
}

#[tokio::test]
async fn an_explanation_with_a_line_end_is_left_out() {
    let mut zone = Zone::new();
    zone.txt("bomb.example", "v=spf1 -all exp=why.example")
        .txt("why.example", "no %{h} here");
    let dns = InMemory::new(zone);
    let client = SpfClient {
        helo: "evil\r\n250 ok",
        ..CLIENT
    };
    let identity = SpfIdentity::MailFrom("a@bomb.example");
    let fact = check(&dns, &client, identity, LONG).await;
    assert_eq!((fact.result, fact.reason), (Authentication::Fail, None));
}

#[tokio::test]
async fn each_identity_is_checked_with_its_own_domain() {
    let mut zone = Zone::new();
    zone.txt("client.example", "v=spf1 ip4:192.0.2.1 -all")
        .txt("xn--bcher-kva.example", "v=spf1 ~all");
    let dns = InMemory::new(zone);
    for (identity, result, domain) in [
        (SpfIdentity::Helo, Authentication::Pass, "client.example"),
        (
            SpfIdentity::MailFrom(""),
            Authentication::Pass,
            "client.example",
        ),
        (
            SpfIdentity::MailFrom("a@Bücher.Example"),
            Authentication::Softfail,
            "xn--bcher-kva.example",
        ),
        (
            SpfIdentity::MailFrom("a@none.example"),
            Authentication::None,
            "none.example",
        ),
        (
            SpfIdentity::MailFrom("a@[192.0.2.1]"),
            Authentication::None,
            "",
        ),
        (
            SpfIdentity::MailFrom("postmaster"),
            Authentication::None,
            "",
        ),
    ] {
        let fact = check(&dns, &CLIENT, identity, LONG).await;
        assert_eq!((fact.result, fact.domain.as_str()), (result, domain));
    }
}

proptest! {
    /// Checks records of every kind that refer to one another at random.
    #[test]
    fn any_records_end_within_the_limits(
        records in prop::collection::vec(
            "v=spf1( [+?~-]?(include:[0-5][.]example|redirect=[0-5][.]example|\
             a:%[{][dlip]r?[}][.]example|mx:[0-5][.]example|ptr|exists:%[{]p[}][.]example|a/8|\
             ip4:192[.]0[.]2[.]0/24|exp=[0-5][.]example|all|[!-~]{1,9})){0,8}",
            6,
        ),
        local in "\\PC{0,12}",
    ) {
        let mut zone = Zone::new();
        for (number, record) in records.iter().enumerate() {
            let name = format!("{number}.example");
            zone.txt(&name, record).mx(&name, 1, &name).ptr(CLIENT.address, &name);
        }
        let dns = InMemory::new(zone);
        let sender = format!("{local}@0.example");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let fact = runtime.block_on(check(&dns, &CLIENT, SpfIdentity::MailFrom(&sender), LONG));
        prop_assert_eq!(fact.domain, "0.example");
        // Ten terms, each with its exchanges or names; the first record and the explanation.
        prop_assert!(dns.asked() <= 10 * 11 + 2 + 11);
    }
}
