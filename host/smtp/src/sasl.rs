//! The messages of SASL PLAIN (RFC 4616) and LOGIN (an expired draft that every mail client
//! still speaks), as AUTH (RFC 4954) carries them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How a user proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// User and password in one message.
    Plain,
    /// User and password, each asked for.
    Login,
}

impl Mechanism {
    /// The mechanism of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Plain, Self::Login]
            .into_iter()
            .find(|m| m.name().eq_ignore_ascii_case(name))
    }

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }
}

/// What a client offers as proof. Neither user nor password is empty. `Debug` leaves the
/// password out.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// How they came.
    pub mechanism: Mechanism,
    /// The user whose password this is (authentication identity).
    pub user: String,
    /// The password, in clear.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Why a SASL message is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// Not base64, with padding and nothing else.
    #[error("response is not base64")]
    Base64,
    /// Not of the mechanism's form.
    #[error("response is not of the form that the mechanism asks for")]
    Form,
    /// The client wants to act as somebody else than it proves to be.
    #[error("acting for another user is not allowed")]
    OtherUser,
}

/// Decodes one base64 message that must be UTF-8.
///
/// # Errors
/// If it is not base64 (RFC 4648 section 4, padded) or not UTF-8.
pub fn decode(message: &[u8]) -> Result<String, SaslError> {
    let octets = STANDARD.decode(message).map_err(|_| SaslError::Base64)?;
    String::from_utf8(octets).map_err(|_| SaslError::Form)
}

/// Reads the message of PLAIN: `[authzid] NUL authcid NUL passwd` (RFC 4616 section 2), base64.
///
/// # Errors
/// If it is malformed, or the authorization identity is another user's: nobody acts for others
/// here.
pub fn plain(message: &[u8]) -> Result<Credentials, SaslError> {
    let text = decode(message)?;
    let mut parts = text.split('\0');
    let (Some(authorization), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Form);
    };
    if !authorization.is_empty() && authorization != user {
        return Err(SaslError::OtherUser);
    }
    credentials(Mechanism::Plain, user, password)
}

/// Puts the two answers of LOGIN together, decoded.
///
/// # Errors
/// If one of them is empty or holds a NUL.
pub fn login(user: &str, password: &str) -> Result<Credentials, SaslError> {
    credentials(Mechanism::Login, user, password)
}

fn credentials(mechanism: Mechanism, user: &str, password: &str) -> Result<Credentials, SaslError> {
    let sound = |text: &str| !text.is_empty() && !text.contains('\0');
    if !sound(user) || !sound(password) {
        return Err(SaslError::Form);
    }
    Ok(Credentials {
        mechanism,
        user: user.to_owned(),
        password: password.to_owned(),
    })
}
