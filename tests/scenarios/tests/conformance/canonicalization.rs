//! flanker: signatures over folded fields, trailing white space and empty bodies pass.

use test_support::suites::flanker::{DOMAIN, Vector};
use test_support::{Signer, Zone};

use crate::{NOBODY, Site};

/// Numbers of messages, of those that SMTP can carry: without a bare CR.
const SAMPLE: [usize; 6] = [2, 5, 10, 12, 19, 22];

#[test]
fn the_octets_that_were_signed_are_those_that_are_verified() {
    let Some(vectors) = Vector::all() else {
        return;
    };
    let signer = Signer::new();
    let mut zone = Zone::new();
    signer.publish(&mut zone, DOMAIN);
    let site = Site::start(zone);
    let mut sent = 0;
    for vector in vectors.iter().filter(|one| SAMPLE.contains(&one.number)) {
        let about = format!("{} {}", vector.number, vector.way);
        let judged = site.judged(&NOBODY, &vector.signed(&signer));
        assert_eq!(judged.dkim(), ["pass"], "{about}: {judged:?}");
        let judged = site.judged(&NOBODY, &vector.signed_otherwise(&signer));
        assert_eq!(judged.dkim(), ["fail"], "{about}: {judged:?}");
        sent += 1;
    }
    assert_eq!(sent, 2 * SAMPLE.len());
    site.ends();
}
