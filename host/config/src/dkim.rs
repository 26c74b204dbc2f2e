//! Signing with DKIM.

use std::time::Duration;

use gatepost_dkim::SelectorPrefix;
use serde::Deserialize;

use super::{Domain, units};

/// Settings of DKIM signing. The keys are in the directory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Dkim {
    /// Zone of the site in which it keeps the records that customers' names are aliases of;
    /// `dkim.` and the host name if absent.
    pub zone: Option<Domain>,
    /// Beginning of selectors.
    pub selector: SelectorPrefix,
    /// Interval at which the record of a key is looked for that was not seen.
    #[serde(deserialize_with = "units::duration")]
    pub look_pending: Duration,
    /// Interval at which the record of a key is looked for that signs.
    #[serde(deserialize_with = "units::duration")]
    pub look_active: Duration,
}

impl Default for Dkim {
    fn default() -> Self {
        Self {
            zone: None,
            selector: SelectorPrefix::default(),
            look_pending: Duration::from_secs(5 * 60),
            look_active: Duration::from_secs(3600),
        }
    }
}

impl Dkim {
    /// Returns the zone of a relay with this host name; `None` if there is no such name.
    pub fn zone(&self, hostname: &Domain) -> Option<Domain> {
        let of_host = || format!("dkim.{}", hostname.as_ascii()).parse().ok();
        self.zone.clone().or_else(of_host)
    }
}
