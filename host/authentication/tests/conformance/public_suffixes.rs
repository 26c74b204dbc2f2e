//! The test of the public suffix list (publicsuffix.org).

use gatepost_authentication::organizational_domain_by_list;
use gatepost_message::domain_to_ascii;
use test_support::conformance;

#[test]
fn every_name_has_the_domain_that_the_list_expects() {
    let Some(folder) = conformance("psl") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("test_psl.txt")).expect("the suite");
    let mut checked = 0;
    for line in text.lines() {
        let Some(arguments) = line
            .strip_prefix("checkPublicSuffix(")
            .and_then(|rest| rest.strip_suffix(");"))
        else {
            continue;
        };
        let word = |text: &str| text.trim().trim_matches('\'').to_owned();
        let (name, expected) = arguments.split_once(',').expect("two arguments");
        let (name, expected) = (word(name), word(expected));
        if name == "null" {
            continue;
        }
        let expected = (expected != "null").then_some(expected);
        // As gather asks: in A-labels.
        let ascii = |name: &str| domain_to_ascii(name).expect("a name").to_ascii_lowercase();
        let found = organizational_domain_by_list(&ascii(&name));
        assert_eq!(found, expected.as_deref().map(ascii), "{name}");
        checked += 1;
    }
    assert!(checked >= 70, "{checked} names");
}
