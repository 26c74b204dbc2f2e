//! Counts of the look-ups that a record may cause, beside what a check does with the same records.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod memory;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use gatepost_authentication::Authentication;
use gatepost_authentication::spf::{SpfClient, SpfIdentity, SpfSurvey, check, survey};
use memory::InMemory;
use proptest::prelude::*;
use test_support::Zone;
use test_support::zone::Fault;

async fn count(zone: Zone) -> SpfSurvey {
    survey(&InMemory::new(zone), "a.example").await.unwrap()
}

fn zone(record: &str) -> Zone {
    let mut zone = Zone::new();
    zone.txt("a.example", record);
    zone
}

#[tokio::test]
async fn only_terms_that_ask_are_counted_and_none_behind_all() {
    let mut zone =
        zone("v=spf1 ip4:192.0.2.1 a mx ptr exists:e.example ip6:::1 ~all include:x.example");
    zone.a("a.example", Ipv4Addr::new(192, 0, 2, 7));
    zone.mx("a.example", 10, "mx.a.example");
    zone.a("e.example", Ipv4Addr::LOCALHOST);
    let counted = count(zone).await;
    assert_eq!((counted.terms, counted.void), (4, [0, 1]));
    assert_eq!(counted.domains, ["a.example"]);
    assert!(counted.faults.is_empty() && counted.is_within_limits());
}

#[tokio::test]
async fn included_and_redirected_records_count_each_time() {
    let mut zone = zone("v=spf1 include:b.example include:b.example redirect=c.example");
    zone.txt("b.example", "v=spf1 include:d.example -all");
    zone.txt("c.example", "v=spf1 include:%{d1r}.example -all");
    zone.txt("d.example", "v=spf1 ip4:192.0.2.1 -all");
    let counted = count(zone).await;
    assert_eq!(counted.terms, 6);
    let domains = ["a", "b", "d", "b", "d", "c"].map(|label| format!("{label}.example"));
    assert_eq!(counted.domains[..6], domains);
}

#[tokio::test]
async fn more_than_ten_are_counted_to_the_last() {
    let mut record = "v=spf1".to_owned();
    let mut zone = Zone::new();
    for number in 0..11 {
        record += &format!(" include:{number}.example");
        zone.txt(&format!("{number}.example"), "v=spf1 a:host.example -all");
    }
    zone.txt("a.example", record + " -all");
    zone.a("host.example", Ipv4Addr::LOCALHOST);
    let counted = count(zone).await;
    assert_eq!((counted.terms, counted.is_cut), (22, false));
    // The name has no AAAA record.
    assert_eq!(counted.void, [0, 11]);
    assert!(!counted.is_within_limits());
}

#[tokio::test]
async fn void_look_ups_are_counted_by_family() {
    let mut zone =
        zone("v=spf1 a:gone.example mx:gone.example exists:gone.example a:six.example -all");
    zone.aaaa("six.example", std::net::Ipv6Addr::LOCALHOST);
    let counted = count(zone).await;
    assert_eq!((counted.terms, counted.void), (4, [4, 3]));
    assert!(!counted.is_within_limits());
}

#[tokio::test]
async fn a_loop_ends_and_is_named() {
    let mut zone = zone("v=spf1 include:b.example -all");
    zone.txt("b.example", "v=spf1 include:A.example -all");
    let counted = count(zone).await;
    assert_eq!(
        counted.faults,
        ["a loop: a.example -> b.example -> a.example"]
    );
    assert_eq!(counted.terms, 2);
}

#[tokio::test]
async fn faults_of_included_records_are_named() {
    let mut zone = zone("v=spf1 include:none.example include:two.example include:bad.example -all");
    zone.txt("two.example", "v=spf1 -all")
        .txt("two.example", "v=spf1 ~all");
    zone.txt("bad.example", "v=spf1 ip4:300.0.0.1 -all");
    let counted = count(zone).await;
    assert_eq!(
        counted.faults,
        [
            "none.example has no SPF record, but another refers to it",
            "two.example has several SPF records",
            "bad.example: malformed term ip4:300.0.0.1",
        ]
    );
}

