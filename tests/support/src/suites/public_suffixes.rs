//! The test of the public suffix list (publicsuffix.org).

use gatepost_message::domain_to_ascii;

use super::read;
use crate::conformance;

/// A name.
#[derive(Debug)]
pub struct Case {
    /// Name in A-labels, as in the DNS.
    pub name: String,
    /// Domain below the public suffix that it belongs to, in A-labels and lower case; none for a
    /// public suffix, and for an invalid name.
    pub expected: Option<String>,
}

impl Case {
    /// Returns all cases.
    pub fn all() -> Option<Vec<Self>> {
        let text = read(&conformance("psl")?.join("test_psl.txt"));
        Some(text.lines().filter_map(case).collect())
    }
}

fn case(line: &str) -> Option<Case> {
    let arguments = line
        .strip_prefix("checkPublicSuffix(")?
        .strip_suffix(");")?;
    let (name, expected) = arguments.split_once(',')?;
    let word = |text: &str| match text.trim() {
        "null" => None,
        quoted => Some(ascii(quoted.trim_matches('\''))),
    };
    Some(Case {
        name: word(name)?,
        expected: word(expected),
    })
}

fn ascii(name: &str) -> String {
    let ascii = domain_to_ascii(name).unwrap_or_else(|| panic!("no name: {name}"));
    ascii.to_ascii_lowercase()
}
