//! Supported mechanisms.

use std::fmt;

/// Mechanism by which a user authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// User and password in one message (RFC 4616).
    Plain,
    /// User and password, each asked for: an expired draft that every mail client still supports.
    Login,
    /// Proof that the user knows the password, without sending it (RFC 5802, RFC 7677).
    ScramSha256,
    /// SCRAM-SHA-256 bound to the TLS connection (RFC 5802 section 6, RFC 9266).
    ScramSha256Plus,
}

impl Mechanism {
    /// Returns the mechanisms to offer, the best first. The one with channel binding is offered
    /// only where there is a [`Binding`](crate::Binding).
    pub fn offered(with_binding: bool) -> &'static [Self] {
        const ALL: &[Mechanism] = &[
            Mechanism::ScramSha256Plus,
            Mechanism::ScramSha256,
            Mechanism::Plain,
            Mechanism::Login,
        ];
        match with_binding {
            true => ALL,
            false => &ALL[1..],
        }
    }

    /// Returns the offered mechanism of that name; case does not matter.
    pub fn parse(name: &str, with_binding: bool) -> Option<Self> {
        let mut offered = Self::offered(with_binding).iter().copied();
        offered.find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Returns the registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
