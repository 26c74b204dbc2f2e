//! The test data of the public suffix list (publicsuffix.org).

use gatepost_authentication::organizational_domain_by_list;
use test_support::suites::public_suffixes::Case;

#[test]
fn every_name_has_the_organisational_domain_of_the_list() {
    let Some(cases) = Case::all() else { return };
    for case in &cases {
        let found = organizational_domain_by_list(&case.name.to_ascii_lowercase());
        assert_eq!(found, case.expected, "{}", case.name);
    }
    assert!(cases.len() >= 70, "{} names", cases.len());
}
