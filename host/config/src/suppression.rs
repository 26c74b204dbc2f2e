//! Suppression lists.

use std::time::Duration;

use gatepost_delivery::Suppressing;
use serde::Deserialize;

use super::units;

/// Settings of suppression lists.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Suppression {
    /// Records addresses whose servers say that there is no such mailbox.
    pub record: bool,
    /// Number of messages that a mailbox has to refuse for now before its address is on the list;
    /// 0 is no number.
    pub soft_failures: u32,
    /// Time in which such refusals are counted.
    #[serde(deserialize_with = "units::duration")]
    pub soft_within: Duration,
}

impl Default for Suppression {
    fn default() -> Self {
        let Suppressing {
            record,
            soft_failures,
            soft_within,
        } = Suppressing::default();
        Self {
            record,
            soft_failures,
            soft_within,
        }
    }
}

impl Suppression {
    /// Returns the rules for delivery.
    pub fn suppressing(&self) -> Suppressing {
        Suppressing {
            record: self.record,
            soft_failures: self.soft_failures,
            soft_within: self.soft_within,
        }
    }
}
