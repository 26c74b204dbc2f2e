//! Every fixture through the running relay: the reply, what the policies said, and what arrives
//! where.

use test_support::{FixtureRelay, chain_cases};

#[test]
fn every_fixture_is_decided_as_expected_live() {
    let relay = FixtureRelay::start();
    for case in chain_cases() {
        let surprises = relay.send(&case).unwrap().surprises;
        assert!(
            surprises.is_empty(),
            "{}: {}",
            case.name,
            surprises.join("\n")
        );
    }
    relay.leaves_nothing();
}
