//! Domain names, in Unicode or A-labels.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain_to_ascii;

/// A domain name (RFC 5321 section 4.1.2 without the address literal; RFC 5890 U-labels
/// allowed), in lower case and without the trailing dot.
///
/// Two names are equal when their A-labels are: `bücher.example` is `xn--bcher-kva.example`.
#[derive(Debug, Clone, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Domain {
    text: String,
    ascii: String,
}

/// Error: a text is not a domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a domain name; write letters, digits, hyphens and dots, such as \"mail.example.org\""
)]
pub struct DomainError(String);

impl Domain {
    /// Returns the name as it was written, in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the name in A-labels, the same for every spelling.
    pub fn as_ascii(&self) -> &str {
        &self.ascii
    }

    /// Returns true if `other` is the same name.
    pub fn matches(&self, other: &str) -> bool {
        other.parse::<Self>().is_ok_and(|other| other == *self)
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        // RFC 5321 section 4.5.3.1.2 and RFC 1035 section 2.3.4.
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let lower = text.to_lowercase();
        let ascii = domain_to_ascii(&lower)
            .filter(|ascii| ascii.len() <= 253 && ascii.split('.').all(is_label));
        match ascii {
            Some(ascii) => Ok(Self { text: lower, ascii }),
            None => Err(DomainError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Domain {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.text
    }
}

impl PartialEq for Domain {
    fn eq(&self, other: &Self) -> bool {
        self.ascii == other.ascii
    }
}

impl Hash for Domain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ascii.hash(state);
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
