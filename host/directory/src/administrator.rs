//! Administrators of accounts: the people whom security notices go to.

use gatepost_message::{Address, Millis};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Canonical};

/// Administrator of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Administrator {
    /// Account that they administer.
    pub account: AccountId,
    /// Address of the person.
    pub address: Address,
    /// Language of notices, a tag of RFC 5646 such as `de`.
    pub language: String,
    /// Time of addition.
    pub added: Millis,
    /// Time at which the address was proved.
    #[serde(default)]
    pub verified: Option<Millis>,
}

impl Administrator {
    /// Returns the form in which the address is compared.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::as_compared(&self.address)
    }
}
