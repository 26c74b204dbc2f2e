//! Destinations: the server that a message is handed to, and how.

use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

/// Use of TLS on the connection to a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// No TLS.
    None,
    /// Optional: used if offered, with any certificate.
    #[default]
    Opportunistic,
    /// Mandatory, with a certificate that verifies; else the message waits.
    Required,
}

/// Protocol of a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// SMTP (RFC 5321).
    #[default]
    Smtp,
    /// LMTP (RFC 2033).
    Lmtp,
}

impl Protocol {
    /// Returns true for the default, which serialisation leaves out.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
    fn is_smtp(&self) -> bool {
        *self == Self::Smtp
    }
}

/// Server that a message is handed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NextHop {
    /// Domain name, in characters or A-labels, or address literal without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Use of TLS.
    #[serde(default)]
    pub tls: TlsMode,
    /// Protocol of the server.
    #[serde(default, skip_serializing_if = "Protocol::is_smtp")]
    pub protocol: Protocol,
}

/// Routing of an attempt at delivery, by a policy or else by the default route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Absence of an opinion.
    Pass,
    /// Delivered to this server.
    NextHop(NextHop),
    /// Deferred, with a 4xx reply.
    Defer(Reply),
    /// Failed for good, with a 5xx reply.
    Fail(Reply),
}
