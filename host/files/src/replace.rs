//! Replacement of a file as a whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::aside::sync_folder;
use crate::beside;

/// Suffix of the new file until it is complete.
const PART: &str = ".part";

/// Replaces a file, or makes it, with mode 0600. After a crash it has either content, as a whole.
///
/// # Errors
/// If it cannot be written durably; the former content stays.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = beside(path, PART);
    // One of a crash may be left, whatever its mode.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write(&part, content).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written?;
    sync_folder(path)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::write(beside(&path, PART), "of a crash").unwrap();
        for content in ["first", "second"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("absent/state"), b"").is_err());
    }
}
