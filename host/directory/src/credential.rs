//! Credentials of those who hand in mail.

use std::{fmt, sync::Arc, time::Duration};

use gatepost_message::{Address, Domain, Millis};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{AccountId, ConnectorId, DirectoryError, Secret, Verifier, random, word::words};

/// Use of a credential. A credential of one kind never serves for the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Scope {
    /// Relay to the support addresses of a two-way domain, by the customer's server.
    Inbound {
        /// Connector of the domain.
        connector: ConnectorId,
        /// Domain that the server relays for.
        domain: Domain,
    },
    /// Submission of the account's own mail.
    Submission,
}

impl Scope {
    /// Returns the connector of the domain; `None` for submission.
    pub fn connector(&self) -> Option<ConnectorId> {
        match self {
            Self::Inbound { connector, .. } => Some(*connector),
            Self::Submission => None,
        }
    }
}

/// Request for a new credential: its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Grant {
    /// Relay to the support addresses of a two-way domain.
    Inbound {
        /// Connector of the domain.
        connector: ConnectorId,
    },
    /// Submission for an account.
    Submission {
        /// Account that submits.
        account: AccountId,
    },
}

/// User name of a credential, generated with it.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct UserName(Arc<str>);

impl UserName {
    pub(crate) fn generate(grant: &Grant) -> Result<Self, DirectoryError> {
        let prefix = match grant {
            Grant::Inbound { .. } => "in",
            Grant::Submission { .. } => "sub",
        };
        let random = random::text(b"abcdefghijkmnpqrstuvwxyz23456789", 16)?;
        Ok(Self(format!("{prefix}-{random}").into()))
    }

    /// Makes a user name from any text. A [`View`](crate::View) says whether such a credential
    /// exists.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the user name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Credential without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Credential {
    /// User name, which also identifies the credential.
    pub user_name: UserName,
    /// Account that the credential belongs to.
    pub account: AccountId,
    /// Use of the credential.
    #[serde(flatten)]
    pub scope: Scope,
    /// Address that also logs in, and receives mail.
    pub alias: Option<Address>,
    /// Time of creation.
    pub created: Millis,
    /// Time of the last login.
    pub last_used: Option<Millis>,
    /// Network of the client at the last login.
    #[serde(default)]
    pub last_network: Option<IpNet>,
    /// End of its use.
    #[serde(default)]
    pub ended: Option<CredentialEnd>,
    /// Data that the relay itself keeps of it.
    #[serde(flatten)]
    pub details: CredentialDetails,
}

/// Data that the relay keeps of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct CredentialDetails {
    /// Credential that it takes the place of, if it was issued by a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<UserName>,
    /// Time of the last reminder that the other one is still live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminded: Option<Millis>,
    /// Uses in its grace period, once there were some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_uses: Option<GraceUses>,
}

/// Uses of a credential in its grace period: log-ins with the right secret that were refused for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct GraceUses {
    /// Number of them.
    pub count: u64,
    /// Time of the first one.
    pub first: Millis,
    /// Time of the last one.
    pub last: Millis,
    /// Network of the client at the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<IpNet>,
    /// Time at which the account was told of them last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Millis>,
    /// Number of them when it was told.
    #[serde(default)]
    pub told_count: u64,
}

impl GraceUses {
    /// Time for which the uses of one credential are told once.
    const TOLD_ONCE_IN: Duration = Duration::from_secs(24 * 60 * 60);

    /// Returns true if the account is to be told of them now.
    pub fn is_to_be_told(&self, now: Millis) -> bool {
        self.told
            .is_none_or(|told| told + Self::TOLD_ONCE_IN <= now)
    }
}

/// End of the use of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CredentialEnd {
    /// Time of it.
    pub at: Millis,
    /// Way in which it ended.
    pub how: EndedBy,
}

words! {
    /// Way in which the use of a credential ended.
    pub enum EndedBy {
        /// Cancellation in an emergency: it is refused for good at once.
        Cancelled = "cancelled",
        /// Retirement after a rotation: for a grace period it is refused for now.
        Retired = "retired",
        /// Removal from all lists, with the same grace period.
        Removed = "removed",
    }
}

impl Credential {
    /// Returns true if it is kept for its grace period alone.
    pub fn is_removed(&self) -> bool {
        self.ended.is_some_and(|end| end.how == EndedBy::Removed)
    }

    /// Returns the address that can be the alias of one credential of the account with this native
    /// domain: `<subdomain>@<native domain>`. `None` if the domain is too long.
    pub(crate) fn alias_in(native: &Domain) -> Option<Address> {
        let native = native.as_ascii();
        let subdomain = native.split('.').next()?;
        Address::parse(&format!("{subdomain}@{native}")).ok()
    }
}

/// Two credentials that are both live: one was issued to take the place of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Account that the credentials belong to.
    pub account: AccountId,
    /// Former credential.
    pub former: UserName,
    /// Credential that takes its place.
    pub next: UserName,
    /// Time at which that one was issued.
    pub since: Millis,
}

/// New credential with its secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Issued {
    /// Credential without the secret.
    #[serde(flatten)]
    pub credential: Credential,
    /// Secret of the credential.
    pub secret: Secret,
}

/// Credential as a session looks it up.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// Credential without the secret.
    pub credential: Credential,
    /// Verifier of the secret.
    pub verifier: Verifier,
}

impl Known {
    /// Returns true if its use has not ended. [`View::holds`](crate::View::holds) says whether it
    /// may be used; a session asks that anew each time.
    pub fn is_live(&self) -> bool {
        self.credential.ended.is_none()
    }
}
