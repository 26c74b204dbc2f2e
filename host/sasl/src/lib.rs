//! SASL (RFC 4422) as a server speaks it, without I/O.
//!
//! An [`Exchange`] is handed the client's messages one by one and says what comes next: a challenge,
//! a question for the [`Verifier`] of a user, or a [`Claim`], which holds or does not
//! ([`Claim::holds`]). Who exists, what somebody may do and how often a wrong password may be tried
//! are the owner's affairs; so that nobody learns who exists, the owner answers for an unknown user
//! with a verifier, too ([`Verifier::of_nobody`]).
//!
//! The mechanisms are PLAIN and LOGIN, in which the password is said, and
//! SCRAM-SHA-256, in which it is not. All are checked against a verifier: the password
//! itself is kept nowhere.

mod exchange;
mod mechanism;
mod plain;
mod scram;
mod verifier;

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

pub use self::exchange::{Exchange, Salting, Step};
pub use self::mechanism::Mechanism;
pub use self::verifier::Verifier;

/// What ties a SCRAM exchange to the TLS connection that it is held on: the exporter of RFC 9266
/// (`tls-exporter`), 32 octets that only the two ends of this connection know.
pub type Binding = [u8; 32];

/// Octets of a user's name, [prepared](prepare): longer ones are nobody's.
pub const LONGEST_NAME: usize = 255;

/// What a client says of itself, with what it offers as proof. Nothing is true of it before
/// [`Claim::holds`].
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    mechanism: Mechanism,
    user: String,
    proof: Proof,
}

#[derive(Clone, PartialEq, Eq)]
enum Proof {
    /// The password, in clear; wiped with the claim.
    Password(Zeroizing<String>),
    /// That the client has it.
    Scram(scram::Proof),
}

impl Claim {
    /// How it is proved.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Who the client says it is, [prepared](prepare); never empty.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether this verifier bears the claim out. For a password it is some milliseconds of work,
    /// the same whatever the password is.
    pub fn holds(&self, verifier: &Verifier) -> bool {
        match &self.proof {
            Proof::Password(password) => verifier.is_of(password),
            Proof::Scram(proof) => proof.holds(verifier),
        }
    }

    /// The server's own proof (RFC 5802 section 3), in base64: it goes to the client before the
    /// success does, where the mechanism has one, and the client acknowledges it.
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

/// Why a client's message ends its exchange.
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
    /// Somebody may stand between the client and us, or one of them does not know what the other
    /// offers (RFC 5802 section 6).
    #[error("the channel binding does not fit the connection or what is offered on it")]
    Binding,
    /// The answer is to another challenge than ours: its nonce is not the one that we gave (RFC 5802
    /// section 5.1).
    #[error("the nonce is not the one of this exchange")]
    Nonce,
    /// The client gave it up, by `*`.
    #[error("cancelled")]
    Cancelled,
    /// No random octets could be had.
    #[error("no random octets could be had")]
    Random,
}

/// A user's name or password as it is compared (SASLprep, RFC 4013): different spellings of the
/// same text are the same. What must not be in one, such as control characters, stays as it is.
pub fn prepare(text: &str) -> Cow<'_, str> {
    stringprep::saslprep(text).unwrap_or(Cow::Borrowed(text))
}
