//! Connectors: domains of customers that are connected.

use std::{fmt, net::IpAddr};

use gatepost_message::{Domain, Millis};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{AccountId, ConnectorId, Name, word::words};

words! {
    /// Direction of the mail that passes through the relay.
    pub enum ConnectorKind {
        /// Both directions: the customer's server relays mail to us with credentials of the domain.
        TwoWay = "two-way",
        /// Outgoing mail only; incoming mail is forwarded to us.
        OutboundOnly = "outbound-only",
        /// No mail passes through the customer's server on its way out, and incoming mail is
        /// forwarded to us.
        Forwarded = "forwarded",
    }
}

words! {
    /// Authentication mechanism that the customer's server expects of us.
    pub enum Protocol {
        /// SASL PLAIN (RFC 4616).
        Plain = "PLAIN",
        /// LOGIN, which has no standard and is common.
        Login = "LOGIN",
        /// SASL SCRAM-SHA-256 (RFC 7677).
        ScramSha256 = "SCRAM-SHA-256",
    }
}

words! {
    /// State of a connected domain.
    pub enum ConnectorState {
        /// The account claims the domain. This has no effect, and other accounts may claim it too.
        Claimed = "claimed",
        /// The account owns the domain: its support addresses receive, its credentials work.
        Verified = "verified",
        /// The account owned the domain: its support addresses still receive, its credentials do
        /// not work.
        Disconnected = "disconnected",
    }
}

impl ConnectorState {
    /// Returns true if the domain's support addresses receive.
    pub fn receives(self) -> bool {
        self != Self::Claimed
    }
}

/// Known forwarders of the mail of a connected domain, where it comes without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Forwarders {
    /// Networks of their servers.
    pub networks: Vec<IpNet>,
    /// Domains of their DKIM signatures.
    pub dkim_domains: Vec<Domain>,
    /// Domains of their ARC seals.
    pub arc_sealers: Vec<Domain>,
}

/// Mark by which a forwarder is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwarderMark {
    /// Network from which it sends.
    Network(IpNet),
    /// Domain of its DKIM signatures, or of the reverse-paths that it writes.
    DkimDomain(Domain),
    /// Domain of its ARC seals.
    ArcSealer(Domain),
}

impl ForwarderMark {
    /// Returns the network of a client: its IPv4 address, or the /64 of its IPv6 address, within
    /// which a site numbers its machines freely.
    pub fn of_client(client: IpAddr) -> Self {
        let client = client.to_canonical();
        let length = if client.is_ipv4() { 32 } else { 64 };
        let network = IpNet::new(client, length).unwrap_or(client.into());
        Self::Network(network.trunc())
    }
}

impl fmt::Display for ForwarderMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => write!(f, "network {network}"),
            Self::DkimDomain(domain) => write!(f, "domain {domain}"),
            Self::ArcSealer(domain) => write!(f, "ARC sealer {domain}"),
        }
    }
}

impl Forwarders {
    /// Most marks of each kind that are learnt.
    const MOST_LEARNT: usize = 20;

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.dkim_domains.is_empty() && self.arc_sealers.is_empty()
    }

    /// Returns true if a mark is among them.
    pub fn has(&self, mark: &ForwarderMark) -> bool {
        match mark {
            ForwarderMark::Network(network) => self.networks.contains(network),
            ForwarderMark::DkimDomain(domain) => self.dkim_domains.contains(domain),
            ForwarderMark::ArcSealer(domain) => self.arc_sealers.contains(domain),
        }
    }

    /// Adds a mark. Returns false if it was there, or no more are learnt.
    pub(crate) fn learn(&mut self, mark: ForwarderMark) -> bool {
        fn learn<T: PartialEq>(known: &mut Vec<T>, mark: T) -> bool {
            let new = known.len() < Forwarders::MOST_LEARNT && !known.contains(&mark);
            if new {
                known.push(mark);
            }
            new
        }
        match mark {
            ForwarderMark::Network(network) => learn(&mut self.networks, network),
            ForwarderMark::DkimDomain(domain) => learn(&mut self.dkim_domains, domain),
            ForwarderMark::ArcSealer(domain) => learn(&mut self.arc_sealers, domain),
        }
    }

    /// Takes these away; what is not there is nothing.
    pub(crate) fn forget(&mut self, forgotten: &Self) {
        self.networks.retain(|of| !forgotten.networks.contains(of));
        (self.dkim_domains).retain(|of| !forgotten.dkim_domains.contains(of));
        (self.arc_sealers).retain(|of| !forgotten.arc_sealers.contains(of));
    }
}

/// Domain of an account, connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Connector {
    /// Id of the connector.
    pub id: ConnectorId,
    /// Time of creation.
    pub created: Millis,
    /// State of the domain.
    pub state: ConnectorState,
    /// Known forwarders of its mail.
    #[serde(default)]
    pub forwarders: Forwarders,
    /// Claim from which it was made.
    #[serde(flatten)]
    pub claim: Claim,
    /// Data that the relay itself keeps of it.
    #[serde(flatten)]
    pub details: ConnectorDetails,
}

/// Data that the relay keeps of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ConnectorDetails {
    /// Disconnection of the domain, while it is disconnected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnected: Option<Disconnection>,
    /// True if its addresses leave in their own names only by a way that was proved. Those of an
    /// earlier version know no verification, and leave as they did until it begins.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub verifies: bool,
    /// Time at which the operator vouched for the way out through the customer's own server, for
    /// all addresses of the domain. A refusal of that server after it says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_vouched: Option<Millis>,
    /// Domain of the reverse-paths of its mail by MX, a name below it whose mail comes to this
    /// relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_path: Option<Domain>,
    /// Forwarders that were learnt from probes. They count for mail to forwarding targets alone,
    /// since the probes came there.
    #[serde(skip_serializing_if = "Forwarders::is_empty")]
    pub learnt_forwarders: Forwarders,
}

/// Disconnection of a domain or of an address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Disconnection {
    /// Time of it.
    pub at: Millis,
    /// Fate of mail that was queued before.
    pub queued: QueuedMail,
}

words! {
    /// Fate of mail that is queued when its sender is disconnected.
    pub enum QueuedMail {
        /// It is held until the sender is connected again.
        Hold = "hold",
        /// It leaves from the default address, as mail that is submitted from then on.
        Reroute = "reroute",
    }
}

/// Claim of an account to a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Claim {
    /// Account that claims it.
    pub account: AccountId,
    /// Name for people.
    pub name: Name,
    /// Domain that is claimed.
    pub domain: Domain,
    /// Direction of the mail that passes through the relay.
    pub kind: ConnectorKind,
    /// Authentication mechanism that the customer's server expects of us.
    pub protocol: Protocol,
}
