//! AUTH (RFC 4954 section 4): the exchange in commands and replies.

use std::fmt;

use gatepost_sasl::client::{Begun, Channel, Exchange, ExchangeError, LONGEST_LINE, Login};
use zeroize::Zeroizing;

use super::{Capabilities, LoginError};
use crate::reply::Reply;

/// The most octets of a command with its CRLF (RFC 5321 section 4.5.3.1.4). An initial response
/// that does not fit is sent when the server asks for it.
const LONGEST_COMMAND: usize = 512;

/// Line that holds a secret: it is wiped when it is dropped, and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretLine {
    line: Zeroizing<Vec<u8>>,
    shown: String,
}

impl SecretLine {
    fn new(before: &str, secret: &str) -> Self {
        let octets = [before.as_bytes(), secret.as_bytes(), b"\r\n"].concat();
        let mask = if secret.is_empty() { "" } else { "***" };
        Self {
            line: Zeroizing::new(octets),
            shown: format!("{before}{mask}"),
        }
    }

    /// Returns the octets to send.
    pub fn octets(&self) -> &[u8] {
        &self.line
    }
}

/// Writes the line without its secret, such as `AUTH PLAIN ***`.
impl fmt::Display for SecretLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for SecretLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretLine({self})")
    }
}

/// Exchange that waits for the server's reply.
pub(super) struct Auth {
    exchange: Exchange,
    /// Initial response that did not fit into the command.
    held: Option<Zeroizing<String>>,
}

impl Auth {
    /// Begins the log-in; returns the command.
    pub(super) fn begin(
        login: &Login,
        offer: &Capabilities,
        channel: Option<&Channel>,
    ) -> Result<(SecretLine, Self), LoginError> {
        let channel = channel.ok_or(LoginError::NotEncrypted)?;
        let Begun {
            mechanism,
            initial,
            exchange,
        } = Exchange::begin(login, &offer.auth, channel).map_err(|error| match error {
            ExchangeError::NoMechanism { offered, .. } => ExchangeError::NoMechanism {
                offered,
                others: offer.other_auth.clone(),
            },
            error => error,
        })?;
        let command = format!("AUTH {mechanism}");
        let fits = |initial: &Zeroizing<String>| {
            command.len() + " ".len() + initial.len() + "\r\n".len() <= LONGEST_COMMAND
        };
        Ok(match initial {
            Some(initial) if fits(&initial) => {
                let command = SecretLine::new(&format!("{command} "), &initial);
                (command, Self::new(exchange, None))
            }
            held => (SecretLine::new(&command, ""), Self::new(exchange, held)),
        })
    }

    fn new(exchange: Exchange, held: Option<Zeroizing<String>>) -> Self {
        Self { exchange, held }
    }

    /// Answers the challenge of a 334.
    pub(super) fn answer(&mut self, challenge: &Reply) -> Result<SecretLine, LoginError> {
        let response = match self.held.take() {
            // The server says go on, and nothing else.
            Some(initial) => initial,
            // A long challenge is one line, which a reply keeps in pieces.
            None => self.exchange.answer(&challenge.lines().concat())?,
        };
        match response.len() + "\r\n".len() <= LONGEST_LINE {
            true => Ok(SecretLine::new("", &response)),
            false => Err(LoginError::TooLong),
        }
    }

    /// Ends the exchange after a 235.
    pub(super) fn finish(self) -> Result<(), LoginError> {
        // The server has not even asked for the response.
        if self.held.is_some() {
            return Err(ExchangeError::Early.into());
        }
        Ok(self.exchange.finish()?)
    }

    /// Returns the reason for a refusal that the server gave inside of the exchange.
    pub(super) fn reason(&self) -> Option<String> {
        self.exchange.reason().map(str::to_owned)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exchange.fmt(f)
    }
}
