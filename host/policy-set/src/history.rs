//! History of versions: the last versions of each policy, with who activated each, when and from
//! where; and what outlives a restart: a version that was activated by hand, and a rollout.
//!
//! In the folder `policies` of the store stands each module under its digest (`<sha256>.wasm`), and
//! one file, [`STATE`], that names them. The file is replaced as a whole and durably, always before
//! what it says takes effect, and after the modules that it names. So a crash leaves either state,
//! and never one that names a module that is missing. A module that the file no longer names is
//! removed.
//!
//! A file that cannot be read is moved aside and reported, and a new one begun: mail does not wait
//! for it, and the configuration says which versions are active.

mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::rollouts::RolloutEnd;
use bytes::Bytes;
use gatepost_files::FileError;
use gatepost_message::Millis;
use gatepost_rollout::ObservationCounts;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use record::{
    ActivatedBy, ActivatedVersion, ManualActivation, ROLLBACK, VERSIONS, VersionRecord,
};

/// Name of the folder in the store.
pub const FOLDER: &str = "policies";

/// Name of the file that says which versions there are.
pub const STATE: &str = "state.json";

/// Suffix of a module.
const MODULE: &str = "wasm";

/// Form of the file. A later one is not read.
const FORM: u32 = 1;

/// Longest file that is read, in octets: a policy has a few kilobytes.
const LONGEST_STATE: u64 = 8 << 20;

/// Largest module that is read, in octets: the limit of a module is a setting below it.
const LARGEST_MODULE: u64 = 256 << 20;

/// Most policies that are remembered though the configuration names them no longer.
const FORMER_POLICIES: usize = 100;

/// Reason of the end of a rollout whose policy has left the configuration.
pub(crate) const NO_SUCH_POLICY: &str = "the configuration names the policy no longer";

/// Content of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct VersionRecords {
    form: u32,
    policies: BTreeMap<String, VersionRecord>,
}

impl Default for VersionRecords {
    fn default() -> Self {
        Self {
            form: FORM,
            policies: BTreeMap::new(),
        }
    }
}

impl VersionRecords {
    /// Returns the digests of all modules that they name.
    fn modules(&self) -> BTreeSet<&str> {
        (self.policies.values())
            .flat_map(VersionRecord::modules)
            .collect()
    }
}

/// History of all policies, on the disk or in memory.
#[derive(Debug, Default)]
pub struct VersionHistory {
    /// Folder; `None` for a history that ends with the process.
    folder: Option<PathBuf>,
    records: RwLock<VersionRecords>,
    /// Modules of a history in memory.
    modules: RwLock<BTreeMap<String, Bytes>>,
}

impl VersionHistory {
    /// Opens the history of a store, or begins it.
    ///
    /// # Errors
    /// The folder cannot be made, or a damaged file cannot be moved aside.
    pub fn open(store: &Path) -> io::Result<Self> {
        let folder = store.join(FOLDER);
        gatepost_files::make_folder(&folder)?;
        let path = folder.join(STATE);
        let records = match read(&path) {
            Ok(records) => records,
            Err(why) => {
                let kept = gatepost_files::move_away(&path)?;
                tracing::error!(
                    file = %path.display(), kept = %kept.display(), why,
                    "the history of the policies' versions is damaged and was moved aside; a new one \
                     begins, and the configuration says which versions are active"
                );
                VersionRecords::default()
            }
        };
        let history = Self {
            folder: Some(folder),
            records: RwLock::new(records),
            modules: RwLock::default(),
        };
        history.remove_unnamed();
        Ok(history)
    }

    /// Reads the records of a store and the modules that were activated by hand into a history in memory,
    /// without rollouts. Changes nothing; a relay may be running on the store. Blocks on the disk.
    ///
    /// # Errors
    /// The history or a module cannot be read.
    pub fn copy_of(store: &Path) -> io::Result<Self> {
        let folder = store.join(FOLDER);
        let mut records = read(&folder.join(STATE))
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        let stored = Self {
            folder: Some(folder),
            ..Self::default()
        };
        let mut modules = BTreeMap::new();
        for record in records.policies.values_mut() {
            record.rollout = None;
            if let Some(activated) = &record.activated {
                modules.insert(activated.module.clone(), stored.module(&activated.module)?);
            }
        }
        Ok(Self {
            folder: None,
            records: RwLock::new(records),
            modules: RwLock::new(modules),
        })
    }

    /// Reads the module that is active, or was when the relay ran last; `None` if the policy was never
    /// active. Changes nothing; a relay may be running on the store. Blocks on the disk.
    ///
    /// # Errors
    /// The history or the module cannot be read.
    pub fn active_module(store: &Path, policy: &str) -> io::Result<Option<Bytes>> {
        let folder = store.join(FOLDER);
        let records = read(&folder.join(STATE))
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        let active = records
            .policies
            .get(policy)
            .and_then(|of| of.versions.first());
        let history = Self {
            folder: Some(folder),
            ..Self::default()
        };
        active.map(|of| history.module(&of.module)).transpose()
    }

