//! Settings of a certificate by ACME.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

/// Way of proving to the authority that a name leads to this relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ChallengeKind {
    /// A file over HTTP, on port 80 of the name (RFC 8555 section 8.3).
    #[serde(rename = "http-01")]
    Http01,
    /// A certificate in a handshake of TLS, on port 443 of the name (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
}

/// Account elsewhere that the authority binds the relay's to (RFC 8555 section 7.3.4).
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalAccount {
    /// Identifier of the key.
    pub id: String,
    /// Key of the HMAC, decoded.
    pub key: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalAccount({})", self.id)
    }
}

/// Settings of a certificate by ACME, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// URL of the authority's directory.
    pub directory: String,
    /// Mail addresses that the authority may write to.
    pub contact: Vec<String>,
    /// Names of the certificate, in A-labels and lower case; at least one.
    pub names: Vec<String>,
    /// Way of proving them.
    pub challenge: ChallengeKind,
    /// Time before the end of the certificate at which it is renewed; a third of its life if absent.
    pub renew_before: Option<Duration>,
    /// Least time from a failed attempt to the next one. It doubles with each failure.
    pub retry: Duration,
    /// Most certificates that are asked for in seven days.
    pub certificates_a_week: u32,
    /// PEM file of roots that are trusted for the directory besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// Account elsewhere.
    pub external_account: Option<ExternalAccount>,
}

impl AcmeSettings {
    /// Most names of a certificate.
    pub const MOST_NAMES: usize = 100;
}
