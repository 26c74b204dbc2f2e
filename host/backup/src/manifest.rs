//! Manifest of a backup: its time, its version, and each file with its digest.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::RestoreError;

/// Name of the manifest in the folder of a backup.
pub(crate) const NAME: &str = "backup.json";

/// Form of backups that this version makes and restores.
pub(crate) const FORM: u32 = 1;

/// Longest manifest that is read, in bytes: a million files.
const LONGEST: u64 = 256 << 20;

/// Bytes of a file that are read at a time.
const CHUNK: usize = 256 << 10;

/// Manifest of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// Form of the backup.
    pub form: u32,
    /// Version of Gatepost that made it.
    pub version: String,
    /// Time at which it was begun: what was accepted before is in it.
    pub begun: Millis,
    /// Time at which it was complete.
    pub ended: Millis,
    /// True if it has the key ring, and other secrets in clear.
    pub keys: bool,
    /// Files, by their paths in the folder.
    pub files: Vec<ManifestFile>,
}

/// File of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Path in the folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Form of a manifest, and the version that made it: what all forms have.
#[derive(Deserialize)]
struct Form {
    form: u32,
    version: String,
}

impl Manifest {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// The folder has none, or one of another form.
    pub fn read(folder: &Path) -> Result<Self, RestoreError> {
        let no_backup = |why: String| RestoreError::NoBackup {
            path: folder.to_owned(),
            why,
        };
        let text = gatepost_files::read_text(&folder.join(NAME), LONGEST);
        let text = text.map_err(|error| no_backup(format!("{NAME}: {error}")))?;
        let wrong = |error: serde_json::Error| no_backup(format!("{NAME}: {error}"));
        let Form { form, version } = serde_json::from_str(&text).map_err(wrong)?;
        if form != FORM {
            return Err(RestoreError::OtherForm {
                path: folder.to_owned(),
                version,
            });
        }
        serde_json::from_str(&text).map_err(wrong)
    }
}

impl ManifestFile {
    /// Returns its path below this folder of the backup, if it is there and leads nowhere else.
    pub(crate) fn below(&self, folder: &str) -> Option<&Path> {
        let path = Path::new(&self.path).strip_prefix(folder).ok()?;
        let mut parts = path.components().peekable();
        parts.peek()?;
        parts
            .all(|part| matches!(part, Component::Normal(_)))
            .then_some(path)
    }
}

/// Returns the files of a folder and of the folders in it, by their paths in it.
pub(crate) fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a file to its end; returns its size and its digest. `each` gets every piece.
pub(crate) fn digest(
    mut file: impl Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(u64, String)> {
    let (mut hasher, mut size, mut piece) = (Sha256::new(), 0, vec![0; CHUNK]);
    loop {
        let read = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&piece[..read]);
        each(&piece[..read])?;
        size += read as u64;
    }
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok((size, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_manifest_leads_nowhere_else() {
        let below = |path: &str| {
            let file = ManifestFile {
                path: path.to_owned(),
                size: 0,
                sha256: String::new(),
            };
            file.below("store").map(Path::to_owned)
        };
        assert_eq!(below("store/spool.db"), Some("spool.db".into()));
        assert_eq!(below("store/incoming/a"), Some("incoming/a".into()));
        for path in [
            "store",
            "storespool.db",
            "store/../spool.db",
            "store/a/../../b",
            "/store/spool.db",
            "configuration/etc/passwd",
            "../store/spool.db",
        ] {
            assert_eq!(below(path), None, "{path}");
        }
    }
}
