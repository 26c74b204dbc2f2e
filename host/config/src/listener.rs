//! Listeners: addresses on which clients connect.

use std::net::{IpAddr, SocketAddr};

use gatepost_model::Flow;
use gatepost_smtp::server::Trust;
use ipnet::IpNet;
use serde::Deserialize;

/// Socket that takes mail, with the chain that judges it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listener {
    /// Name in logs, metrics and `gatepost check --listener`.
    pub name: String,
    /// Address and port. Port 0 takes a free port, which is printed.
    pub address: SocketAddr,
    /// Direction of its mail.
    pub direction: Direction,
    /// Use of TLS.
    #[serde(default)]
    pub tls: ListenerTls,
    /// True if clients may log in, under TLS.
    #[serde(default = "default_true")]
    pub auth: bool,
    /// Networks whose connections must begin with a PROXY protocol v2 header. From all others it is
    /// refused, because it could claim any address.
    #[serde(default)]
    pub proxy_from: Vec<IpNet>,
    /// Networks whose clients may use XCLIENT to speak for another client, who then counts in their
    /// place.
    #[serde(default)]
    pub xclient_from: Vec<IpNet>,
    /// Networks whose clients may use XFORWARD to name the original client, for the record.
    #[serde(default)]
    pub xforward_from: Vec<IpNet>,
    /// Part of the connections in `[limits]` that only this listener takes. If absent, a fair share
    /// of half of them.
    pub reserved_connections: Option<usize>,
    /// Names of the policies that judge its mail, in order.
    #[serde(default)]
    pub chain: Vec<String>,
}

impl Listener {
    /// Returns true if connections from this address must begin with a PROXY header.
    pub fn expects_proxy_header(&self, peer: IpAddr) -> bool {
        any_contains(&self.proxy_from, peer)
    }

    /// Returns which of XCLIENT and XFORWARD a client may use. Behind a PROXY header, `client` is
    /// the address in the header.
    pub fn trust(&self, client: IpAddr) -> Trust {
        Trust {
            xclient: any_contains(&self.xclient_from, client),
            xforward: any_contains(&self.xforward_from, client),
        }
    }
}

fn default_true() -> bool {
    true
}

fn any_contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Direction of a listener's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Mail from other servers for the accounts' domains.
    Inbound,
    /// Mail from the accounts' users, who must authenticate before MAIL.
    Submission,
}

impl Direction {
    /// Returns the flow in the terms of policies.
    pub fn flow(self) -> Flow {
        match self {
            Self::Inbound => Flow::Inbound,
            Self::Submission => Flow::Submission,
        }
    }
}

/// Use of TLS on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListenerTls {
    /// No TLS.
    None,
    /// STARTTLS is offered (RFC 3207).
    #[default]
    Starttls,
    /// STARTTLS is required before mail (RFC 3207 section 4).
    RequiredStarttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// Returns true if the system lets only one of two addresses be listened on: they are the same, or
/// one of them is every address of the other's family.
pub fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() != 0
        && one.port() == other.port()
        && a.is_ipv4() == b.is_ipv4()
        && (a == b || a.is_unspecified() || b.is_unspecified())
}