#[tokio::test]
async fn names_made_of_the_client_count_and_are_not_asked_for() {
    let zone =
        zone("v=spf1 exists:%{ir}.%{v}.a.example include:%{l}.b.example a:%{p}.c.example -all");
    let dns = InMemory::new(zone);
    let counted = survey(&dns, "a.example").await.unwrap();
    // The last uses `%{p}`, which is a term more.
    assert_eq!((counted.terms, counted.void), (4, [0, 0]));
    assert_eq!(dns.asked(), 1);
}

#[tokio::test]
async fn a_domain_without_a_record_causes_nothing() {
    assert_eq!(count(Zone::new()).await, SpfSurvey::default());
}

#[tokio::test]
async fn without_an_answer_there_is_no_count() {
    let mut zone = zone("v=spf1 include:b.example -all");
    zone.fault("b.example", Fault::ServFail);
    let unavailable = survey(&InMemory::new(zone), "a.example").await.unwrap_err();
    assert_eq!(unavailable.name, "b.example");
}

#[tokio::test]
async fn a_bomb_of_includes_is_cut() {
    let mut zone = zone("v=spf1 include:0.example include:0.example -all");
    for level in 0..40 {
        let next = level + 1;
        let record = format!("v=spf1 include:{next}.example include:{next}.example -all");
        zone.txt(&format!("{level}.example"), record);
    }
    let dns = InMemory::new(zone);
    let counted = survey(&dns, "a.example").await.unwrap();
    assert!(counted.is_cut && counted.terms == 60, "{counted:?}");
    assert!(dns.asked() <= 61, "{}", dns.asked());
}

/// Records of a small world: `a` to `d`, each with a few terms about the others.
fn world() -> impl Strategy<Value = Vec<String>> {
    let term = prop::sample::select(vec![
        "include:a.example",
        "include:b.example",
        "include:c.example",
        "include:d.example",
        "a:host.example",
        "a:gone.example",
        "mx:gone.example",
        "exists:gone.example",
        "ip4:198.51.100.1",
        "ptr",
        "redirect=d.example",
        "?all",
    ]);
    let record = prop::collection::vec(term, 0..5);
    let record = record.prop_filter_map("one redirect", |terms| {
        let redirects = terms.iter().filter(|term| term.starts_with("redirect"));
        (redirects.count() <= 1).then(|| format!("v=spf1 {}", terms.join(" ")))
    });
    prop::collection::vec(record, 4)
}

proptest! {
    /// A client that nothing names meets every term: its check ends by the limits exactly where
    /// the survey says so, unless another fault ends it.
    #[test]
    fn the_survey_agrees_with_a_check_that_nothing_matches(records in world()) {
        let mut zone = Zone::new();
        for (name, record) in ["a", "b", "c", "d"].iter().zip(&records) {
            zone.txt(&format!("{name}.example"), record);
        }
        zone.a("host.example", Ipv4Addr::new(198, 51, 100, 2));
        // A `ptr` of the client's is no void look-up.
        zone.ptr(IpAddr::from([192, 0, 2, 1]), "client.invalid");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let dns = InMemory::new(zone);
        let (counted, checked) = runtime.block_on(async {
            let client = SpfClient {
                address: [192, 0, 2, 1].into(),
                helo: "client.invalid",
                receiver: "mx.example.net",
            };
            let identity = SpfIdentity::MailFrom("x@a.example");
            let checked = check(&dns, &client, identity, Duration::from_secs(20)).await;
            (survey(&dns, "a.example").await.unwrap(), checked)
        });
        let is_fine = counted.faults.is_empty()
            && counted.terms <= 10
            && counted.void[0] <= 2;
        let passes_limits = checked.result != Authentication::Permerror;
        prop_assert_eq!(is_fine, passes_limits, "{:?} {:?}", counted, checked);
    }
}
