//! Record of a probe that is on its way, as the directory keeps it with the probe.

use gatepost_directory::{Probe, ProbeId};
use gatepost_message::Millis;
use gatepost_verification::{SentProbe, VerificationFailure};
use serde::{Deserialize, Serialize};

/// Record of a probe that is on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ProbeRecord {
    /// Form in which it left.
    pub(crate) sent: SentProbe,
    /// Time at which a server took it.
    #[serde(default)]
    pub(crate) accepted: Option<Millis>,
    /// Failure of the last attempt, or of the last report, that was not final.
    #[serde(default)]
    pub(crate) last: Option<VerificationFailure>,
    /// True if the relay sent it on its schedule, and no person asked for it.
    #[serde(default)]
    pub(crate) is_scheduled: bool,
}

impl ProbeRecord {
    /// Reads the record of a probe; `None` if another version wrote it in another form.
    pub(crate) fn of(probe: &Probe) -> Option<Self> {
        serde_json::from_value(probe.record.clone()).ok()
    }

    /// Writes the record into its probe.
    pub(crate) fn put(&self, probe: &mut Probe) {
        probe.record = serde_json::to_value(self).unwrap_or_default();
    }
}

/// Returns the id by which the directory has a probe.
pub(crate) fn directory_id(id: gatepost_verification::ProbeId) -> Option<ProbeId> {
    id.as_str().parse().ok()
}

/// Returns the id in the token of a probe of the directory.
pub(crate) fn token_id(id: &ProbeId) -> Option<gatepost_verification::ProbeId> {
    id.as_str().parse().ok()
}
