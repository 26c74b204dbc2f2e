//! Restrictions on what an account may submit: its caps, and its suspension.

use std::{fmt, str::FromStr};

use gatepost_message::Millis;
use gatepost_volume::AccountCaps;
use serde::{Deserialize, Serialize};

/// Restrictions on the submissions of an account, which is in the directory or in the
/// configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Restriction {
    /// Id of the account.
    pub account: String,
    /// Caps in place of the site's.
    #[serde(default)]
    pub caps: AccountCaps,
    /// Suspension, while there is one.
    pub suspended: Option<Suspension>,
}

impl Restriction {
    /// Returns the restrictions of an account that has none.
    pub fn none(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            caps: AccountCaps::default(),
            suspended: None,
        }
    }

    /// Returns true if nothing is restricted.
    pub fn is_empty(&self) -> bool {
        self.caps.is_empty() && self.suspended.is_none()
    }
}

/// Suspension of an account: it submits nothing, and its queued mail is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Suspension {
    /// Beginning.
    pub since: Millis,
    /// Reason, for operators.
    pub reason: Option<Reason>,
}

/// Reason that an operator gives: 1 to 200 characters without controls, trimmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

/// Text that is not a valid [`Reason`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a reason has 1 to 200 characters and no line breaks or other controls")]
pub struct ReasonError;

impl Reason {
    /// Returns the reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, ReasonError> {
        let text = text.trim();
        let fits = (1..=200).contains(&text.chars().count());
        match fits && !text.chars().any(char::is_control) {
            true => Ok(Self(text.to_owned())),
            false => Err(ReasonError),
        }
    }
}

impl TryFrom<String> for Reason {
    type Error = ReasonError;

    fn try_from(text: String) -> Result<Self, ReasonError> {
        text.parse()
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
