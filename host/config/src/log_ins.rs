//! Limits on failed authentication attempts.

use std::time::Duration;

use serde::Deserialize;

use super::units;

/// Limits on failed authentication attempts, as they are configured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LogIns {
    /// Failures from one IPv4 address or one IPv6 /64; further attempts get 454.
    pub failures_per_address: u32,
    /// Failures for one user; further attempts get 454, except from where this user has logged in
    /// lately.
    pub failures_per_user: u32,
    /// Time after the last failure until the failures are forgotten.
    #[serde(deserialize_with = "units::duration")]
    pub time: Duration,
    /// Delay of the reply to a first failure. It doubles with each further failure, up to 16 times.
    #[serde(deserialize_with = "units::duration")]
    pub delay: Duration,
}

impl Default for LogIns {
    fn default() -> Self {
        Self {
            failures_per_address: 20,
            failures_per_user: 20,
            time: Duration::from_secs(15 * 60),
            delay: Duration::from_secs(1),
        }
    }
}

/// Limits on failed attempts to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Failures from one address.
    pub per_address: u32,
    /// Failures for one user.
    pub per_user: u32,
    /// Time after the last failure until their number is forgotten.
    pub time: Duration,
    /// Delay of the reply to a first failure.
    pub delay: Duration,
}

impl LogIns {
    /// Returns the limits by which attempts are counted.
    pub fn allowance(&self) -> Allowance {
        Allowance {
            per_address: self.failures_per_address,
            per_user: self.failures_per_user,
            time: self.time,
            delay: self.delay,
        }
    }
}
