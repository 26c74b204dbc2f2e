//! Connectors: domains of customers that are connected.

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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

impl Forwarders {
    /// Most marks of each kind that are learnt.
    const MOST_LEARNT: usize = 20;

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
            ForwarderMark::Network(network) => {
                // An IPv6 site numbers its machines freely within a /64.
                let most = if network.addr().is_ipv4() { 32 } else { 64 };
                let length = network.prefix_len().min(most);
                let network = IpNet::new(network.addr(), length).unwrap_or(network);
                learn(&mut self.networks, network.trunc())
            }
            ForwarderMark::DkimDomain(domain) => learn(&mut self.dkim_domains, domain),
            ForwarderMark::ArcSealer(domain) => learn(&mut self.arc_sealers, domain),
        }
    }
}

/// Domain of an account, connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ConnectorDetails {
    /// Disconnection of the domain, while it is disconnected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnected: Option<Disconnection>,
    /// True if its addresses leave in their own names only by a way that was proved. Connectors of
    /// before know no verification, and leave as they did.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub verifies: bool,
    /// Domain of the reverse-paths of its mail by MX, a name below it whose mail comes to this
    /// relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_path: Option<Domain>,
}

/// Disconnection of a domain or of an address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
