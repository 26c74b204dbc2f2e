//! Sandboxes: accounts for trials, whose mail reaches nobody but their test users.
//!
//! What a sandbox sends goes to an address on its list of test users, or into a Maildir of the site.
//! Whoever takes its mail or routes it asks here, so that no policy and no plan decides it.

use gatepost_message::Address;
use serde::{Deserialize, Serialize};

use crate::{AccountKind, Canonical, Name, View};

/// Most test users of one sandbox.
pub const MAX_TEST_USERS: usize = 100;

/// Settings of a sandbox. Accounts for production have none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct SandboxSettings {
    /// Test users: addresses that get its mail, at most [`MAX_TEST_USERS`], in the order in which they
    /// were added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_users: Vec<Address>,
    /// Name of the Maildir of the site into which all other mail goes; without one it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maildir: Option<Name>,
}

/// Place to which a sandbox may send mail for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxReach<'a> {
    /// The address itself: it is a test user's.
    TestUser,
    /// The Maildir of this name.
    Maildir(&'a str),
    /// None.
    Nowhere,
}

impl SandboxSettings {
    /// Returns true if nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.test_users.is_empty() && self.maildir.is_none()
    }

    /// Returns the place of an address in the list of test users.
    pub(crate) fn position(&self, address: &Address) -> Option<usize> {
        let canonical = Canonical::as_compared(address);
        let mut users = self.test_users.iter();
        users.position(|user| Canonical::as_compared(user) == canonical)
    }

    /// Returns the place to which mail for an address goes.
    pub fn reach(&self, address: &Address) -> SandboxReach<'_> {
        match (self.position(address), &self.maildir) {
            (Some(_), _) => SandboxReach::TestUser,
            (None, Some(maildir)) => SandboxReach::Maildir(maildir.as_str()),
            (None, None) => SandboxReach::Nowhere,
        }
    }
}

impl View {
    /// Returns the settings of an account that is a sandbox; `None` for all others.
    pub fn sandbox(&self, account: &str) -> Option<&SandboxSettings> {
        let account = self.account(account.parse().ok()?)?;
        (account.profile.kind == AccountKind::Sandbox).then_some(&account.details.sandbox)
    }
}
