//! chasquid's DKIM test data.

use gatepost_authentication::{Authentication, DkimFact, Limits, PartialBody, Settings};
use test_support::suites::chasquid::{Case, SIGNATURES, state};

use crate::world::{World, other_body, other_key};

/// Returns chasquid's settings: its number of signatures, of which those of a part of the body may
/// pass.
fn chasquid_settings() -> Settings {
    Settings {
        limits: Limits {
            signatures: SIGNATURES,
            ..Limits::default()
        },
        partial_body: PartialBody::Accept,
        ..Settings::default()
    }
}

#[test]
fn every_signature_has_the_state_of_the_suite() {
    let Some(cases) = Case::all() else { return };
    assert_eq!(cases.len(), 11);
    for case in cases {
        let world = World::of(case.zone(str::to_owned));
        let facts = world.facts(&case.message, &chasquid_settings());
        let states = facts.dkim.iter().map(|one| state(one.result.word()));
        let states: Vec<_> = states.collect();
        assert_eq!(states, case.expected, "{}: {:?}", case.name, facts.dkim);
    }
}

#[test]
fn no_signature_passes_with_a_changed_body_or_key() {
    let Some(cases) = Case::all() else { return };
    for case in cases {
        let world = World::of(case.zone(str::to_owned));
        let other = world.facts(&other_body(&case.message), &chasquid_settings());
        let passes = |one: &DkimFact| one.result == Authentication::Pass;
        assert!(!other.dkim.iter().any(passes), "{}: body", case.name);
        let forged = World::of(case.zone(other_key));
        let other = forged.facts(&case.message, &chasquid_settings());
        assert!(!other.dkim.iter().any(passes), "{}: key", case.name);
    }
}

/// Differs from the suite, which lets this signature pass.
#[test]
fn a_signature_of_a_part_of_the_body_is_policy_by_default() {
    let Some(cases) = Case::all() else { return };
    let limited = |case: &&Case| case.name.contains("limited_body");
    let case = cases.iter().find(limited).expect("the case");
    let world = World::of(case.zone(str::to_owned));
    let facts = world.facts(&case.message, &Settings::default());
    assert_eq!(facts.dkim[0].result, Authentication::Policy);
    assert_eq!(
        facts.dkim[0].reason.as_deref(),
        Some("only 17 of 54 octets of the body are signed (l=)")
    );
}
