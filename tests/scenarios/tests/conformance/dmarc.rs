//! mailauth: results, policies and organisational domains of RFC 7489 and RFC 9989.

use std::collections::BTreeSet;

use test_support::suites::mailauth::{Field, Test};

use crate::{Arrival, Judged, NOBODY, Site, word};

/// Ends of the tests' names.
const SAMPLE: [&str; 12] = [
    "Should return pass when DKIM aligns",
    "Should return pass when SPF aligns",
    "Should return fail when neither DKIM nor SPF aligns",
    "Should return none when no DMARC record exists",
    "Should return temperror on DNS failure",
    "Should use sp= policy for subdomain with org domain record",
    "Should fail strict DKIM alignment when only the org domain matches (adkim=s)",
    "Should pass when SPF aligns relaxed even though DKIM strict fails (adkim=s; aspf=r)",
    "B.4.3: psd=y stops the walk and the org domain is one label below the PSD",
    "PSD policy is not used when the org domain publishes its own record (§4.10.1 note)",
    "t=y downgrades reject to quarantine for a failing message",
    "ignores a record whose version is not exactly DMARC1 (e.g. v=dmarc1)",
];

fn field(judged: &Judged, field: Field) -> Option<String> {
    let dmarc = &judged.found["dmarc"];
    let text = |name: &str| dmarc[name].as_str().map(str::to_owned);
    match field {
        Field::Result => Some(judged.result("dmarc").to_owned()),
        Field::Policy => {
            let policy = word(&dmarc["policy"]);
            let written = format!("dmarc={} (p={policy})", judged.result("dmarc"));
            assert!(judged.written.contains(&written), "{judged:?}");
            // The suite's has t=y in it already.
            text("applied").or_else(|| text("policy"))
        }
        Field::Domain => text("organizational-domain"),
    }
}

#[test]
fn authors_are_judged_as_their_domain_asks() {
    let Some(suite) = Test::all() else { return };
    let mut seen = BTreeSet::new();
    let mut sent = 0;
    let sample = |name: &str| SAMPLE.iter().any(|end| name.ends_with(end));
    for test in suite.iter().filter(|test| sample(&test.name)) {
        let judged = test.vectors.iter().map(|vector| {
            let mail = vector.mail();
            let arrival = Arrival {
                reverse_path: &mail.reverse_path,
                ..NOBODY
            };
            let site = Site::start(mail.zone);
            let judged = site.judged(&arrival, &mail.message);
            site.ends();
            judged
        });
        let judged: Vec<_> = judged.collect();
        assert!(!test.expected.is_empty(), "{}", test.name);
        for expected in &test.expected {
            let judged = &judged[expected.vector];
            let found = field(judged, expected.field);
            assert_eq!(found, expected.value, "{}: {judged:?}", test.name);
        }
        seen.extend(judged.iter().map(|one| one.result("dmarc").to_owned()));
        sent += 1;
    }
    assert_eq!(sent, SAMPLE.len());
    let words = ["fail", "none", "pass", "temperror"];
    assert!(seen.iter().eq(words), "{seen:?}");
}
