//! ValiMail's ARC test suite, its tests of validation.

use std::collections::BTreeMap;

use gatepost_authentication::{ArcFact, Authentication, Settings};
use serde_json::Value;
use test_support::{Zone, conformance};

use crate::world::{World, crlf, other_body, other_key};

struct Scenario {
    records: BTreeMap<String, String>,
    tests: Vec<Test>,
}

struct Test {
    name: String,
    message: Vec<u8>,
    expected: Authentication,
}

fn suite() -> Option<Vec<Scenario>> {
    let file = conformance("arc-valimail")?.join("json/arc-draft-validation-tests.json");
    let text = std::fs::read_to_string(file).expect("the suite");
    let suite: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let scenario = |scenario: &Value| Scenario {
        records: scenario["txt-records"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned()))
            .collect(),
        tests: scenario["tests"]
            .as_object()
            .into_iter()
            .flatten()
            .map(test)
            .collect(),
    };
    Some(suite.iter().map(scenario).collect())
}

fn test((name, test): (&String, &Value)) -> Test {
    let expected = match test["cv"].as_str() {
        Some("Pass") => Authentication::Pass,
        // Three tests have an empty expectation: the chain is there and proves nothing.
        Some("Fail" | "") => Authentication::Fail,
        None | Some("None") => Authentication::None,
        Some(other) => panic!("{name}: cv {other}"),
    };
    Test {
        name: name.clone(),
        message: crlf(test["message"].as_str().unwrap_or_default()),
        expected,
    }
}

impl Scenario {
    fn world(&self, record: impl Fn(&str) -> String) -> World {
        let mut zone = Zone::new();
        for (name, text) in &self.records {
            zone.txt(name, record(text));
        }
        World::of(zone)
    }
}

fn arc(world: &World, message: &[u8]) -> ArcFact {
    world.facts(message, &Settings::default()).arc
}

#[test]
fn every_chain_is_judged_as_the_suite_expects() {
    let Some(scenarios) = suite() else { return };
    let mut right = 0;
    let mut wrong = Vec::new();
    for scenario in &scenarios {
        let world = scenario.world(str::to_owned);
        for test in &scenario.tests {
            let fact = arc(&world, &test.message);
            match fact.result == test.expected {
                true => right += 1,
                false => wrong.push(format!("{}: {:?}, {fact:?}", test.name, test.expected)),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{right} right; wrong:\n{}",
        wrong.join("\n")
    );
    assert_eq!(right, 171);
}

#[test]
fn no_chain_passes_over_another_body_or_with_another_key() {
    let Some(scenarios) = suite() else { return };
    let mut passing = 0;
    for scenario in &scenarios {
        let world = scenario.world(str::to_owned);
        let forged = scenario.world(other_key);
        for test in &scenario.tests {
            if test.expected != Authentication::Pass {
                continue;
            }
            passing += 1;
            let other = arc(&world, &other_body(&test.message));
            assert_ne!(other.result, Authentication::Pass, "{}: body", test.name);
            let other = arc(&forged, &test.message);
            assert_ne!(other.result, Authentication::Pass, "{}: key", test.name);
        }
    }
    assert!(passing > 50, "{passing} pass");
}
