//! The OpenSPF suite for RFC 7208: each of its scenarios has a name server of its own, and every
//! test calls the function that a session calls.

use std::time::Duration;

use gatepost_authentication::spf::{SpfClient, SpfIdentity, check};
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use test_support::suites::openspf::Scenario;
use test_support::{DnsServer, Zone};

/// Returns the tests with another result than the suite expects, with the fact that was found.
async fn differing(scenario: &Scenario, zone: Zone) -> Vec<String> {
    let server = DnsServer::start(zone);
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        // Long enough for a busy machine, short enough for the names that never answer.
        timeout: Duration::from_secs(1),
        attempts: 1,
        ..ResolverSettings::default()
    };
    let dns = Resolver::new(&settings).unwrap_or_else(|error| panic!("{error}"));
    let mut differing = Vec::new();
    for (name, case) in &scenario.tests {
        let client = SpfClient {
            address: case.host,
            helo: &case.helo,
            receiver: "mx.receiver.example",
        };
        let identity = SpfIdentity::MailFrom(&case.mailfrom);
        let fact = check(&dns, &client, identity, Duration::from_secs(20)).await;
        let right = case.allows(fact.result.word()) && case.explains(fact.reason.as_deref());
        if !right {
            differing.push(format!("{}: {name}: {fact:?}", scenario.description));
        }
    }
    differing
}

#[tokio::test(flavor = "multi_thread")]
async fn every_test_has_the_result_and_explanation_of_the_suite() {
    let Some(scenarios) = Scenario::all() else {
        return;
    };
    let run = |scenario: Scenario| async move { differing(&scenario, scenario.zone()).await };
    let running: Vec<_> = scenarios
        .into_iter()
        .map(|one| tokio::spawn(run(one)))
        .collect();
    let mut all = Vec::new();
    for one in running {
        all.extend(one.await.expect("a scenario ends"));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// Shows that the test above can fail: without one letter of the version, a text is no SPF record,
/// and every test about the content of a record has another result.
#[tokio::test(flavor = "multi_thread")]
async fn tests_with_altered_records_have_other_results() {
    let Some(scenarios) = Scenario::all() else {
        return;
    };
    let run = |scenario: Scenario| async move {
        let about_records = scenario
            .tests
            .values()
            .filter(|case| case.is_about_a_record());
        let about_records = about_records.count();
        let altered = scenario.altered();
        let differing = differing(&altered, altered.zone()).await.len();
        (altered.description, differing, about_records)
    };
    let running: Vec<_> = scenarios
        .into_iter()
        .map(|one| tokio::spawn(run(one)))
        .collect();
    for one in running {
        let (description, differing, about_records) = one.await.expect("a scenario ends");
        assert!(
            differing >= about_records,
            "{description}: {differing} of {about_records}"
        );
    }
}
