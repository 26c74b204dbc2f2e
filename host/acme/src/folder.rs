//! Folder of the store with account, certificate and record of attempts. Its files have mode 0600, and
//! are replaced as a whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gatepost_files::{FileError, SETTINGS};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::AcmeError;

/// Name of the folder in the store.
const FOLDER: &str = "acme";

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct AcmeFolder(PathBuf);

impl AcmeFolder {
    /// Names the folder of a store, which need not exist.
    pub(crate) fn of(store: &Path) -> Self {
        Self(store.join(FOLDER))
    }

    /// Path of the account, with its private key.
    pub(crate) fn account(&self) -> PathBuf {
        self.0.join("account.json")
    }

    /// Path of the certificate, with its private key.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    /// Path of the record of attempts.
    pub(crate) fn attempts(&self) -> PathBuf {
        self.0.join("attempts.json")
    }

    /// Reads a file; `None` if it does not exist.
    pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, AcmeError> {
        match gatepost_files::read(path, SETTINGS) {
            Ok(content) => Ok(Some(Zeroizing::new(content))),
            Err(FileError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AcmeError::File {
                file: path.to_owned(),
                source: error.into(),
            }),
        }
    }

    /// Reads a file in JSON; `None` if it does not exist.
    pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, AcmeError> {
        let Some(content) = Self::read(path)? else {
            return Ok(None);
        };
        let parsed = serde_json::from_slice(&content).map_err(|error| AcmeError::File {
            file: path.to_owned(),
            // Without the text around the fault, which may be a key.
            source: std::io::Error::new(
                ErrorKind::InvalidData,
                format!("it is damaged in line {}", error.line()),
            ),
        });
        parsed.map(Some)
    }

    /// Replaces a file, durably.
    pub(crate) fn write(&self, path: &Path, content: &[u8]) -> Result<(), AcmeError> {
        let made = gatepost_files::make_folder(&self.0);
        let written = made.and_then(|()| gatepost_files::replace(path, content));
        written.map_err(|source| AcmeError::File {
            file: path.to_owned(),
            source,
        })
    }

    /// Replaces a file by a value in JSON, durably.
    pub(crate) fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<(), AcmeError> {
        let content = serde_json::to_vec(value).map(Zeroizing::new);
        let content = content.map_err(|error| AcmeError::Protocol(error.to_string()))?;
        self.write(path, &content)
    }

    /// Removes a file, if it exists.
    pub(crate) fn remove(path: &Path) -> Result<(), AcmeError> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(AcmeError::File {
                file: path.to_owned(),
                source: error,
            }),
            _ => Ok(()),
        }
    }
}
