//! Answer about a domain: its servers, and the TLS that each needs.

use std::net::IpAddr;

/// Servers for the mail of a domain, best first; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxRoute {
    /// Domain in A-labels and lower case, or an address literal in brackets.
    pub domain: String,
    /// Servers in the order in which to try them.
    pub candidates: Vec<Candidate>,
}

/// Server that takes mail of the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Name in A-labels and lower case, or an address.
    pub host: String,
    /// Addresses in the order in which to try them, at least one. They are checked: nothing else
    /// may be connected to, and the name is not resolved again.
    pub addresses: Vec<IpAddr>,
    /// TLS of a session with it.
    pub tls: SessionTls,
}

/// TLS of a session with a server that MX named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionTls {
    /// TLS if the server offers it, with any certificate.
    Opportunistic,
    /// TLS with a certificate that a trusted root signed for this name. Without it nothing is sent,
    /// and the message waits.
    Verified {
        /// Name that the certificate has to be for: the server's.
        name: String,
        /// Authority that demands it.
        required: Required,
    },
}

/// Authority that demands TLS. DANE and REQUIRETLS would be further ones.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Required {
    /// MTA-STS policy of the recipient's domain, in mode `enforce` (RFC 8461).
    MtaSts {
        /// Domain whose policy it is.
        domain: String,
        /// Id of the policy.
        id: String,
    },
}
