//! Partner addresses: correspondents with which an account shares tickets, so that neither writes
//! to the other by mail as well.
//!
//! They come from sharing agreements between two accounts here ([`Agreement`]), whose addresses are
//! looked up and never stored, and from lists ([`PartnerList`]) for systems elsewhere. Addresses
//! are compared in their [canonical form](CanonicalAddress).

use std::{fmt, str::FromStr, time::Duration};

use gatepost_message::{Address, AddressError, CanonicalAddress, Domain, Millis, Separators};
use serde::{Deserialize, Serialize};

use crate::{AccountId, DirectoryError};

/// Entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum PartnerEntry {
    /// Single address.
    Address(Address),
    /// All addresses of exactly this domain, written with an `@` before it. Such an entry silences
    /// people, too.
    Domain(Domain),
}

/// Characters of a text that an error repeats: a line of a feed may be as long as the feed.
const REPEATED: usize = 200;

/// Reason why a text is no entry. Of the text it holds the beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartnerEntryError {
    /// The text is no address.
    #[error("{0:?} is no address: {1}")]
    Address(String, AddressError),
    /// The text after the `@` is no domain.
    #[error("{0:?} is no domain with an @ before it, such as @partner.example")]
    Domain(String),
}

impl FromStr for PartnerEntry {
    type Err = PartnerEntryError;

    fn from_str(text: &str) -> Result<Self, PartnerEntryError> {
        if let Some(domain) = text.strip_prefix('@') {
            let wrong = |_| PartnerEntryError::Domain(beginning(text));
            return domain.parse().map(Self::Domain).map_err(wrong);
        }
        let address = Address::parse(text)
            .map_err(|error| PartnerEntryError::Address(beginning(text), error))?;
        // Stored in one spelling, so that an entry occurs once.
        let spelled = Address::parse(CanonicalAddress::spelled(&address).as_str());
        Ok(Self::Address(spelled.unwrap_or(address)))
    }
}

/// Returns as much of a text from elsewhere as an error repeats: 200 characters.
pub fn beginning(text: &str) -> String {
    match text.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl TryFrom<String> for PartnerEntry {
    type Error = PartnerEntryError;

    fn try_from(text: String) -> Result<Self, PartnerEntryError> {
        text.parse()
    }
}

impl fmt::Display for PartnerEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.pad(address.as_str()),
            Self::Domain(domain) => f.pad(&format!("@{}", domain.as_ascii())),
        }
    }
}

impl From<PartnerEntry> for String {
    fn from(entry: PartnerEntry) -> Self {
        entry.to_string()
    }
}

impl PartnerEntry {
    /// Returns the text that is hashed for look-ups.
    pub(crate) fn key(&self, separators: &Separators) -> String {
        match self {
            Self::Address(address) => CanonicalAddress::of(address, separators)
                .as_str()
                .to_owned(),
            Self::Domain(domain) => format!("@{}", domain.as_ascii()),
        }
    }
}

/// Agreement or list by which an address is a partner.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerSource {
    /// Sharing agreement with this account, which receives at the address.
    Agreement(AccountId),
    /// Entry added by an operator.
    ByHand,
    /// Import of this name.
    Import(String),
    /// Feed with this URL.
    Feed(String),
}

impl PartnerSource {
    /// Returns the kind and the name of a list, as they are stored.
    ///
    /// # Errors
    /// The source is an agreement, which has no list.
    pub(crate) fn list_of(&self, list: u32) -> Result<(&'static str, &str), DirectoryError> {
        match self {
            Self::Agreement(_) => {
                let what = format!("list {list}, which is an agreement");
                Err(DirectoryError::Damaged(what))
            }
            Self::ByHand => Ok(("by-hand", "")),
            Self::Import(name) => Ok(("import", name)),
            Self::Feed(url) => Ok(("feed", url)),
        }
    }
}

impl fmt::Display for PartnerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreement(account) => write!(f, "the sharing agreement with account {account}"),
            Self::ByHand => f.write_str("an entry by hand"),
            Self::Import(name) => write!(f, "the import {name}"),
            Self::Feed(url) => write!(f, "the feed {url}"),
        }
    }
}

/// Finding that an address is a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Partner {
    /// True if an entry for the whole domain matches, false if one for the address.
    pub by_domain: bool,
    /// Agreement or list that has the entry.
    pub source: PartnerSource,
}

/// Sharing agreement between two accounts here: all support addresses of each are partner addresses
/// of the other, also those added later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Agreement {
    /// Account with the lesser id.
    pub one: AccountId,
    /// Account with the greater id.
    pub other: AccountId,
    /// Time of creation.
    pub created: Millis,
}

impl Agreement {
    /// Returns the other account; `None` if this account has no part in the agreement.
    pub fn with(&self, account: AccountId) -> Option<AccountId> {
        match account {
            account if account == self.one => Some(self.other),
            account if account == self.other => Some(self.one),
            _ => None,
        }
    }
}

/// List of partner addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PartnerList {
    /// Id of the list for as long as it exists.
    pub id: u32,
    /// Account of the list.
    pub account: AccountId,
    /// Kind and name of the list.
    pub source: PartnerSource,
    /// Time of creation.
    pub created: Millis,
    /// Settings and state of the fetches, for a feed.
    pub feed: Option<Feed>,
}

/// Settings and state of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Feed {
    /// Interval between fetches, in seconds.
    pub every_seconds: u32,
    /// True if whole domains are allowed.
    pub domains: bool,
    /// Entity tag of the version that was fetched last (RFC 9110 section 8.8).
    pub validator: Option<String>,
    /// Time of the last attempt to fetch.
    pub tried: Option<Millis>,
    /// Time of the last successful fetch, changed or not.
    pub fetched: Option<Millis>,
    /// Error of the last attempt, if it failed. The former entries stay.
    pub problem: Option<String>,
}

impl Feed {
    /// Returns the time of the next fetch: at once if it was never tried, sooner than the interval
    /// if it failed.
    pub fn due(&self) -> Millis {
        /// Maximum delay before a failed fetch is repeated.
        const RETRY: Duration = Duration::from_secs(300);
        let every = Duration::from_secs(self.every_seconds.into());
        let pause = match self.problem {
            Some(_) => every.min(RETRY),
            None => every,
        };
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        (self.tried).map_or(Millis(0), |tried| Millis(tried.0.saturating_add(pause)))
    }
}

/// Changes made to a list.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct ListChange {
    /// Number of entries added.
    pub added: usize,
    /// Number of entries removed.
    pub removed: usize,
    /// Number of entries now.
    pub entries: usize,
}
