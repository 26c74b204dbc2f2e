//! Log-ins, and where their secrets come from.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use gatepost_oauth::AccessTokens;
use gatepost_sasl::client::{LoginCredential, Mechanism};

/// Log-in of a session: by which mechanisms, and where its credential comes from.
#[derive(Clone)]
pub struct LoginSource {
    /// Mechanisms that may be used, the preferred first.
    pub mechanisms: Vec<Mechanism>,
    /// Source of the credential.
    pub source: Arc<dyn CredentialSource>,
}

impl fmt::Debug for LoginSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginSource")
            .field("mechanisms", &self.mechanisms)
            .finish_non_exhaustive()
    }
}

/// Source of the credential for a log-in: a password, or tokens that are fetched when they are
/// needed.
pub trait CredentialSource: Send + Sync {
    /// Returns the credential to use. `refused` is one that the server has just refused: then
    /// returns another, or `None` if there is no other.
    fn credential<'a>(&'a self, refused: Option<&'a LoginCredential>) -> Fetching<'a>;
}

/// Future of a credential.
pub type Fetching<'a> =
    Pin<Box<dyn Future<Output = Result<Option<LoginCredential>, NoCredential>> + Send + 'a>>;

/// Reason why there is no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no credential to log in with: {why}")]
pub struct NoCredential {
    /// Reason, with what to do; without secrets.
    pub why: String,
    /// True if that stays so until somebody changes the connection.
    pub permanent: bool,
}

/// A password is all that there is: a refused one has no successor.
impl CredentialSource for LoginCredential {
    fn credential<'a>(&'a self, refused: Option<&'a LoginCredential>) -> Fetching<'a> {
        let credential = refused.is_none().then(|| self.clone());
        Box::pin(ready(Ok(credential)))
    }
}

/// User whose log-in carries an OAuth access token; with XOAUTH2 that is the mailbox that the
/// message leaves from.
#[derive(Debug, Clone)]
pub struct TokenUser {
    /// User.
    pub user: String,
    /// Tokens of the connection.
    pub tokens: AccessTokens,
}

impl CredentialSource for TokenUser {
    fn credential<'a>(&'a self, refused: Option<&'a LoginCredential>) -> Fetching<'a> {
        Box::pin(async move {
            let refused = refused.and_then(LoginCredential::as_token);
            let token = self.tokens.token(refused).await;
            let token = token.map_err(|error| NoCredential {
                permanent: error.is_permanent(),
                why: error.to_string(),
            })?;
            let credential = LoginCredential::token(&self.user, token);
            credential.map(Some).map_err(|error| NoCredential {
                permanent: true,
                why: error.to_string(),
            })
        })
    }
}
