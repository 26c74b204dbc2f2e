//! Credentials with which the relay logs in.

use std::fmt;

use zeroize::Zeroizing;

use super::Mechanism;
use crate::{LONGEST_NAME, prepare};

/// The most octets of a password.
const LONGEST_PASSWORD: usize = 1024;

/// The most octets of an access token: in base64 and with its user it fits into one line.
const LONGEST_TOKEN: usize = 8 * 1024;

/// User with a password or an access token; the secret is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginCredential {
    user: String,
    secret: SecretKind,
}

#[derive(Clone, PartialEq, Eq)]
enum SecretKind {
    Password(Zeroizing<String>),
    Token(Zeroizing<String>),
}

/// Reason why a credential cannot be used in any exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The name is empty, too long or holds a control character.
    #[error("the user's name must have 1 to {LONGEST_NAME} octets and no control characters")]
    User,
    /// The password is empty, too long or holds a NUL.
    #[error("the password must have 1 to {LONGEST_PASSWORD} octets and no NUL")]
    Password,
    /// The token is empty, too long or not printable ASCII.
    #[error("the access token must have 1 to {LONGEST_TOKEN} octets of printable ASCII")]
    Token,
}

impl LoginCredential {
    /// Makes a credential of a user's password.
    ///
    /// # Errors
    /// No mechanism can carry the name or the password.
    pub fn password(user: &str, password: Zeroizing<String>) -> Result<Self, CredentialError> {
        match password.is_empty() || password.len() > LONGEST_PASSWORD || password.contains('\0') {
            true => Err(CredentialError::Password),
            false => Self::new(user, SecretKind::Password(password)),
        }
    }

    /// Makes a credential of an OAuth access token for a user.
    ///
    /// # Errors
    /// No mechanism can carry the name or the token.
    pub fn token(user: &str, token: Zeroizing<String>) -> Result<Self, CredentialError> {
        let printable = token.bytes().all(|octet| octet.is_ascii_graphic());
        match token.is_empty() || token.len() > LONGEST_TOKEN || !printable {
            true => Err(CredentialError::Token),
            false => Self::new(user, SecretKind::Token(token)),
        }
    }

    fn new(user: &str, secret: SecretKind) -> Result<Self, CredentialError> {
        let prepared = prepare(user);
        let sound = (1..=LONGEST_NAME).contains(&user.len())
            && (1..=LONGEST_NAME).contains(&prepared.len())
            && !user.chars().any(char::is_control);
        match sound {
            true => Ok(Self {
                user: user.to_owned(),
                secret,
            }),
            false => Err(CredentialError::User),
        }
    }

    /// Returns the user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns true if this mechanism can carry the credential.
    pub fn suits(&self, mechanism: Mechanism) -> bool {
        matches!(self.secret, SecretKind::Token(_)) == mechanism.takes_token()
    }

    /// Returns the access token, if the credential is one.
    pub fn as_token(&self) -> Option<&str> {
        match &self.secret {
            SecretKind::Token(token) => Some(token),
            SecretKind::Password(_) => None,
        }
    }

    /// Returns the password or the token.
    pub(super) fn secret(&self) -> &Zeroizing<String> {
        match &self.secret {
            SecretKind::Password(secret) | SecretKind::Token(secret) => secret,
        }
    }
}

impl fmt::Debug for LoginCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Log-in at a server: who, and by which mechanisms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// User and secret.
    pub credential: LoginCredential,
    /// Mechanisms that may be used, the preferred first.
    pub mechanisms: Vec<Mechanism>,
}
