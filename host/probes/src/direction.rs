//! Directions of a support address's mail, and the probes that prove them.

use gatepost_directory::{AddressDetails, ConnectorKind, LastCheck, ProbeKind, Verification};
use serde::{Deserialize, Serialize};

/// Direction of the mail of a support address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbedDirection {
    /// Mail that comes in.
    Inbound,
    /// Mail that leaves through the customer's smart host.
    Outbound,
}

impl ProbedDirection {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Inbound, Self::Outbound];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }

    /// Returns its state.
    pub fn state(self, of: &AddressDetails) -> &Verification {
        match self {
            Self::Inbound => &of.inbound,
            Self::Outbound => &of.outbound,
        }
    }

    /// Returns the finding of its last probe.
    pub fn check(self, of: &AddressDetails) -> Option<&LastCheck> {
        match self {
            Self::Inbound => of.inbound_check.as_ref(),
            Self::Outbound => of.outbound_check.as_ref(),
        }
    }

    /// Returns its state, to be changed.
    pub(crate) fn state_mut(self, of: &mut AddressDetails) -> &mut Verification {
        match self {
            Self::Inbound => &mut of.inbound,
            Self::Outbound => &mut of.outbound,
        }
    }

    /// Returns the finding of its last probe, to be changed.
    pub(crate) fn check_mut(self, of: &mut AddressDetails) -> &mut Option<LastCheck> {
        match self {
            Self::Inbound => &mut of.inbound_check,
            Self::Outbound => &mut of.outbound_check,
        }
    }

    /// Returns the kind of probe that proves it alone.
    pub fn kind(self) -> ProbeKind {
        match self {
            Self::Inbound => ProbeKind::Inbound,
            Self::Outbound => ProbeKind::Outbound,
        }
    }
}

/// Returns the directions that a probe proves.
pub fn directions(kind: ProbeKind) -> &'static [ProbedDirection] {
    match kind {
        ProbeKind::Inbound => &[ProbedDirection::Inbound],
        ProbeKind::Outbound => &[ProbedDirection::Outbound],
        ProbeKind::Circuit => &ProbedDirection::ALL,
    }
}

/// Returns the probes that an address of a connector of this kind needs. Its mail leaves through
/// the customer's smart host only if a connection serves it.
pub fn kinds_for(connector: ConnectorKind, is_served: bool) -> &'static [ProbeKind] {
    match (connector, is_served) {
        (ConnectorKind::Forwarded, _) | (_, false) => &[ProbeKind::Inbound],
        (ConnectorKind::TwoWay | ConnectorKind::OutboundOnly, true) => {
            &[ProbeKind::Inbound, ProbeKind::Outbound]
        }
    }
}
