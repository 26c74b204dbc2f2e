//! State machine of one exchange.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::scram::{First, Flag, Last, ServerFinal};
use super::{Channel, ExchangeError, LONGEST_LINE, Login, LoginCredential, Mechanism, bearer};

/// The most octets that are kept of a server's reason for its refusal.
const LONGEST_REASON: usize = 1024;

/// Exchange that waits for the server.
pub struct Exchange {
    mechanism: Mechanism,
    due: Due,
}

/// Beginning of an exchange.
pub struct Begun {
    /// Mechanism to name in AUTH.
    pub mechanism: Mechanism,
    /// Initial response, in base64, of a mechanism in which the client speaks first.
    pub initial: Option<Zeroizing<String>>,
    /// Exchange, which waits for the server's answer.
    pub exchange: Exchange,
}

enum Due {
    /// The server may answer with success or not; a bearer mechanism may say why not.
    Answer,
    LoginUser(Box<LoginCredential>),
    LoginPassword(Box<LoginCredential>),
    ScramFirst(Box<First>),
    ScramLast(Last),
    /// The server has proved itself, and says success next.
    Proved,
    /// The server has given a reason, and refuses next.
    Refused(String),
}

impl Exchange {
    /// Begins an exchange by the first of the allowed mechanisms that the server offers and that
    /// can carry the credential.
    ///
    /// # Errors
    /// There is no such mechanism, or the system gave no random octets.
    pub fn begin(
        login: &Login,
        offered: &[Mechanism],
        channel: &Channel,
    ) -> Result<Begun, ExchangeError> {
        let credential = &login.credential;
        let usable = |mechanism: &&Mechanism| {
            offered.contains(mechanism)
                && credential.suits(**mechanism)
                && (**mechanism != Mechanism::ScramSha256Plus || channel.binding.is_some())
        };
        let Some(&mechanism) = login.mechanisms.iter().find(usable) else {
            let offered = offered.to_vec();
            let others = Vec::new();
            return Err(ExchangeError::NoMechanism { offered, others });
        };
        let flag = match (mechanism, channel.binding) {
            (Mechanism::ScramSha256Plus, Some(binding)) => Flag::Bound(binding),
            (_, Some(_)) if !offered.contains(&Mechanism::ScramSha256Plus) => Flag::NotOffered,
            _ => Flag::CannotBind,
        };
        let (message, due) = match mechanism {
            Mechanism::ScramSha256Plus | Mechanism::ScramSha256 => {
                let first = Box::new(First::new(credential, flag)?);
                let message = Zeroizing::new(first.message());
                (Some(message), Due::ScramFirst(first))
            }
            Mechanism::OauthBearer => (Some(bearer::oauthbearer(credential, channel)), Due::Answer),
            Mechanism::Xoauth2 => (Some(bearer::xoauth2(credential)), Due::Answer),
            // RFC 4616 section 2: the server prepares name and password, the client does not.
            Mechanism::Plain => {
                let (user, password) = (credential.user(), credential.secret().as_str());
                let message = Zeroizing::new(["\0", user, "\0", password].concat());
                (Some(message), Due::Answer)
            }
            Mechanism::Login => (None, Due::LoginUser(Box::new(credential.clone()))),
        };
        Ok(Begun {
            mechanism,
            initial: message.map(|message| encode(&message)),
            exchange: Self { mechanism, due },
        })
    }

    /// Answers a challenge; both are in base64.
    ///
    /// # Errors
    /// The challenge is not one to be answered. The client then cancels the exchange.
    pub fn answer(&mut self, challenge: &str) -> Result<Zeroizing<String>, ExchangeError> {
        if challenge.len() > LONGEST_LINE {
            return Err(ExchangeError::TooLong);
        }
        // An exchange whose challenge could not be answered has failed, whatever comes after.
        let due = std::mem::replace(&mut self.due, Due::Refused(String::new()));
        let (response, due) = match due {
            // What these challenges say differs from server to server, and tells nothing.
            Due::LoginUser(credential) => {
                let user = Zeroizing::new(credential.user().to_owned());
                (user, Due::LoginPassword(credential))
            }
            Due::LoginPassword(credential) => (credential.secret().clone(), Due::Answer),
            Due::ScramFirst(first) => {
                let (response, last) = first.answer(&text(challenge)?)?;
                (Zeroizing::new(response), Due::ScramLast(last))
            }
            Due::ScramLast(last) => match last.check(&text(challenge)?)? {
                ServerFinal::Proved => (Zeroizing::default(), Due::Proved),
                ServerFinal::Refused(why) => (Zeroizing::default(), Due::Refused(reason(&why))),
            },
            Due::Answer if self.mechanism.takes_token() => {
                let acknowledgement = match self.mechanism {
                    Mechanism::OauthBearer => "\x01", // RFC 7628 section 3.2.3
                    _ => "",
                };
                let due = Due::Refused(reason(&text(challenge)?));
                (Zeroizing::new(acknowledgement.to_owned()), due)
            }
            Due::Answer | Due::Proved | Due::Refused(_) => {
                return Err(ExchangeError::Form);
            }
        };
        self.due = due;
        Ok(encode(&response))
    }

    /// Ends the exchange after the server's success.
    ///
    /// # Errors
    /// The server has not proved what the mechanism makes it prove, or had refused before.
    pub fn finish(self) -> Result<(), ExchangeError> {
        match self.due {
            Due::Answer | Due::Proved => Ok(()),
            Due::ScramFirst(_) | Due::ScramLast(_) => Err(ExchangeError::Unproved),
            Due::LoginUser(_) | Due::LoginPassword(_) => Err(ExchangeError::Early),
            Due::Refused(_) => Err(ExchangeError::Form),
        }
    }

    /// Returns the reason that the server has given for its refusal, such as an error in JSON.
    /// It is printable and bounded.
    pub fn reason(&self) -> Option<&str> {
        match &self.due {
            Due::Refused(reason) if !reason.is_empty() => Some(reason),
            _ => None,
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}

fn encode(message: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(message))
}

fn text(challenge: &str) -> Result<String, ExchangeError> {
    let octets = STANDARD
        .decode(challenge)
        .map_err(|_| ExchangeError::Base64)?;
    String::from_utf8(octets).map_err(|_| ExchangeError::Form)
}

/// Returns a server's reason, cut and without control characters.
fn reason(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let text = &text[..text.floor_char_boundary(LONGEST_REASON)];
    text.chars().map(clean).collect()
}
