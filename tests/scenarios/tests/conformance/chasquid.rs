//! chasquid: each signature of a message has its own result, also if its key cannot be looked up
//! now.

use std::collections::BTreeSet;

use test_support::suites::chasquid::{Case, SIGNATURES, state};

use crate::{NOBODY, Site};

/// Names of cases, by what they begin with.
const SAMPLE: [&str; 6] = ["01-", "02-", "04-", "05-", "06-", "07-"];

#[test]
fn every_signature_is_in_its_state() {
    let Some(cases) = Case::all() else { return };
    let mut seen = BTreeSet::new();
    let mut sent = 0;
    let sample = |name: &str| SAMPLE.iter().any(|number| name.starts_with(number));
    for case in cases.iter().filter(|case| sample(&case.name)) {
        let settings = format!("signatures = {SIGNATURES}\npartial-body = true");
        let site = Site::with(case.zone(str::to_owned), &settings);
        let judged = site.judged(&NOBODY, &case.message);
        let states: Vec<_> = judged.dkim().into_iter().map(state).collect();
        assert_eq!(states, case.expected, "{}: {judged:?}", case.name);
        seen.extend(states);
        sent += 1;
        site.ends();
    }
    assert_eq!(sent, SAMPLE.len());
    assert!(seen.into_iter().eq(["PERMFAIL", "SUCCESS", "TEMPFAIL"]));
}
