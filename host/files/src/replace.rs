//! Replacement of a file as a whole, in a folder that is durable, too.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
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

/// Makes a folder with mode 0700, durably, if it does not exist. Its parent has to exist.
///
/// # Errors
/// If it cannot be made durably.
pub fn make_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
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
        let absent = folder.path().join("absent");
        assert!(replace(&absent.join("state"), b"").is_err());
        for _ in 0..2 {
            make_folder(&absent).unwrap();
        }
        replace(&absent.join("state"), b"").unwrap();
        let mode = fs::metadata(&absent).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
