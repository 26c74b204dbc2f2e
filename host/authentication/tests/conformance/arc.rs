//! The validation tests of ValiMail's ARC suite.

use gatepost_authentication::{ArcFact, Authentication, Settings};
use test_support::suites::valimail::Scenario;

use crate::world::{World, other_body, other_key};

fn arc(world: &World, message: &[u8]) -> ArcFact {
    world.facts(message, &Settings::default()).arc
}

#[test]
fn every_chain_has_the_result_of_the_suite() {
    let Some(scenarios) = Scenario::all() else {
        return;
    };
    let mut right = 0;
    let mut wrong = Vec::new();
    for scenario in &scenarios {
        let world = World::of(scenario.zone(str::to_owned));
        for test in &scenario.tests {
            let fact = arc(&world, &test.message);
            match fact.result.word() == test.expected {
                true => right += 1,
                false => wrong.push(format!("{}: {}, {fact:?}", test.name, test.expected)),
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
fn no_chain_passes_with_a_changed_body_or_key() {
    let Some(scenarios) = Scenario::all() else {
        return;
    };
    let mut passing = 0;
    for scenario in &scenarios {
        let world = World::of(scenario.zone(str::to_owned));
        let forged = World::of(scenario.zone(other_key));
        for test in scenario.tests.iter().filter(|test| test.expected == "pass") {
            passing += 1;
            let other = arc(&world, &other_body(&test.message));
            assert_ne!(other.result, Authentication::Pass, "{}: body", test.name);
            let other = arc(&forged, &test.message);
            assert_ne!(other.result, Authentication::Pass, "{}: key", test.name);
        }
    }
    assert!(passing > 50, "{passing} pass");
}
