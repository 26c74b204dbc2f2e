//! chasquid's DKIM test data.

use gatepost_authentication::{Authentication, DkimFact, Limits, PartialBody, Settings};
use serde_json::Value;
use test_support::zone::Fault;
use test_support::{Zone, conformance};

use crate::world::{World, crlf, other_body, other_key};

struct Case {
    name: String,
    message: Vec<u8>,
    records: Vec<(String, String)>,
    /// The state of each signature; none for a message that is no message to chasquid.
    expected: Vec<String>,
}

fn suite() -> Option<Vec<Case>> {
    let folder = conformance("dkim-chasquid")?;
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the suite") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "msg") {
            let beside = |extension| std::fs::read_to_string(path.with_extension(extension));
            let result = beside("result").unwrap_or_else(|_| "{}".to_owned());
            let result: Value = serde_json::from_str(&result).expect("JSON");
            cases.push(Case {
                name: path.display().to_string(),
                message: crlf(&beside("msg").expect("the message")),
                records: records(&beside("dns").unwrap_or_default()),
                expected: result["Results"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| one["State"].as_str().unwrap_or_default().to_owned())
                    .collect(),
            });
        }
    }
    Some(cases)
}

fn records(text: &str) -> Vec<(String, String)> {
    text.replace("\\\n", "")
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, text)| (name.trim().to_owned(), text.trim().to_owned()))
        .collect()
}

impl Case {
    fn world(&self, record: impl Fn(&str) -> String) -> World {
        let mut zone = Zone::new();
        for (name, text) in &self.records {
            match text.as_str() {
                "TEMPERROR" => zone.fault(name, Fault::ServFail),
                "PERMERROR" => zone.exists(name),
                text => zone.txt(name, record(text)),
            };
        }
        World::of(zone)
    }
}

/// As chasquid: five signatures, and those of a part of the body count.
fn chasquids() -> Settings {
    Settings {
        limits: Limits {
            signatures: 5,
            ..Limits::default()
        },
        partial_body: PartialBody::Accept,
        ..Settings::default()
    }
}

fn state(fact: &DkimFact) -> &'static str {
    match fact.result {
        Authentication::Pass => "SUCCESS",
        Authentication::TempError => "TEMPFAIL",
        _ => "PERMFAIL",
    }
}

#[test]
fn every_signature_is_in_the_state_that_the_suite_expects() {
    let Some(cases) = suite() else { return };
    assert_eq!(cases.len(), 11);
    for case in cases {
        let facts = case.world(str::to_owned).facts(&case.message, &chasquids());
        let states: Vec<_> = facts.dkim.iter().map(state).collect();
        assert_eq!(states, case.expected, "{}: {:?}", case.name, facts.dkim);
    }
}

#[test]
fn no_signature_passes_over_another_body_or_with_another_key() {
    let Some(cases) = suite() else { return };
    for case in cases {
        let other = case
            .world(str::to_owned)
            .facts(&other_body(&case.message), &chasquids());
        let passes = |one: &DkimFact| one.result == Authentication::Pass;
        assert!(!other.dkim.iter().any(passes), "{}: body", case.name);
        let other = case.world(other_key).facts(&case.message, &chasquids());
        assert!(!other.dkim.iter().any(passes), "{}: key", case.name);
    }
}

/// What the suite lets pass, we do not by default.
#[test]
fn a_signature_of_a_part_of_the_body_is_a_matter_of_policy() {
    let Some(cases) = suite() else { return };
    let limited = |case: &&Case| case.name.contains("limited_body");
    let case = cases.iter().find(limited).expect("the case");
    let facts = case
        .world(str::to_owned)
        .facts(&case.message, &Settings::default());
    assert_eq!(facts.dkim[0].result, Authentication::Policy);
    assert_eq!(
        facts.dkim[0].reason.as_deref(),
        Some("only 17 of 54 octets of the body are signed (l=)")
    );
}
