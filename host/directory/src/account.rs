//! A customer.

use std::{collections::BTreeMap, fmt, str::FromStr};

use gatepost_message::{Domain, Millis};
use serde::{Deserialize, Serialize};

use crate::{AccountId, word::words};

words! {
    /// What an account is for.
    pub enum AccountKind {
        /// To try things out.
        Sandbox = "sandbox",
        /// For the customer's own mail.
        Production = "production",
    }
}

/// What an account has set for one policy.
pub type PolicySettings = serde_json::Map<String, serde_json::Value>;

/// A customer of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Account {
    /// Names it in policies, queue and trace.
    pub id: AccountId,
    /// When it was made.
    pub created: Millis,
    /// What is said of it.
    #[serde(flatten)]
    pub profile: Profile,
    /// What it has set for policies, by their names.
    #[serde(default)]
    pub policies: BTreeMap<String, PolicySettings>,
}

/// What is said of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Profile {
    /// Sandbox or production.
    pub kind: AccountKind,
    /// The product as the customer's users know it.
    pub product: Name,
    /// In which the customer reads times.
    pub time_zone: TimeZone,
    /// The domain that the site has given it, such as `acme.desk.example`; of no other account.
    pub native_domain: Domain,
    /// Under which it writes.
    #[serde(default)]
    pub brands: Vec<Name>,
}

/// A name for people: 1 to 100 characters without controls, trimmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A text cannot name anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 100 characters and no line breaks or other controls")]
pub struct NameError;

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let fits = (1..=100).contains(&text.chars().count());
        match fits && !text.chars().any(char::is_control) {
            true => Ok(Self(text.to_owned())),
            false => Err(NameError),
        }
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of a time zone of the IANA database, such as `Europe/Berlin`, spelled as there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZone(String);

/// A text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time zone; write a name of the IANA database, such as Europe/Berlin or UTC"
)]
pub struct TimeZoneError(String);

impl TimeZone {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TimeZone {
    type Err = TimeZoneError;

    fn from_str(text: &str) -> Result<Self, TimeZoneError> {
        let zone = jiff::tz::TimeZone::get(text).ok();
        let name = zone.as_ref().and_then(|zone| zone.iana_name());
        name.map(|name| Self(name.to_owned()))
            .ok_or_else(|| TimeZoneError(text.to_owned()))
    }
}

impl TryFrom<String> for TimeZone {
    type Error = TimeZoneError;

    fn try_from(text: String) -> Result<Self, TimeZoneError> {
        text.parse()
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.0
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
