//! SPF by the OpenSPF suite for RFC 7208: each of its scenarios has a name server of its own, and
//! every test goes through the function that a session calls.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use gatepost_authentication::spf::{SpfClient, SpfIdentity, check};
use gatepost_authentication::{NameServer, Resolver, ResolverSettings, SpfFact};
use serde::Deserialize;
use test_support::zone::{Fault, RecordType};
use test_support::{DnsServer, Zone, conformance};

const TESTS: usize = 203;
const SCENARIOS: usize = 16;

/// One document of the suite.
#[derive(Debug, Clone, Deserialize)]
struct Scenario {
    description: String,
    tests: BTreeMap<String, Case>,
    zonedata: BTreeMap<String, Vec<Entry>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Case {
    helo: String,
    host: IpAddr,
    mailfrom: String,
    result: OneOf,
    explanation: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOf {
    This(String),
    AnyOf(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Entry {
    Records(BTreeMap<String, Value>),
    /// `TIMEOUT`: no reply for whatever type has no records.
    Timeout(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Value {
    Mx(u16, String),
    Strings(Vec<String>),
    One(String),
}

impl Scenario {
    fn all() -> Option<Vec<Self>> {
        let file = conformance("spf-openspf")?.join("rfc7208-tests.yml");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file:?}: {e}"));
        let all: Vec<Self> = serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(all.len(), SCENARIOS);
        assert_eq!(all.iter().map(|one| one.tests.len()).sum::<usize>(), TESTS);
        Some(all)
    }

    fn zone(&self) -> Zone {
        let mut zone = Zone::new();
        for (name, entries) in &self.zonedata {
            serve(&mut zone, name, entries);
        }
        zone
    }

    /// The same, with a letter of each record's version changed.
    fn altered(mut self) -> Self {
        let alter = |text: &mut String| {
            if let Some(version) = text
                .get_mut(..6)
                .filter(|v| v.eq_ignore_ascii_case("v=spf1"))
            {
                version.make_ascii_lowercase();
                *text = text.replacen("v=spf1", "v=spg1", 1);
            }
        };
        for entry in self.zonedata.values_mut().flatten() {
            if let Entry::Records(records) = entry {
                for value in records.values_mut() {
                    match value {
                        Value::One(text) => alter(text),
                        Value::Strings(strings) => strings.iter_mut().for_each(alter),
                        Value::Mx(..) => {}
                    }
                }
            }
        }
        self
    }

    /// The tests whose result is another than the suite's, with what was found.
    async fn differing(&self, zone: Zone) -> Vec<String> {
        let server = DnsServer::start(zone);
        let settings = ResolverSettings {
            servers: vec![NameServer(server.address())],
            // Long for a busy machine, short for the names that never answer.
            timeout: Duration::from_secs(1),
            attempts: 1,
            ..ResolverSettings::default()
        };
        let dns = Resolver::new(&settings).unwrap_or_else(|error| panic!("{error}"));
        let mut differing = Vec::new();
        for (name, case) in &self.tests {
            let client = SpfClient {
                address: case.host,
                helo: &case.helo,
                receiver: "mx.receiver.example",
            };
            let identity = SpfIdentity::MailFrom(&case.mailfrom);
            let fact = check(&dns, &client, identity, Duration::from_secs(20)).await;
            if !case.allows(&fact) {
                differing.push(format!("{}: {name}: {fact:?}", self.description));
            }
        }
        differing
    }
}

impl Case {
    /// Whether its result takes a record: all but these two do.
    fn is_about_a_record(&self) -> bool {
        let without = |result: &String| result == "none" || result == "temperror";
        match &self.result {
            OneOf::This(only) => !without(only),
            OneOf::AnyOf(some) => !some.iter().any(without),
        }
    }

    fn allows(&self, fact: &SpfFact) -> bool {
        let result = format!("{:?}", fact.result).to_lowercase();
        let result = match &self.result {
            OneOf::This(only) => *only == result,
            OneOf::AnyOf(some) => some.contains(&result),
        };
        let explanation = match self.explanation.as_deref() {
            None => true,
            Some("DEFAULT") => fact.reason.is_none(),
            Some(text) => fact.reason.as_deref() == Some(text),
        };
        result && explanation
    }
}

/// Writes down what the suite says of a name (its ORIGIN.md tells how it is read).
fn serve(zone: &mut Zone, name: &str, entries: &[Entry]) {
    zone.exists(name);
    let records = || {
        entries.iter().flat_map(|entry| match entry {
            Entry::Records(records) => records.iter().collect::<Vec<_>>(),
            Entry::Timeout(_) => Vec::new(),
        })
    };
    // Records of the old type SPF stand for TXT where no TXT is said to be, not even `NONE`.
    let text = if records().any(|(kind, _)| kind == "TXT") {
        "TXT"
    } else {
        "SPF"
    };
    let mut silent = entries.iter().any(|entry| match entry {
        Entry::Timeout(word) => word == "TIMEOUT",
        Entry::Records(_) => false,
    });
    let mut said = Vec::new();
    for (kind, value) in records() {
        let kind = match (kind.as_str(), value) {
            (_, Value::One(word)) if word == "NONE" => continue,
            (_, Value::One(word)) if word == "TIMEOUT" => {
                silent = true;
                continue;
            }
            ("A", Value::One(address)) => {
                zone.a(name, address.parse::<Ipv4Addr>().expect("an address"));
                RecordType::A
            }
            ("AAAA", Value::One(address)) => {
                zone.aaaa(name, address.parse::<Ipv6Addr>().expect("an address"));
                RecordType::AAAA
            }
            ("MX", Value::Mx(preference, exchange)) => {
                zone.mx(name, *preference, exchange);
                RecordType::MX
            }
            ("PTR", Value::One(target)) => {
                zone.ptr_at(name, target);
                RecordType::PTR
            }
            ("CNAME", Value::One(target)) => {
                zone.cname(name, target);
                RecordType::CNAME
            }
            (kind, Value::One(string)) if kind == text => {
                zone.txt(name, octets(string));
                RecordType::TXT
            }
            (kind, Value::Strings(strings)) if kind == text => {
                let strings: Vec<Vec<u8>> = strings.iter().map(|string| octets(string)).collect();
                let strings: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
                zone.txt_strings(name, &strings);
                RecordType::TXT
            }
            ("SPF" | "TXT", _) => continue,
            other => panic!("{name}: {other:?}"),
        };
        said.push(kind);
    }
    if silent {
        use RecordType::{A, AAAA, MX, PTR, TXT};
        for kind in [A, AAAA, MX, PTR, TXT] {
            if !said.contains(&kind) {
                zone.fault_of(name, kind, Fault::Silence);
            }
        }
    }
}

/// The suite writes octets as the characters of that number.
fn octets(text: &str) -> Vec<u8> {
    let octet = |c| u8::try_from(u32::from(c)).expect("an octet");
    text.chars().map(octet).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_test_of_the_suite_has_its_result_and_its_explanation() {
    let Some(scenarios) = Scenario::all() else {
        return;
    };
    let run = |scenario: Scenario| async move { scenario.differing(scenario.zone()).await };
    let running: Vec<_> = scenarios
        .into_iter()
        .map(|one| tokio::spawn(run(one)))
        .collect();
    let mut differing = Vec::new();
    for one in running {
        differing.extend(one.await.expect("a scenario ends"));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// That the test above can fail: without a letter of their versions, the records are none, and
/// every test that is about what they say has another result.
#[tokio::test(flavor = "multi_thread")]
async fn altered_records_have_other_results() {
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
        let differing = altered.differing(altered.zone()).await.len();
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
