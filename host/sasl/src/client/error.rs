//! Errors of an exchange.

use super::Mechanism;
use super::scram::ITERATIONS;

/// Reason why the relay cannot log in, or does not believe that it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The server offers no mechanism that is allowed and can carry the credential.
    #[error(
        "the server offers no mechanism that this connection allows and its credential can use \
         (offered: {})",
        names(offered, others)
    )]
    NoMechanism {
        /// Known mechanisms that the server offers.
        offered: Vec<Mechanism>,
        /// Names of the mechanisms that the server offers and nobody here knows.
        others: Vec<String>,
    },
    /// The challenge is not base64.
    #[error("the server's challenge is not base64")]
    Base64,
    /// The challenge is malformed, or comes where the mechanism has none.
    #[error("the server's challenge is not one that the mechanism allows here")]
    Form,
    /// The challenge is longer than the protocol allows.
    #[error("the server's challenge is too long")]
    TooLong,
    /// The challenge answers another exchange (RFC 5802 section 5.1).
    #[error("the nonce in the server's challenge is not the one of this exchange")]
    Nonce,
    /// The server asks for too few rounds of the key derivation, so that the password could be
    /// guessed from the answer, or for too many, so that each log-in would cost seconds.
    #[error(
        "the server asks for {rounds} rounds of key derivation; {} to {} are allowed",
        ITERATIONS.start(), ITERATIONS.end(), rounds = .0
    )]
    Iterations(u32),
    /// The server does not know the password's verifier: it is not the server that it claims to be,
    /// or somebody stands between.
    #[error("the server has not proved that it knows the password")]
    Unproved,
    /// The server says that the log-in succeeded, before the client has sent all.
    #[error("the server accepted the log-in before it was complete")]
    Early,
    /// The system gave no random octets.
    #[error("no random octets could be had")]
    Random,
}

fn names(mechanisms: &[Mechanism], others: &[String]) -> String {
    let known = mechanisms.iter().map(|of| of.name());
    let names: Vec<&str> = known.chain(others.iter().map(String::as_str)).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}
