//! Settings of the directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_directory::{Limits, Settings};
use gatepost_message::Separators;
use serde::Deserialize;

use super::units;

const DAY: Duration = Duration::from_secs(86_400);

/// Settings of the directory: of the accounts, domains, addresses and credentials that are changed
/// while mail flows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Directory {
    /// Path of the key ring; `key-ring` in the store if absent.
    pub key_ring: Option<PathBuf>,
    /// Maximum number of connected domains of an account.
    pub domains_per_account: usize,
    /// Maximum number of support addresses in one domain of an account.
    pub addresses_per_domain: usize,
    /// Maximum number of live credentials for one domain, or for one account's submission.
    pub live_sets: usize,
    /// Maximum number of connections of an account.
    pub connections_per_account: usize,
    /// Time for which a credential must not have been used before it is retired.
    #[serde(deserialize_with = "units::duration")]
    pub retire_unused: Duration,
    /// Grace period in which the right secret of a retired or removed credential, or of one whose
    /// domain is disconnected, is refused for now and not for good.
    #[serde(deserialize_with = "units::duration")]
    pub grace: Duration,
    /// Time after which the relay reminds of a rotation that is still under way.
    #[serde(deserialize_with = "units::duration")]
    pub rotation_reminder: Duration,
    /// Time for which entries of the audit log are kept.
    #[serde(deserialize_with = "units::duration")]
    pub audit_retention: Duration,
    /// Separators of sub-addresses when partner addresses are compared. If empty, there are no
    /// sub-addresses.
    pub sub_address_separators: Separators,
    /// Certificates to trust beside the public roots when feeds of partner addresses are fetched.
    pub feed_ca_file: Option<PathBuf>,
    /// Maximum size of a feed in bytes.
    #[serde(deserialize_with = "units::size")]
    pub feed_size: usize,
    /// Time-out of fetching a feed.
    #[serde(deserialize_with = "units::duration")]
    pub feed_timeout: Duration,
}

impl Default for Directory {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            key_ring: None,
            domains_per_account: limits.domains_per_account,
            addresses_per_domain: limits.addresses_per_domain,
            live_sets: limits.live_sets,
            connections_per_account: limits.connections_per_account,
            retire_unused: limits.retire_unused,
            grace: DAY * 7,
            rotation_reminder: DAY * 14,
            audit_retention: DAY * 400,
            sub_address_separators: Separators::default(),
            feed_ca_file: None,
            feed_size: 64 << 20,
            feed_timeout: Duration::from_secs(60),
        }
    }
}

impl Directory {
    /// Returns the limits in the terms of the directory.
    pub fn limits(&self) -> Limits {
        Limits {
            domains_per_account: self.domains_per_account,
            addresses_per_domain: self.addresses_per_domain,
            live_sets: self.live_sets,
            connections_per_account: self.connections_per_account,
            retire_unused: self.retire_unused,
        }
    }

    /// Returns the settings in the terms of the directory, for this store.
    pub fn settings(&self, store: &Path) -> Settings {
        let beside = || store.join("key-ring");
        Settings {
            path: store.join("directory.db"),
            key_ring: self.key_ring.clone().unwrap_or_else(beside),
            limits: self.limits(),
            separators: self.sub_address_separators.clone(),
        }
    }
}
