//! Failures of a session, and the stage of its opening at which they come.

use std::fmt;

use gatepost_sasl::client::ExchangeError;

use super::Stage;
use crate::reply::Reply;

/// Stage in the opening of a session, before any message is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpeningStage {
    /// The TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The server's banner.
    Greeting,
    /// EHLO, LHLO or HELO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
}

impl OpeningStage {
    /// Returns the stage in one word, for keys and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
        }
    }
}

/// Writes the stage as in `in reply to EHLO`.
impl fmt::Display for OpeningStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect | Self::Greeting => "the connection",
            Self::Tls => "the TLS handshake",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
        })
    }
}

/// Reason why a connection is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server refused the session before it was open. That says nothing about any message.
    #[error(
        "next hop refuses the session in reply to {stage}: {reply}{}",
        words(reason)
    )]
    SessionRefused {
        /// Stage that was refused.
        stage: OpeningStage,
        /// Reply of the server.
        reply: Reply,
        /// Reason that the server gave inside of AUTH, such as an error in JSON.
        reason: Option<String>,
    },
    /// The server ended an open session.
    #[error("next hop ended the session in reply to {}: {reply}", stage.name())]
    SessionEnded {
        /// Stage of the transaction that the reply answers.
        stage: Stage,
        /// Reply of the server.
        reply: Reply,
    },
    /// TLS is required and not offered.
    #[error("next hop does not offer STARTTLS, which the route requires")]
    TlsNotOffered,
    /// The handshake failed.
    #[error("TLS handshake with the next hop failed: {0}")]
    Tls(String),
    /// This side did not log in, or does not believe that it has.
    #[error("cannot log in at the next hop: {0}")]
    Login(#[from] LoginError),
    /// The server sent no valid reply, or one that is not allowed at this point.
    #[error("next hop broke the protocol: {0}")]
    Protocol(String),
    /// The connection ended or an I/O error ended it.
    #[error("connection to the next hop was lost: {0}")]
    Disconnected(String),
    /// The server was silent for too long.
    #[error("next hop did not answer in time")]
    TimedOut,
}

/// Reason why this side does not log in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The session is not encrypted.
    #[error(
        "the session is not encrypted, and a log-in is never sent in plaintext; the server must \
         offer STARTTLS, or be reached by implicit TLS"
    )]
    NotEncrypted,
    /// The response does not fit into a line of AUTH.
    #[error("the response to the server's challenge is too long for AUTH")]
    TooLong,
    /// The exchange failed on this side.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

impl Failure {
    /// Returns the failure as a reply, for the queue and for reports (RFC 3463). It is always
    /// transient: a message waits until its next hop is repaired.
    pub fn reply(&self) -> Reply {
        let (code, enhanced) = match self {
            Self::SessionRefused {
                stage: OpeningStage::StartTls,
                reply,
                ..
            } => {
                let text = "next hop refuses STARTTLS, which the route requires";
                return Reply::new(450, "4.7.4", format!("{text}: {reply}"));
            }
            Self::SessionRefused { reply, .. } | Self::SessionEnded { reply, .. }
                if reply.is_transient() =>
            {
                return reply.clone();
            }
            Self::SessionRefused {
                stage: OpeningStage::Auth,
                ..
            } => (451, "4.7.8"),
            // RFC 3463: X.3.2, system not accepting network messages.
            Self::SessionRefused { .. } | Self::SessionEnded { .. } => (451, "4.3.2"),
            Self::TlsNotOffered => (450, "4.7.4"),
            Self::Tls(_) => (454, "4.7.5"),
            // RFC 4954 section 6: encryption is required for the mechanism.
            Self::Login(LoginError::NotEncrypted) => (451, "4.7.11"),
            Self::Login(_) => (451, "4.7.8"),
            Self::Protocol(_) => (451, "4.5.0"),
            Self::Disconnected(_) | Self::TimedOut => (451, "4.4.2"),
        };
        Reply::new(code, enhanced, self.to_string())
    }

    /// Returns true if a later try will fail in the same way, as far as is known: the server has
    /// refused for good, or this side cannot accept what the server offers.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::SessionRefused { reply, .. } | Self::SessionEnded { reply, .. } => {
                reply.is_permanent()
            }
            Self::TlsNotOffered | Self::Login(_) => true,
            Self::Tls(_) | Self::Protocol(_) | Self::Disconnected(_) | Self::TimedOut => false,
        }
    }
}

fn words(reason: &Option<String>) -> String {
    match reason {
        Some(reason) => format!(" ({reason})"),
        None => String::new(),
    }
}
