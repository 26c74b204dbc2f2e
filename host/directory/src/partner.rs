//! Partner addresses: whom an account shares its tickets with, so that neither writes to the other
//! by mail as well.
//!
//! They come from sharing agreements between two accounts here ([`Agreement`]), whose addresses are
//! looked up and never stored, and from lists ([`PartnerList`]) of agreements with systems
//! elsewhere. Addresses are compared in their [canonical form](CanonicalAddress).

use std::{fmt, str::FromStr, time::Duration};

use gatepost_message::{Address, AddressError, CanonicalAddress, Domain, Millis, Separators};
use serde::{Deserialize, Serialize};

use crate::AccountId;

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PartnerEntry {
    /// An address.
    Address(Address),
    /// Every address of exactly this domain; written with an `@` before it. It silences people,
    /// too.
    Domain(Domain),
}

/// Why a text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartnerEntryError {
    /// It is no address.
    #[error("{0:?} is no address: {1}")]
    Address(String, AddressError),
    /// What follows the `@` is no domain.
    #[error("{0:?} is no domain with an @ before it, such as @partner.example")]
    Domain(String),
}

impl FromStr for PartnerEntry {
    type Err = PartnerEntryError;

    fn from_str(text: &str) -> Result<Self, PartnerEntryError> {
        if let Some(domain) = text.strip_prefix('@') {
            let wrong = |_| PartnerEntryError::Domain(text.to_owned());
            return domain.parse().map(Self::Domain).map_err(wrong);
        }
        let address = Address::parse(text)
            .map_err(|error| PartnerEntryError::Address(text.to_owned(), error))?;
        // As it is spelled, so that an entry is there once.
        let spelled = Address::parse(CanonicalAddress::spelled(&address).as_str());
        Ok(Self::Address(spelled.unwrap_or(address)))
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
    /// What it is found by.
    pub(crate) fn key(&self, separators: &Separators) -> String {
        match self {
            Self::Address(address) => CanonicalAddress::of(address, separators)
                .as_str()
                .to_owned(),
            Self::Domain(domain) => format!("@{}", domain.as_ascii()),
        }
    }
}

/// By which agreement or list an address is a partner's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerSource {
    /// It is a support address of this account, with which there is a sharing agreement.
    Agreement(AccountId),
    /// Somebody has added it.
    ByHand,
    /// It was imported, under this name.
    Import(String),
    /// It is in the feed with this URL.
    Feed(String),
}

impl PartnerSource {
    /// The list's kind and name, as they are stored; nothing for an agreement.
    pub(crate) fn list(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Agreement(_) => None,
            Self::ByHand => Some(("by-hand", "")),
            Self::Import(name) => Some(("import", name)),
            Self::Feed(url) => Some(("feed", url)),
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

/// That an address is a partner's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Partner {
    /// Whether its whole domain is, and not the address itself.
    pub by_domain: bool,
    /// By what.
    pub source: PartnerSource,
}

/// A sharing agreement between two accounts here: the support addresses of each are partner
/// addresses of the other, whatever changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Agreement {
    /// The account with the lesser id.
    pub one: AccountId,
    /// The other.
    pub other: AccountId,
    /// When it was made.
    pub created: Millis,
}

impl Agreement {
    /// With whom this account has it; `None` where it is none of its.
    pub fn with(&self, account: AccountId) -> Option<AccountId> {
        match account {
            account if account == self.one => Some(self.other),
            account if account == self.other => Some(self.one),
            _ => None,
        }
    }
}

/// A list of partner addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PartnerList {
    /// Names it for as long as it is there.
    pub id: u32,
    /// Whose it is.
    pub account: AccountId,
    /// What it is.
    pub source: PartnerSource,
    /// When it was made.
    pub created: Millis,
    /// How it is fetched, where it is a feed.
    pub feed: Option<Feed>,
}

/// How a feed is fetched, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Feed {
    /// How long from one fetch to the next, in seconds.
    pub every_seconds: u32,
    /// Whether it may hold whole domains.
    pub domains: bool,
    /// What the server named the version that we have (RFC 9110 section 8.8): its entity tag.
    pub validator: Option<String>,
    /// When it was last tried.
    pub tried: Option<Millis>,
    /// When it was last had, changed or not.
    pub fetched: Option<Millis>,
    /// Why the last try failed, where it did; the entries of the one before hold.
    pub problem: Option<String>,
}

impl Feed {
    /// When it is to be fetched next: at once where it never was, sooner than usual where it
    /// failed.
    pub fn due(&self) -> Millis {
        /// Between tries of one that fails, at most.
        const AGAIN: Duration = Duration::from_secs(300);
        let every = Duration::from_secs(self.every_seconds.into());
        let pause = match self.problem {
            Some(_) => every.min(AGAIN),
            None => every,
        };
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        (self.tried).map_or(Millis(0), |tried| Millis(tried.0.saturating_add(pause)))
    }
}

/// What changed in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListChange {
    /// Entries that are new in it.
    pub added: usize,
    /// Entries that it had, and has no longer.
    pub removed: usize,
    /// Entries in it now.
    pub entries: usize,
}
