//! Keys of DKIM: whose they are, their states, and what is stored of them.

use std::fmt;

use gatepost_dkim::{Algorithm, KeyRecord, Selector};
use gatepost_message::{Domain, Millis};

use crate::{AccountId, Sealed, word::words};

/// Owner of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyOwner {
    /// The site itself, which signs mail of its own domains.
    Site,
    /// An account, which signs mail of the domains that it has connected.
    Account(AccountId),
}

impl KeyOwner {
    /// Returns the account; `None` for the site.
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::Site => None,
            Self::Account(id) => Some(id),
        }
    }
}

impl From<Option<AccountId>> for KeyOwner {
    fn from(account: Option<AccountId>) -> Self {
        account.map_or(Self::Site, Self::Account)
    }
}

impl fmt::Display for KeyOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site => f.pad("site"),
            Self::Account(id) => id.fmt(f),
        }
    }
}

words! {
    /// State of a key.
    pub enum DkimState {
        /// Its record was never seen: it does not sign.
        Pending = "pending",
        /// Its record was seen: it signs.
        Active = "active",
        /// Its record was seen and is there no more, or is another: it does not sign.
        Lost = "lost",
        /// It signs no more, and its private half is gone. Its record stays until mail on its way
        /// has arrived.
        Retired = "retired",
    }
}

/// Name of a key: its owner, and the place of its record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DkimKeyName {
    /// Owner.
    pub owner: KeyOwner,
    /// Domain in A-labels.
    pub domain: Box<str>,
    /// Selector.
    pub selector: Selector,
}

/// Key of a domain, without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    /// Owner.
    pub owner: KeyOwner,
    /// Domain that it signs for, `d=`.
    pub domain: Domain,
    /// Selector, `s=`.
    pub selector: Selector,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// State.
    pub state: DkimState,
    /// Time at which it was made.
    pub created: Millis,
    /// Time at which its state began.
    pub since: Millis,
    /// Words about the last look in the DNS, if it did not show the record.
    pub finding: Option<String>,
    /// Public half: the octets of `p=`.
    pub public: Vec<u8>,
}

impl DkimKey {
    /// Time for which the record of a retired key stays, and its selector is not used again: mail
    /// that was signed with it may be on its way for as long.
    pub const REST: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

    /// Returns the name.
    pub fn name(&self) -> DkimKeyName {
        DkimKeyName {
            owner: self.owner,
            domain: self.domain.as_ascii().into(),
            selector: self.selector.clone(),
        }
    }

    /// Returns the record for the DNS.
    pub fn record(&self) -> KeyRecord {
        KeyRecord::new(&self.domain, &self.selector, self.algorithm, &self.public)
    }

    /// Returns true if both are keys for the same mail, of which one signs.
    pub(crate) fn stands_in_for(&self, other: &Self) -> bool {
        (self.owner, self.algorithm) == (other.owner, other.algorithm)
            && self.domain == other.domain
    }

    /// Returns true if its selector may be used again.
    pub(crate) fn has_rested(&self, now: Millis) -> bool {
        self.state == DkimState::Retired && now.since(self.since) >= Self::REST
    }
}

/// Key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedDkimKey {
    /// Key without its private half.
    pub key: DkimKey,
    /// Encrypted private half; `None` once the key is retired.
    pub sealed: Option<Sealed>,
}
