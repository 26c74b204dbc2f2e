//! ValiMail: ARC chains that hold, chains that are broken, and messages without a chain.

use test_support::suites::valimail::Scenario;

use crate::{NOBODY, Site};

/// Tests from each of its sides: chains, their sets, and the tags and keys of their fields.
const SAMPLE: [&str; 15] = [
    "cv_base1",
    "cv_pass_i1_1",
    "cv_pass_i2_1",
    "cv_pass_i5_1",
    "cv_fail_i1_ams_invalid",
    "cv_fail_i1_as_cv_fail",
    "cv_fail_i2_as1_pass",
    "ams_struct_dup",
    "ams_format_sc_wsp",
    "ams_fields_bh_mod_body",
    "ams_fields_c_rs",
    "as_struct_missing",
    "as_fields_b_512",
    "as_fields_b_2048",
    "public_key_na",
];

#[test]
fn chains_hold_or_do_not() {
    let Some(scenarios) = Scenario::all() else {
        return;
    };
    let mut sent = 0;
    for scenario in &scenarios {
        let sample = |name: &str| SAMPLE.contains(&name);
        let tests = scenario.tests.iter().filter(|test| sample(&test.name));
        let tests: Vec<_> = tests.collect();
        if tests.is_empty() {
            continue;
        }
        let site = Site::start(scenario.zone(str::to_owned));
        for test in tests {
            let judged = site.judged(&NOBODY, &test.message);
            assert_eq!(
                judged.result("arc"),
                test.expected,
                "{}: {judged:?}",
                test.name
            );
            sent += 1;
        }
        site.ends();
    }
    assert_eq!(sent, SAMPLE.len());
}
