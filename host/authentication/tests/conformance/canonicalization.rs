//! flanker's canonicalisation vectors.

use gatepost_authentication::{Authentication, Settings};
use test_support::suites::flanker::{DOMAIN, Vector};
use test_support::{Signer, Zone};

use crate::world::World;

#[test]
fn every_canonical_form_is_that_of_the_suite() {
    let Some(vectors) = Vector::all() else {
        return;
    };
    let signer = Signer::new();
    let mut zone = Zone::new();
    signer.publish(&mut zone, DOMAIN);
    let world = World::of(zone);
    assert_eq!(vectors.len(), 42);
    for vector in vectors {
        let about = format!("{} {}", vector.number, vector.way);
        let facts = world.facts(&vector.signed(&signer), &Settings::default());
        let result = facts.dkim[0].result;
        assert_eq!(result, Authentication::Pass, "{about}: {facts:?}");
        let facts = world.facts(&vector.signed_otherwise(&signer), &Settings::default());
        assert_eq!(facts.dkim[0].result, Authentication::Fail, "{about}");
    }
}
