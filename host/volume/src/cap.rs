//! Caps, as the site sets them and as they are set for one account.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Measure, Subject, Window};

/// Most that may be accepted within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "WrittenCap", into = "WrittenCap")]
pub enum Cap {
    /// This many, and no more.
    AtMost(u64),
    /// As many as there are.
    Unlimited,
}

/// Text that is not a cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapError(String);

impl fmt::Display for CapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no cap: write a number or \"unlimited\"", self.0)
    }
}

impl std::error::Error for CapError {}

/// Cap as it is written.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "write a number or \"unlimited\"")]
enum WrittenCap {
    Number(u64),
    Word(String),
}

impl Cap {
    const UNLIMITED: &str = "unlimited";
}

impl TryFrom<WrittenCap> for Cap {
    type Error = CapError;

    fn try_from(written: WrittenCap) -> Result<Self, CapError> {
        match written {
            WrittenCap::Number(number) => Ok(Self::AtMost(number)),
            WrittenCap::Word(word) => word.parse(),
        }
    }
}

impl From<Cap> for WrittenCap {
    fn from(cap: Cap) -> Self {
        match cap {
            Cap::AtMost(number) => Self::Number(number),
            Cap::Unlimited => Self::Word(Cap::UNLIMITED.to_owned()),
        }
    }
}

impl FromStr for Cap {
    type Err = CapError;

    fn from_str(text: &str) -> Result<Self, CapError> {
        match text {
            Self::UNLIMITED => Ok(Self::Unlimited),
            number => (number.parse().map(Self::AtMost))
                .map_err(|_| CapError(number.chars().take(32).collect())),
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(number) => write!(f, "{number}"),
            Self::Unlimited => f.write_str(Self::UNLIMITED),
        }
    }
}

/// Caps of one subject. A cap that is not set is as it is set further out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Caps {
    /// Messages of an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_an_hour: Option<Cap>,
    /// Messages of a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_a_day: Option<Cap>,
    /// Recipients of an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients_an_hour: Option<Cap>,
    /// Recipients of a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients_a_day: Option<Cap>,
}

impl Caps {
    /// Returns true if none is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns these caps, with those of `outer` where one is not set.
    #[must_use]
    pub fn over(self, outer: Self) -> Self {
        Self {
            messages_an_hour: self.messages_an_hour.or(outer.messages_an_hour),
            messages_a_day: self.messages_a_day.or(outer.messages_a_day),
            recipients_an_hour: self.recipients_an_hour.or(outer.recipients_an_hour),
            recipients_a_day: self.recipients_a_day.or(outer.recipients_a_day),
        }
    }

    /// Returns the most of a measure within a window; `None` if there is no bound.
    pub fn most(&self, measure: Measure, window: Window) -> Option<u64> {
        let cap = match (measure, window) {
            (Measure::Messages, Window::Hour) => self.messages_an_hour,
            (Measure::Messages, Window::Day) => self.messages_a_day,
            (Measure::Recipients, Window::Hour) => self.recipients_an_hour,
            (Measure::Recipients, Window::Day) => self.recipients_a_day,
        };
        match cap {
            Some(Cap::AtMost(most)) => Some(most),
            Some(Cap::Unlimited) | None => None,
        }
    }
}

/// Caps of a site: those of every account, of every domain and of every credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SiteCaps {
    /// Caps of every account.
    pub account: Caps,
    /// Caps of every domain, by the reverse-path.
    pub domain: Caps,
    /// Caps of every credential or user.
    pub credential: Caps,
}

/// Caps that are set for one account, its domains and its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AccountCaps {
    /// Caps of the account.
    #[serde(skip_serializing_if = "Caps::is_empty")]
    pub account: Caps,
    /// Caps of its domains, by A-labels in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub domains: BTreeMap<String, Caps>,
    /// Caps of its credentials or users, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, Caps>,
}

impl AccountCaps {
    /// Returns true if none is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the caps that are set for a subject.
    pub fn of(&self, subject: &Subject) -> Caps {
        let found = match subject {
            Subject::Account => return self.account,
            Subject::Domain(domain) => self.domains.get(domain),
            Subject::Credential(name) => self.credentials.get(name),
        };
        found.copied().unwrap_or_default()
    }

    /// Sets the caps of a subject, in place of its former ones.
    pub fn set(&mut self, subject: &Subject, caps: Caps) {
        let (map, key) = match subject {
            Subject::Account => {
                self.account = caps;
                return;
            }
            Subject::Domain(domain) => (&mut self.domains, domain),
            Subject::Credential(name) => (&mut self.credentials, name),
        };
        match caps.is_empty() {
            true => drop(map.remove(key)),
            false => drop(map.insert(key.clone(), caps)),
        }
    }
}

impl SiteCaps {
    /// Returns the caps that hold for a subject of an account with these own caps.
    pub fn in_force(&self, own: Option<&AccountCaps>, subject: &Subject) -> Caps {
        let site = match subject {
            Subject::Account => self.account,
            Subject::Domain(_) => self.domain,
            Subject::Credential(_) => self.credential,
        };
        own.map_or_else(Caps::default, |own| own.of(subject))
            .over(site)
    }
}
