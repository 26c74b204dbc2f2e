//! The text that a configuration was read from, and the files that it names.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use gatepost_files::FileError;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::ConfigError;
use super::error::Finding;

/// What a configuration was read from: every key as it was written, whatever the relay makes of
/// it, and what its files held then. Not shown in `{:?}`: there are passwords in it.
#[derive(Clone, Default)]
pub struct Document {
    path: PathBuf,
    text: Zeroizing<String>,
    pub(super) keys: Value,
    pub(super) files: BTreeMap<PathBuf, Option<String>>,
}

impl Document {
    /// Of a text that could be parsed already.
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

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of what a file held, in hexadecimal; `None` if it could not be read.
    pub fn digest_of(&self, file: &Path) -> Option<&str> {
        self.files.get(file)?.as_deref()
    }

    /// The error that shows these findings at their lines.
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

/// Wipes every text of a value.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(keys) => keys.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Octets of a file that are read to tell whether it has changed.
const READ: u64 = 64 << 20;

/// Of a regular file; of one that is longer than anything that is named in a configuration, its
/// length will do.
fn digest(file: &Path) -> Option<String> {
    let octets = match gatepost_files::read(file, READ) {
        Ok(octets) => octets,
        Err(FileError::TooLarge { size, .. }) => return Some(format!("{size} octets")),
        Err(_) => return None,
    };
    let digest = Sha256::digest(octets);
    Some(digest.iter().map(|octet| format!("{octet:02x}")).collect())
}
