//! Who may hand us mail.

use std::{fmt, sync::Arc};

use gatepost_message::{Address, Domain, Millis};
use serde::{Deserialize, Serialize};

use crate::{AccountId, ConnectorId, DirectoryError, Secret, Verifier, random};

/// What a credential is good for. One kind is never taken for the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Scope {
    /// Relay to the support addresses of a two-way domain, by the customer's server.
    Inbound {
        /// Its connector.
        connector: ConnectorId,
        /// Its domain.
        domain: Domain,
    },
    /// Submission of the account's own mail.
    Submission,
}

/// What a new credential is to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Grant {
    /// Relay to the support addresses of a two-way connector's domain.
    Inbound {
        /// The connector.
        connector: ConnectorId,
    },
    /// Submission for an account.
    Submission {
        /// The account.
        account: AccountId,
    },
}

/// The name by which a credential logs in, generated with it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

    /// One as it is written: whether there is a credential of this name, a
    /// [`View`](crate::View) says.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
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

/// A set of user name and secret, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Credential {
    /// Names it, and logs in.
    pub user_name: UserName,
    /// Whose it is.
    pub account: AccountId,
    /// What it is good for.
    #[serde(flatten)]
    pub scope: Scope,
    /// Logs in as well, and receives mail.
    pub alias: Option<Address>,
    /// When it was made.
    pub created: Millis,
    /// When somebody last logged in with it.
    pub last_used: Option<Millis>,
    /// Since when it is good for nothing.
    pub revoked: Option<Millis>,
}

/// A new credential with its secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The credential.
    #[serde(flatten)]
    pub credential: Credential,
    /// Its secret.
    pub secret: Secret,
}

/// A credential as a session asks for it.
#[derive(Debug)]
pub struct Known {
    /// What is known of it.
    pub credential: Credential,
    /// By which its secret is checked.
    pub verifier: Verifier,
}

impl Known {
    /// Whether it is not revoked. Whether it is good for anything, a [`View`](crate::View) says,
    /// which a session asks anew each time.
    pub fn is_live(&self) -> bool {
        self.credential.revoked.is_none()
    }
}
