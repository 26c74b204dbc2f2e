//! Verification of support addresses.

use std::time::Duration;

use gatepost_probes::ProbeSettings;
use serde::Deserialize;

use super::units;

/// Settings of the verification of support addresses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Verification {
    /// Time for which a probe is waited for.
    #[serde(deserialize_with = "units::duration")]
    pub wait: Duration,
    /// Interval at which an address is verified again; zero for never.
    #[serde(deserialize_with = "units::duration")]
    pub every: Duration,
    /// Most probes on their way at which the schedule sends another one.
    pub at_once: usize,
}

impl Default for Verification {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(10 * 60),
            every: Duration::from_secs(86_400),
            at_once: 10,
        }
    }
}

impl Verification {
    /// Returns the settings of probes.
    pub fn settings(&self) -> ProbeSettings {
        ProbeSettings {
            wait: self.wait,
            every: self.every,
            at_once: self.at_once,
        }
    }
}
