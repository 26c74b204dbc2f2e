//! Selectors: names of keys below a domain (RFC 6376 section 3.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Algorithm;

/// Selector: one label of a DNS name, in lower case.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Selector(String);

/// Text that is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no selector; write at most 63 letters, digits and hyphens")]
pub struct SelectorError(String);

/// Beginning of the selectors that a relay makes: a label that is short enough to be continued. Two
/// relays that sign for one domain have one each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SelectorPrefix(Selector);

impl SelectorPrefix {
    /// Most characters, so that any selector that begins so is one label.
    const LONGEST: usize = 40;
}

impl Default for SelectorPrefix {
    fn default() -> Self {
        Self(Selector("gatepost".to_owned()))
    }
}

impl FromStr for SelectorPrefix {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let prefix: Selector = text.parse()?;
        match prefix.0.len() <= Self::LONGEST {
            true => Ok(Self(prefix)),
            false => Err(SelectorError(prefix.0)),
        }
    }
}

impl TryFrom<String> for SelectorPrefix {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        text.parse()
    }
}

impl From<SelectorPrefix> for String {
    fn from(prefix: SelectorPrefix) -> Self {
        prefix.0.0
    }
}

impl Selector {
    /// Returns the two selectors that keys of an algorithm take in turn.
    pub fn turns(prefix: &SelectorPrefix, algorithm: Algorithm) -> [Self; 2] {
        [1, 2].map(|number| Self(format!("{}-{algorithm}-{number}", prefix.0)))
    }

    /// Returns the selector whose turn is after this one; `None` for one that takes no turns.
    pub fn next(&self) -> Option<Self> {
        let (rest, other) = match self.0.split_at_checked(self.0.len() - 1)? {
            (rest, "1") => (rest, "2"),
            (rest, "2") => (rest, "1"),
            _ => return None,
        };
        rest.ends_with('-').then(|| Self(format!("{rest}{other}")))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let lower = text.to_ascii_lowercase();
        let is_label = (1..=63).contains(&lower.len())
            && !lower.starts_with('-')
            && !lower.ends_with('-')
            && (lower.bytes()).all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        match is_label {
            true => Ok(Self(lower)),
            false => Err(SelectorError(text.chars().take(80).collect())),
        }
    }
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.0
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_selectors_take_turns() {
        let [one, two] = Selector::turns(&"Desk".parse().unwrap(), Algorithm::Ed25519);
        assert_eq!(one.as_str(), "desk-ed25519-1");
        assert_eq!(one.next().as_ref(), Some(&two));
        assert_eq!(two.next(), Some(one));
        assert_eq!("brisbane".parse::<Selector>().unwrap().next(), None);
        assert_eq!("1".parse::<Selector>().unwrap().next(), None);
    }

    #[test]
    fn a_selector_is_one_label() {
        for text in ["", "-a", "a-", "a.b", "a_b", "é", &"a".repeat(64)] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
        assert!("a".repeat(41).parse::<SelectorPrefix>().is_err());
    }
}
