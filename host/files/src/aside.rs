//! Keeping of damaged files under another name, for examination.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::regular;

/// Infix between the name of a file and the time at which it was kept.
const DAMAGED: &str = ".damaged-";

/// Names that are tried if several files are kept within a second.
const TRIES: u32 = 100;

/// Keeps a file as `<name>.damaged-<time>` with mode 0600, durably, and leaves the original name,
/// too: both names are the same file, or the kept one is a copy if the file system has no hard
/// links. A writer that goes on under the original name must make a new file.
///
/// # Errors
/// If it cannot be kept.
pub fn keep(path: &Path) -> io::Result<PathBuf> {
    let kept_path = free_name(path, |kept_path| match fs::hard_link(path, kept_path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            fs::copy(path, kept_path).and_then(|_| File::open(kept_path)?.sync_all())
        }
        linked => linked,
    })?;
    fs::set_permissions(&kept_path, Permissions::from_mode(0o600))?;
    sync_folder(&kept_path)?;
    Ok(kept_path)
}

/// Copies the first `most` octets of a file to `<name>.damaged-<time>` with mode 0600, durably: for
/// a file that is still being written.
///
/// # Errors
/// If it cannot be copied.
pub fn copy_aside(path: &Path, most: u64) -> io::Result<PathBuf> {
    let mut from = regular::open(path)?.take(most);
    let kept_path = free_name(path, |kept_path| {
        let mut options = File::options();
        let mut to = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(kept_path)?;
        io::copy(&mut from, &mut to)?;
        to.sync_all()
    })?;
    sync_folder(&kept_path)?;
    Ok(kept_path)
}

/// Moves a file, or whatever is at its path, to `<name>.damaged-<time>`, durably; a file gets mode
/// 0600.
///
/// # Errors
/// If it cannot be moved.
pub fn move_away(path: &Path) -> io::Result<PathBuf> {
    let kept_path = free_name(path, |kept_path| match kept_path.try_exists()? {
        true => Err(io::ErrorKind::AlreadyExists.into()),
        false => fs::rename(path, kept_path),
    })?;
    // Not the target of a symbolic link, and not a directory.
    if fs::symlink_metadata(&kept_path)?.is_file() {
        fs::set_permissions(&kept_path, Permissions::from_mode(0o600))?;
    }
    sync_folder(&kept_path)?;
    Ok(kept_path)
}

/// Lists the kept files of a folder, by name.
///
/// # Errors
/// If the folder cannot be read.
pub fn kept(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().contains(DAMAGED) {
            kept.push(entry.path());
        }
    }
    kept.sort();
    Ok(kept)
}

fn free_name(path: &Path, mut place: impl FnMut(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!("{DAMAGED}{now}"));
    for number in 0..TRIES {
        let mut name = name.clone();
        if number > 0 {
            name.push(format!("-{number}"));
        }
        let kept_path = path.with_file_name(name);
        match place(&kept_path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            placed => return placed.map(|()| kept_path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Makes the name of a file or a folder durable, by its parent.
///
/// # Errors
/// If the parent cannot be synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_kept_under_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, "one").unwrap();
        let first = keep(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "two").unwrap();
        let second = move_away(&path).unwrap();
        assert_eq!(fs::read_to_string(&first).unwrap(), "one");
        assert_eq!(fs::read_to_string(&second).unwrap(), "two");
        let mode = fs::metadata(&first).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(kept(folder.path()).unwrap().len(), 2);
        assert!(!path.exists());
    }
}
