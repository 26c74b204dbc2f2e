//! Where clients connect.

use std::net::{IpAddr, SocketAddr};

use gatepost_model::Flow;
use gatepost_smtp::server::Trust;
use ipnet::IpNet;
use serde::Deserialize;

/// A socket that takes mail, and the chain that judges it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listener {
    /// Names it in logs, metrics and `gatepost check --listener`.
    pub name: String,
    /// Port 0 takes a free one, which is printed.
    pub address: SocketAddr,
    /// Which way its mail travels.
    pub direction: Direction,
    /// Whether and how it speaks TLS.
    #[serde(default)]
    pub tls: ListenerTls,
    /// Whether clients may log in, under TLS.
    #[serde(default = "yes")]
    pub auth: bool,
    /// Networks whose connections must begin with a PROXY protocol v2 header; it is refused from
    /// all others, who could claim any address with it.
    #[serde(default)]
    pub proxy_from: Vec<IpNet>,
    /// Networks whose clients may say with XCLIENT that they speak for another, who then counts
    /// in their place.
    #[serde(default)]
    pub xclient_from: Vec<IpNet>,
    /// Networks whose clients may say with XFORWARD whose mail they pass on; it goes on record.
    #[serde(default)]
    pub xforward_from: Vec<IpNet>,
    /// Connections, of those in `[limits]`, that only this listener takes; a fair share of half of
    /// them where it is not said.
    pub reserved_connections: Option<usize>,
    /// Names of the policies that judge its mail, in order.
    #[serde(default)]
    pub chain: Vec<String>,
}

impl Listener {
    /// Whether a connection from this address must begin with a PROXY header.
    pub fn expects_proxy_header(&self, peer: IpAddr) -> bool {
        holds(&self.proxy_from, peer)
    }

    /// What a client at this address may say of others; behind a PROXY header, the address that
    /// the header tells.
    pub fn trust(&self, client: IpAddr) -> Trust {
        Trust {
            xclient: holds(&self.xclient_from, client),
            xforward: holds(&self.xforward_from, client),
        }
    }
}

fn yes() -> bool {
    true
}

fn holds(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Which way a listener's mail travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the world, for the accounts' domains.
    Inbound,
    /// From the accounts' users, who must authenticate before MAIL.
    Submission,
}

impl Direction {
    /// The same in the policies' terms.
    pub fn flow(self) -> Flow {
        match self {
            Self::Inbound => Flow::Inbound,
            Self::Submission => Flow::Submission,
        }
    }
}

/// How a listener speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListenerTls {
    /// Never.
    None,
    /// When the client asks for it (RFC 3207).
    #[default]
    Starttls,
    /// No mail without STARTTLS (RFC 3207 section 4).
    RequiredStarttls,
    /// From the first octet (RFC 8314).
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
