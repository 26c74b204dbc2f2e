//! What accounts of the directory may have.

use std::path::{Path, PathBuf};

use gatepost_directory::{Limits, Settings};
use serde::Deserialize;

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
}

impl Default for Directory {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            key_ring: None,
            domains_per_account: limits.domains_per_account,
            addresses_per_domain: limits.addresses_per_domain,
            live_sets: limits.live_sets,
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
        }
    }
}
