//! Mechanisms by which the relay logs in.

use std::fmt;

/// Mechanism by which a client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// SCRAM-SHA-256 bound to the TLS connection (RFC 5802 section 6, RFC 9266).
    ScramSha256Plus,
    /// Proof that the client knows the password, without sending it (RFC 5802, RFC 7677).
    ScramSha256,
    /// OAuth access token (RFC 7628).
    OauthBearer,
    /// OAuth access token, as Google and Microsoft had it before RFC 7628.
    Xoauth2,
    /// User and password in one message (RFC 4616).
    Plain,
    /// User and password, each asked for: an expired draft that Exchange Online still relies on.
    Login,
}

impl Mechanism {
    /// All mechanisms, the best first.
    pub const ALL: [Self; 6] = [
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::OauthBearer,
        Self::Xoauth2,
        Self::Plain,
        Self::Login,
    ];

    /// Returns the mechanism of that name; case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Returns the registered name, or the usual one of LOGIN and XOAUTH2.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// Returns true if the mechanism carries a token and not a password.
    pub fn takes_token(self) -> bool {
        matches!(self, Self::OauthBearer | Self::Xoauth2)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
