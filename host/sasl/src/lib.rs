//! SASL (RFC 4422) without I/O. The client's side is in [`client`]; the rest is the server's.
//!
//! An [`Exchange`] receives the client's messages one by one and returns the next step: a
//! challenge, a request for the [`Verifier`] of a user, or a [`Claim`], to be checked by
//! [`Claim::holds`].
//! The owner decides which users exist, what they may do, and how often a wrong password may be
//! tried. So that nobody can find out which users exist, the owner gives a verifier for an unknown
//! user, too ([`Verifier::of_nobody`]).
//!
//! The mechanisms are PLAIN and LOGIN, which send the password, and SCRAM-SHA-256, which does not.
//! All are checked against a verifier: the password itself is not stored. A [`BearerMechanism`]
//! carries an OAuth token instead; the relay offers none to its own users.

mod bearer;
pub mod client;
mod exchange;
mod mechanism;
mod plain;
mod scram;
mod verifier;

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

pub use self::bearer::{BearerClaim, BearerMechanism, RefusedBearer};
pub use self::exchange::{Exchange, Salting, Step};
pub use self::mechanism::Mechanism;
pub use self::verifier::Verifier;

/// Channel binding, which ties a SCRAM exchange to its TLS connection: the exporter of RFC 9266
/// (`tls-exporter`), 32 octets that only the two ends of this connection know.
pub type Binding = [u8; 32];

/// The most octets of a user's name, [prepared](prepare); no user has a longer one.
pub const LONGEST_NAME: usize = 255;

/// A client's claim to be a user, with its proof. It is unproved until [`Claim::holds`].
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    mechanism: Mechanism,
    user: String,
    proof: Proof,
}

#[derive(Clone, PartialEq, Eq)]
enum Proof {
    /// The password, in clear; wiped when the claim is dropped.
    Password(Zeroizing<String>),
    /// SCRAM's proof that the client knows the password.
    Scram(scram::Proof),
}

impl Claim {
    /// Returns the mechanism of the proof.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Returns the user that the client claims to be, [prepared](prepare); never empty.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns true if this verifier confirms the claim. For a password this takes some
    /// milliseconds, the same for any password.
    pub fn holds(&self, verifier: &Verifier) -> bool {
        match &self.proof {
            Proof::Password(password) => verifier.is_of(password),
            Proof::Scram(proof) => proof.holds(verifier),
        }
    }

    /// Returns the server's own proof (RFC 5802 section 3), in base64, if the mechanism has one. It
    /// goes to the client before the success, and the client acknowledges it.
    pub fn receipt(&self) -> Option<String> {
        match &self.proof {
            Proof::Password(_) => None,
            Proof::Scram(proof) => Some(proof.receipt()),
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Reason why a client's message ends its exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// The response is not padded base64.
    #[error("response is not base64")]
    Base64,
    /// The response is malformed for the mechanism.
    #[error("response is not of the form that the mechanism asks for")]
    Form,
    /// The client wants to act for another user than it authenticates as.
    #[error("acting for another user is not allowed")]
    OtherUser,
    /// The channel binding is wrong: there may be a man in the middle, or one side does not know
    /// the offer of the other (RFC 5802 section 6).
    #[error("the channel binding does not fit the connection or what is offered on it")]
    Binding,
    /// The response is to another challenge: its nonce is not ours (RFC 5802 section 5.1).
    #[error("the nonce is not the one of this exchange")]
    Nonce,
    /// The client cancelled the exchange by `*`.
    #[error("cancelled")]
    Cancelled,
    /// The system gave no random octets.
    #[error("no random octets could be had")]
    Random,
}

/// Normalises a user's name or password for comparison (SASLprep, RFC 4013): different spellings of
/// the same text become equal. A text with forbidden characters, such as control characters, is
/// returned as it is.
pub fn prepare(text: &str) -> Cow<'_, str> {
    stringprep::saslprep(text).unwrap_or(Cow::Borrowed(text))
}
