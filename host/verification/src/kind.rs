//! Kinds of probes, and the ways by which they come back.

use gatepost_message::Domain;
use serde::{Deserialize, Serialize};

/// Kind of a probe: the part of the way that it proves.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeKind {
    /// Leaves by the default route to the support address, and comes back as mail for it does.
    Inbound,
    /// Leaves through the customer's smart host, to a native address of the account.
    Outbound,
    /// Leaves through the customer's smart host to the support address, and comes back over the
    /// authenticated session.
    Circuit,
}

impl ProbeKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Inbound, Self::Outbound, Self::Circuit];

    /// Returns the word for it in commands and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Circuit => "circuit",
        }
    }

    /// Returns true if it leaves through the customer's smart host.
    pub fn leaves_by_smart_host(self) -> bool {
        self != Self::Inbound
    }

    /// Returns true if its return proves that mail for the address comes in.
    pub fn proves_inbound(self) -> bool {
        self != Self::Outbound
    }
}

/// Way by which a probe has to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnWay {
    /// Over a session that has logged in with a credential of this domain: two-way connectors.
    Session(Domain),
    /// Forwarded by the customer's server to a forwarding target.
    Forwarded,
    /// Delivered by the customer's smart host to a native address.
    Delivered,
}
