//! Text that a configuration was read from, and digests of the files that it names.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use gatepost_files::FileError;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::ConfigError;
use super::error::Finding;

/// Source of a configuration: all keys as they were written, even ones that the relay ignores, and
/// digests of the named files at that time. `{:?}` does not show it, because it holds passwords.
#[derive(Clone, Default)]
pub struct Document {
    path: PathBuf,
    text: Zeroizing<String>,
    pub(super) keys: Value,
    pub(super) files: BTreeMap<PathBuf, Option<String>>,
}

impl Document {
    /// Makes a document of a text that is known to parse.
    pub(super) fn new(text: &str, path: &Path, files: Vec<PathBuf>) -> Self {
        let digested = files.into_iter().map(|file| {
            let digest = digest(&file);
            (file, digest)
        });
        Self {
            path: path.to_owned(),
            text: Zeroizing::new(text.to_owned()),
            keys: toml::from_str(text).unwrap_or_default(),
            files: digested.collect(),
        }
    }

    /// Returns the path of the file, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the files that the configuration names, but for those of webhooks' secrets and the key
    /// ring.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// Returns the SHA-256 digest of a file at that time, in hexadecimal; `None` if it could not be
    /// read.
    pub fn digest_of(&self, file: &Path) -> Option<&str> {
        self.files.get(file)?.as_deref()
    }

    /// Returns an error that shows these findings at their lines.
    pub fn refused(&self, findings: Vec<Finding>) -> ConfigError {
        ConfigError::invalid(findings, &self.text, &self.path)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({})", self.path.display())
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        wipe(&mut self.keys);
    }
}

/// Wipes all strings of a value from memory.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(keys) => keys.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Maximum number of bytes that are read of a file to tell whether it has changed.
const READ_LIMIT: u64 = 64 << 20;

/// Returns the digest of a regular file, or the length of a file that is over the limit.
fn digest(file: &Path) -> Option<String> {
    let bytes = match gatepost_files::read(file, READ_LIMIT) {
        Ok(bytes) => bytes,
        Err(FileError::TooLarge { size, .. }) => return Some(format!("{size} bytes")),
        Err(_) => return None,
    };
    let digest = Sha256::digest(bytes);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
