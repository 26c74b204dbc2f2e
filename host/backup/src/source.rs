//! What a backup is made of, and which of it is secret.

use std::path::{Path, PathBuf};

use gatepost_config::Config;

/// Presence in a backup of the keys of what is encrypted there, and of other secrets in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupKeys {
    /// It has all: whoever has the backup has what the relay has.
    Included,
    /// It has no key ring, no file with a private key or a password, and no configuration that holds
    /// a password.
    LeftOut,
}

/// A store, and the configuration of its relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSource {
    pub(crate) store: PathBuf,
    pub(crate) key_ring: PathBuf,
    pub(crate) configuration: Vec<ConfigurationFile>,
}

/// The configuration, or a file that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigurationFile {
    pub(crate) path: PathBuf,
    /// True if it holds a secret in clear.
    pub(crate) is_secret: bool,
}

impl BackupSource {
    /// Returns what a configuration names.
    pub fn of(config: &Config) -> Self {
        let mut secret = config.secret_files();
        let pairs = config.tls.iter().flat_map(|tls| tls.pairs());
        secret.extend(pairs.map(|(_, key)| key));
        let named = (config.document.files()).filter(|file| !secret.contains(file));
        let file = |path: &Path, is_secret| ConfigurationFile {
            path: path.to_owned(),
            is_secret,
        };
        let mut configuration = vec![file(config.document.path(), config.holds_secrets())];
        configuration.extend(named.map(|path| file(path, false)));
        configuration.extend(secret.iter().map(|path| file(path, true)));
        let directory = config.directory.settings(&config.relay.store);
        Self {
            store: config.relay.store.clone(),
            key_ring: directory.key_ring,
            configuration,
        }
    }

    /// Returns a store whose configuration is not known, with the key ring at its usual place.
    pub fn of_store(store: &Path) -> Self {
        Self {
            store: store.to_owned(),
            key_ring: store.join("key-ring"),
            configuration: Vec::new(),
        }
    }
}
