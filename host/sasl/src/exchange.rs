//! State machine of one exchange.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::scram::{Challenge, ClientFirst};
use crate::{Binding, Claim, Mechanism, Proof, SaslError, Verifier, plain};

/// Challenge of LOGIN for the user: `Username:` in base64.
const USER_CHALLENGE: &str = "VXNlcm5hbWU6";

/// Challenge of LOGIN for the password: `Password:` in base64.
const PASSWORD_CHALLENGE: &str = "UGFzc3dvcmQ6";

/// An exchange that waits for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange(Waiting);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Waiting {
    Plain,
    LoginUser,
    LoginPassword {
        user: String,
    },
    ScramFirst {
        mechanism: Mechanism,
        binding: Option<Binding>,
    },
    ScramLast {
        mechanism: Mechanism,
        challenge: Box<Challenge>,
    },
}

/// An exchange that waits for a user's verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salting {
    mechanism: Mechanism,
    first: Box<ClientFirst>,
}

/// Next step of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this challenge, which is in base64, and hand in the client's response.
    Challenge(String, Exchange),
    /// Find the verifier of [the user](Salting::user).
    Salt(Salting),
    /// Check this claim: the client has sent all its messages.
    Claim(Claim),
}

impl Exchange {
    /// Begins an exchange; also returns the challenge for a client that has sent no initial
    /// response. `binding` is the channel binding of the connection.
    pub fn begin(mechanism: Mechanism, binding: Option<Binding>) -> (&'static str, Self) {
        let (challenge, waiting) = match mechanism {
            Mechanism::Plain => ("", Waiting::Plain),
            Mechanism::Login => (USER_CHALLENGE, Waiting::LoginUser),
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
                ("", Waiting::ScramFirst { mechanism, binding })
            }
        };
        (challenge, Self(waiting))
    }

    /// Continues with the client's response, in base64.
    ///
    /// # Errors
    /// Any [`SaslError`]; it ends the exchange.
    pub fn respond(self, response: &[u8]) -> Result<Step, SaslError> {
        if response == b"*" {
            return Err(SaslError::Cancelled);
        }
        // In PLAIN and LOGIN it holds the password.
        let octets = Zeroizing::new(STANDARD.decode(response).map_err(|_| SaslError::Base64)?);
        let message = str::from_utf8(&octets).map_err(|_| SaslError::Form)?;
        Ok(match self.0 {
            Waiting::Plain => Step::Claim(plain::plain(message)?),
            Waiting::LoginUser => {
                let waiting = Waiting::LoginPassword {
                    user: message.to_owned(),
                };
                Step::Challenge(PASSWORD_CHALLENGE.to_owned(), Self(waiting))
            }
            Waiting::LoginPassword { user } => Step::Claim(plain::login(&user, message)?),
            Waiting::ScramFirst { mechanism, binding } => {
                let plus = mechanism == Mechanism::ScramSha256Plus;
                let first = Box::new(ClientFirst::parse(message, plus, binding)?);
                Step::Salt(Salting { mechanism, first })
            }
            Waiting::ScramLast {
                mechanism,
                challenge,
            } => {
                let (user, proof) = challenge.read_client_final(message)?;
                Step::Claim(Claim {
                    mechanism,
                    user,
                    proof: Proof::Scram(proof),
                })
            }
        })
    }
}

impl Salting {
    /// Returns the user whose verifier is needed, [prepared](crate::prepare); never empty.
    pub fn user(&self) -> &str {
        &self.first.user
    }

    /// Continues with the verifier. Returns the challenge, in base64, and the exchange that waits
    /// for the response.
    ///
    /// # Errors
    /// [`SaslError::Random`] if no nonce could be made.
    pub fn with(self, verifier: Verifier) -> Result<(String, Exchange), SaslError> {
        let challenge = Box::new(self.first.challenge(verifier)?);
        let message = STANDARD.encode(&challenge.message);
        let waiting = Waiting::ScramLast {
            mechanism: self.mechanism,
            challenge,
        };
        Ok((message, Exchange(waiting)))
    }
}
