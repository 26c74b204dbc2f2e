//! Domain names as the operator writes them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A domain name (RFC 5321 section 4.1.2 without the address literal; RFC 5890 U-labels
/// allowed), in lower case and without the root's dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Domain(String);

/// Why a text is not a domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a domain name; write letters, digits, hyphens and dots, such as \"mail.example.org\""
)]
pub struct DomainError(String);

impl Domain {
    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same name in any case.
    pub fn matches(&self, other: &str) -> bool {
        self.0 == other || self.0 == other.to_lowercase()
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        // RFC 5321 section 4.5.3.1.2 and RFC 1035 section 2.3.4.
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let lower = text.to_lowercase();
        if lower.len() <= 253 && lower.split('.').all(label) {
            Ok(Self(lower))
        } else {
            Err(DomainError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Domain {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        text.parse()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
