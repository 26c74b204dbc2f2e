//! What accounts of the directory may have.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_directory::{Limits, Settings};
use gatepost_message::Separators;
use serde::Deserialize;

use super::units;

/// The accounts, domains, addresses and credentials that are changed while mail flows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Directory {
    /// File of the keys that encrypt a part of it; `key-ring` in the store when absent.
    pub key_ring: Option<PathBuf>,
    /// Connected domains of an account.
    pub domains_per_account: usize,
    /// Support addresses in one domain of an account.
    pub addresses_per_domain: usize,
    /// Credentials live at a time for one domain, or for one account's submission.
    pub live_sets: usize,
    /// What sets a sub-address apart where partner addresses are compared; empty where nothing
    /// does.
    pub sub_address_separators: Separators,
    /// Certificates to trust beside the public ones where feeds of partner addresses are fetched.
    pub feed_ca_file: Option<PathBuf>,
    /// The most octets of a feed.
    #[serde(deserialize_with = "units::size")]
    pub feed_size: usize,
    /// How long a feed has to be fetched.
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
            sub_address_separators: Separators::default(),
            feed_ca_file: None,
            feed_size: 64 << 20,
            feed_timeout: Duration::from_secs(60),
        }
    }
}

impl Directory {
    /// The limits in the directory's terms.
    pub fn limits(&self) -> Limits {
        Limits {
            domains_per_account: self.domains_per_account,
            addresses_per_domain: self.addresses_per_domain,
            live_sets: self.live_sets,
        }
    }

    /// Where it is in a store, and what may be in it.
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
