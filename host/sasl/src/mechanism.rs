//! The mechanisms that are spoken here.

use std::fmt;

/// How a user proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// User and password in one message (RFC 4616).
    Plain,
    /// User and password, each asked for: an expired draft that every mail client still speaks.
    Login,
    /// That the user has the password, without saying it (RFC 5802, RFC 7677).
    ScramSha256,
    /// The same, tied to the TLS connection (RFC 5802 section 6, RFC 9266).
    ScramSha256Plus,
}

impl Mechanism {
    /// Those that can be offered, what is best first; the last kind where there is a
    /// [`Binding`](crate::Binding).
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

    /// The mechanism of that name, in any case, of those that are offered.
    pub fn parse(name: &str, with_binding: bool) -> Option<Self> {
        let mut offered = Self::offered(with_binding).iter().copied();
        offered.find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Its registered name.
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
