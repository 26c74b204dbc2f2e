//! Accounts: the customers of the site.

use std::{collections::BTreeMap, fmt, str::FromStr};

use gatepost_message::{Address, Domain, Millis, Period, parse_duration};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Reason, SandboxSettings, word::words};

words! {
    /// Purpose of an account.
    pub enum AccountKind {
        /// Account for trials: its mail reaches nobody but its test users.
        Sandbox = "sandbox",
        /// Account for the customer's own mail.
        Production = "production",
    }
}

/// Settings of an account for one policy.
pub type PolicySettings = serde_json::Map<String, serde_json::Value>;

/// Customer of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Account {
    /// Id of the account in policies, queue and trace.
    pub id: AccountId,
    /// Time of creation.
    pub created: Millis,
    /// Data that the operator enters.
    #[serde(flatten)]
    pub profile: Profile,
    /// Settings of the account for policies, by name of the policy.
    #[serde(default)]
    pub policies: BTreeMap<String, PolicySettings>,
    /// Data that the relay itself keeps of it.
    #[serde(flatten)]
    pub details: AccountDetails,
}

/// Data that the relay keeps of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct AccountDetails {
    /// Address in whose name the account writes where no other is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_address: Option<Address>,
    /// Default addresses of its brands.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub brand_addresses: BTreeMap<Name, Address>,
    /// Hold of its outgoing mail, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Time at which its erasure began, while it is being erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasing: Option<Millis>,
    /// Time for which what is known of its mail is kept, where it is shorter than the site's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<KeepMail>,
    /// Settings of a sandbox; none for an account of production.
    #[serde(skip_serializing_if = "SandboxSettings::is_empty")]
    pub sandbox: SandboxSettings,
}

/// Hold of an account's outgoing mail: submissions are taken, and wait in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Hold {
    /// Beginning.
    pub since: Millis,
    /// Reason, for operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Data of an account that the operator enters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Profile {
    /// Purpose: sandbox or production.
    pub kind: AccountKind,
    /// Name of the product as the customer's users know it.
    pub product: Name,
    /// Time zone in which the customer reads times.
    pub time_zone: TimeZone,
    /// Domain that the site has given the account, such as `acme.desk.example`. No other account
    /// has it.
    pub native_domain: Domain,
    /// Names under which the account writes, [`Self::MOST_BRANDS`] at most, in order.
    #[serde(default)]
    pub brands: Vec<Name>,
}

impl Profile {
    /// The most brands of an account.
    pub const MOST_BRANDS: usize = 100;

    /// Brings the brands in order, each once.
    pub(crate) fn order_brands(&mut self) {
        self.brands.sort();
        self.brands.dedup();
    }
}

/// Time for which an account keeps what is known of its mail: a second to ten years.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct KeepMail(Period);

/// Text that is no time to keep something for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is a time from 1s to 3650d, such as 30d: {0}")]
pub struct KeepMailError(String);

impl KeepMail {
    /// Returns the time before which nothing is kept.
    pub fn since(self, now: Millis) -> Millis {
        now - self.0.0
    }
}

impl FromStr for KeepMail {
    type Err = KeepMailError;

    fn from_str(text: &str) -> Result<Self, KeepMailError> {
        let time = parse_duration(text).map_err(KeepMailError)?;
        match (1..=3650 * 86_400).contains(&time.as_secs()) {
            true => Ok(Self(Period(time))),
            false => Err(KeepMailError(format!("`{text}` is beyond that"))),
        }
    }
}

impl TryFrom<String> for KeepMail {
    type Error = KeepMailError;

    fn try_from(text: String) -> Result<Self, KeepMailError> {
        text.parse()
    }
}

impl From<KeepMail> for String {
    fn from(keep: KeepMail) -> Self {
        keep.to_string()
    }
}

impl fmt::Display for KeepMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Changes of what an account is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileChange {
    /// New name of the product; without it, the former one stays.
    pub product: Option<Name>,
    /// New time zone; without it, the former one stays.
    pub time_zone: Option<TimeZone>,
    /// Brands that are added.
    pub add_brands: Vec<Name>,
    /// Brands that are removed, before others are added.
    pub remove_brands: Vec<Name>,
}

/// Name for people: 1 to 100 characters without controls, trimmed.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Text that is not a valid [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 100 characters and no line breaks or other controls")]
pub struct NameError;

impl Name {
    /// Returns the name as text.
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

/// Name of a time zone of the IANA database, such as `Europe/Berlin`, in the database's spelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZone(String);

/// Text that is not the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time zone; write a name of the IANA database, such as Europe/Berlin or UTC"
)]
pub struct TimeZoneError(String);

impl TimeZone {
    /// Returns the name.
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
