//! Patterns of a script: `*@gone.example`, or `/expression/`.

use regex::bytes::Regex;
use serde::Deserialize;

/// Pattern for an address, a name or a line: `*` stands for any characters and `?` for one, or a
/// regular expression between slashes. Case does not matter.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, regex::Error> {
        let inner = text
            .strip_prefix('/')
            .and_then(|text| text.strip_suffix('/'));
        let expression = match inner {
            Some(expression) => format!("(?i-u){expression}"),
            None => {
                let escaped = regex::escape(&text)
                    .replace(r"\*", ".*")
                    .replace(r"\?", ".");
                format!("(?i-u)^{escaped}$")
            }
        };
        Regex::new(&expression).map(Self)
    }
}

impl Pattern {
    /// Returns true if it matches the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::try_from(pattern.to_owned()).unwrap().matches(text)
    }

    #[test]
    fn a_glob_matches_the_whole_address_and_an_expression_any_part() {
        assert!(matches("*@gone.example", "Ann@Gone.Example"));
        assert!(!matches("*@gone.example", "ann@gone.example.net"));
        assert!(!matches("*@gone.example", "ann@goneXexample"));
        assert!(matches("a?n@*", "ann@x"));
        assert!(matches("/^(ann|bob)@/", "bob@y.example"));
        assert!(!matches("/^(ann|bob)@/", "rob@y.example"));
    }

    #[test]
    fn a_malformed_expression_is_an_error() {
        assert!(Pattern::try_from("/(/".to_owned()).is_err());
    }
}
