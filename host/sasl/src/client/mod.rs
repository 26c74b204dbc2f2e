//! The client's side of SASL (RFC 4422), without I/O: the relay logs in at another server.
//!
//! [`Exchange::begin`] chooses the mechanism from what the server offers, in the order that the
//! connection prefers, and [`Exchange::answer`] answers the server's challenges one by one. When
//! the server says that the log-in succeeded, [`Exchange::finish`] tells if the server has proved
//! itself as far as the mechanism asks for it.
//!
//! No exchange begins without a [`Channel`], which its owner makes of a TLS connection and of
//! nothing else.

mod bearer;
mod credential;
mod error;
mod exchange;
mod mechanism;
mod scram;

pub use self::credential::{CredentialError, Login, LoginCredential};
pub use self::error::ExchangeError;
pub use self::exchange::{Begun, Exchange};
pub use self::mechanism::Mechanism;
use crate::Binding;

/// The most octets of a challenge or response in base64 (RFC 4954 section 4, with CRLF).
pub const LONGEST_LINE: usize = 12_288;

/// Encrypted connection to a server, without which no secret is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Channel {
    host: String,
    port: u16,
    binding: Option<Binding>,
}

impl Channel {
    /// Makes the channel of a finished TLS handshake with this server; `binding` is what the
    /// connection exports for channel binding (RFC 9266), if it can.
    pub fn encrypted(host: impl Into<String>, port: u16, binding: Option<Binding>) -> Self {
        Self {
            host: host.into(),
            port,
            binding,
        }
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