    /// Returns the record of a policy; an empty one if it is not known.
    pub fn record(&self, policy: &str) -> VersionRecord {
        let records = self.records.read();
        records.policies.get(policy).cloned().unwrap_or_default()
    }

    /// Reads a module. Blocks on the disk.
    ///
    /// # Errors
    /// It is not there, or its content is not what its name says.
    pub fn module(&self, digest: &str) -> io::Result<Bytes> {
        let Some(folder) = &self.folder else {
            let module = self.modules.read().get(digest).cloned();
            return module.ok_or_else(|| io::ErrorKind::NotFound.into());
        };
        let read = gatepost_files::read(&path_of(folder, digest), LARGEST_MODULE);
        let module = read.map_err(io::Error::from)?;
        match digest_of(&module) == digest {
            true => Ok(module.into()),
            false => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the module in the store is damaged: its content is not what its name says",
            )),
        }
    }

    /// Keeps a module durably, until [`VersionHistory::update`] finds that nothing names it. Blocks
    /// on the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, module: &Bytes) -> io::Result<String> {
        let digest = digest_of(module);
        let Some(folder) = &self.folder else {
            (self.modules.write()).insert(digest.clone(), module.clone());
            return Ok(digest);
        };
        let path = path_of(folder, &digest);
        let size = fs::symlink_metadata(&path).map(|found| (found.is_file(), found.len()));
        if !matches!(size, Ok((true, size)) if size == module.len() as u64) {
            gatepost_files::replace(&path, module)?;
        }
        Ok(digest)
    }

    /// Changes the records of policies, durably. Blocks on the disk.
    ///
    /// # Errors
    /// They cannot be written; then nothing has changed.
    pub fn update(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, VersionRecord>),
    ) -> io::Result<()> {
        let mut records = self.records.read().clone();
        change(&mut records.policies);
        if records == *self.records.read() {
            return Ok(());
        }
        if let Some(folder) = &self.folder {
            let content = serde_json::to_vec_pretty(&records)?;
            gatepost_files::replace(&folder.join(STATE), &content)?;
        }
        *self.records.write() = records;
        self.remove_unnamed();
        Ok(())
    }

    /// Removes the modules that no record names.
    fn remove_unnamed(&self) {
        let records = self.records.read();
        let named = records.modules();
        let Some(folder) = &self.folder else {
            (self.modules.write()).retain(|digest, _| named.contains(digest.as_str()));
            return;
        };
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_module = path.extension().is_some_and(|suffix| suffix == MODULE);
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            if is_module && stem.is_none_or(|stem| !named.contains(stem)) {
                // It is found again at the next change.
                let _ = fs::remove_file(&path);
            }
        }
    }
}

/// Ends what the configuration has ended by no longer naming a policy, and forgets the oldest of
/// many policies of the past.
pub(crate) fn retire_others(
    policies: &mut BTreeMap<String, VersionRecord>,
    configured: &BTreeSet<String>,
) {
    let mut former = Vec::new();
    for (name, record) in policies.iter_mut() {
        if !configured.contains(name) {
            record.activated = None;
            record.end_rollout(
                RolloutEnd::Replaced,
                NO_SUCH_POLICY,
                ObservationCounts::default(),
                Millis::now(),
            );
            record.configured = None;
            record.configured_version = None;
            former.push((record.versions.first().map(|of| of.at), name.clone()));
        }
    }
    former.sort();
    let beyond = former.len().saturating_sub(FORMER_POLICIES);
    for (_, name) in former.into_iter().take(beyond) {
        policies.remove(&name);
    }
}

/// Returns the SHA-256 of a module, in hexadecimal.
pub(crate) fn digest_of(module: &[u8]) -> String {
    let digest = Sha256::digest(module);
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn path_of(folder: &Path, digest: &str) -> PathBuf {
    folder.join(digest).with_extension(MODULE)
}

/// Reads the file; an error tells why it cannot be used.
fn read(path: &Path) -> Result<VersionRecords, String> {
    let text = match gatepost_files::read(path, LONGEST_STATE) {
        Ok(text) => text,
        Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(VersionRecords::default());
        }
        Err(error) => return Err(error.to_string()),
    };
    let records: VersionRecords =
        serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if records.form != FORM {
        return Err(format!(
            "it has form {}; this relay reads {FORM}",
            records.form
        ));
    }
    // A name becomes a path.
    let is_digest =
        |name: &str| name.len() == 64 && name.bytes().all(|octet| octet.is_ascii_hexdigit());
    let modules = records.modules();
    if let Some(name) = modules.into_iter().find(|name| !is_digest(name)) {
        return Err(format!("{name:?} is no digest of a module"));
    }
    Ok(records)
}

/// Does work on the history on a thread for blocking work.
///
/// # Errors
/// Those of the work.
pub(crate) async fn on_disk<R: Send + 'static>(
    history: &Arc<VersionHistory>,
    work: impl FnOnce(&VersionHistory) -> io::Result<R> + Send + 'static,
) -> io::Result<R> {
    let history = Arc::clone(history);
    let done = tokio::task::spawn_blocking(move || work(&history)).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests;
