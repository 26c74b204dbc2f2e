//! A customer's own domain, connected.

use gatepost_message::{Domain, Millis};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{AccountId, ConnectorId, Name, word::words};

words! {
    /// Which mail of its domain passes through us.
    pub enum ConnectorKind {
        /// Both ways: the customer's server relays its mail to us, with credentials of the domain.
        TwoWay = "two-way",
        /// Out only; what comes in is forwarded to us.
        OutboundOnly = "outbound-only",
    }
}

words! {
    /// How the customer's server wants us to authenticate to it.
    pub enum Protocol {
        /// RFC 4616.
        Plain = "PLAIN",
        /// Without a standard, and common.
        Login = "LOGIN",
        /// RFC 7677.
        ScramSha256 = "SCRAM-SHA-256",
    }
}

words! {
    /// How far a domain is the account's.
    pub enum ConnectorState {
        /// The account says so; nothing follows from it, and other accounts may say the same.
        Claimed = "claimed",
        /// It is: mail for its support addresses is the account's.
        Verified = "verified",
        /// It was; its support addresses go on receiving, and nothing vouches for their mail.
        Disconnected = "disconnected",
    }
}

impl ConnectorState {
    /// Whether mail for the domain's support addresses is the account's.
    pub fn receives(self) -> bool {
        self != Self::Claimed
    }
}

/// Who is known to forward the mail of a connected domain to us, where it comes without
/// credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Forwarders {
    /// Networks that it comes from.
    pub networks: Vec<IpNet>,
    /// Domains with which they sign (DKIM).
    pub dkim_domains: Vec<Domain>,
    /// Domains with which they seal (ARC).
    pub arc_sealers: Vec<Domain>,
}

/// A domain of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Connector {
    /// Names it.
    pub id: ConnectorId,
    /// When it was made.
    pub created: Millis,
    /// How far the domain is the account's.
    pub state: ConnectorState,
    /// Who is known to forward its mail to us.
    #[serde(default)]
    pub forwarders: Forwarders,
    /// What was asked for.
    #[serde(flatten)]
    pub claim: Claim,
}

/// An account says that a domain is its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Claim {
    /// Which account.
    pub account: AccountId,
    /// For people.
    pub name: Name,
    /// The domain.
    pub domain: Domain,
    /// Which mail of it passes through us.
    pub kind: ConnectorKind,
    /// How the customer's server wants us to authenticate to it.
    pub protocol: Protocol,
}
