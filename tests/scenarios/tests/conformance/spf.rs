//! OpenSPF: the test sets client, HELO and MAIL of the session, and each result occurs.

use std::collections::BTreeSet;

use test_support::suites::openspf::Scenario;

use crate::{Arrival, Site, word};

const MESSAGE: &[u8] = b"From: a@author.invalid\r\nSubject: a\r\n\r\nbody\r\n";

/// Of some scenarios some tests.
const SAMPLE: [(&str, &[&str]); 5] = [
    (
        "Record lookup",
        &["both", "spfonly", "txttimeout", "alltimeout"],
    ),
    (
        "Selecting records",
        &[
            "empty",
            "nospace1",
            "nospace2",
            "multitxt1",
            "case-insensitive",
        ],
    ),
    (
        "MX mechanism syntax",
        &["mx-multi-ip2", "mx-cidr6-0-ip6", "mx-nxdomain", "mx-empty"],
    ),
    (
        "Macro expansion rules",
        &["hello-macro", "exp-txt-macro-char", "invalid-macro-char"],
    ),
    (
        "Processing limits",
        &["include-at-limit", "include-loop", "void-over-limit"],
    ),
];

#[test]
fn a_client_is_who_the_domain_says() {
    let Some(scenarios) = Scenario::all() else {
        return;
    };
    let mut seen = BTreeSet::new();
    for (description, tests) in SAMPLE {
        let scenario = scenarios.iter().find(|one| one.description == description);
        let scenario = scenario.unwrap();
        let site = Site::start(scenario.zone());
        for name in tests {
            let case = &scenario.tests[*name];
            let arrival = Arrival {
                client: case.host,
                helo: &case.helo,
                reverse_path: &case.mailfrom,
            };
            let judged = site.judged(&arrival, MESSAGE);
            let identity = match case.mailfrom.is_empty() {
                true => "helo",
                false => "mailfrom",
            };
            let found = word(&judged.found["spf"][identity]["result"]);
            assert!(case.allows(found), "{name}: {judged:?}");
            let written = format!("spf={found} smtp.{identity}=");
            assert!(judged.written.contains(&written), "{name}: {judged:?}");
            seen.insert(found.to_owned());
        }
        site.ends();
    }
    let words = [
        "fail",
        "neutral",
        "none",
        "pass",
        "permerror",
        "softfail",
        "temperror",
    ];
    assert!(seen.iter().eq(words), "{seen:?}");
}
