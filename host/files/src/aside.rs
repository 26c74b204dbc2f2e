//! Keeping a damaged file under another name, for somebody to look at.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::regular;

/// Between the name of a file and the time at which it was kept.
const DAMAGED: &str = ".damaged-";

/// Names that are tried when several files are kept within a second.
const TRIES: u32 = 100;

/// Keeps a file as `<name>.damaged-<time>` with mode 0600, durably, and leaves it where it is, too:
/// under both names it is the same file, or a copy where the file system knows no second name.
/// Whoever goes on writing under the first name must begin a new file.
///
/// # Errors
/// It cannot be kept.
pub fn keep(path: &Path) -> io::Result<PathBuf> {
    let aside = free_name(path, |aside| match fs::hard_link(path, aside) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            fs::copy(path, aside).and_then(|_| File::open(aside)?.sync_all())
        }
        linked => linked,
    })?;
    fs::set_permissions(&aside, Permissions::from_mode(0o600))?;
    sync_folder(&aside)?;
    Ok(aside)
}

/// Copies the first `most` octets of a file to `<name>.damaged-<time>` with mode 0600, durably: for
/// one that somebody goes on writing to.
///
/// # Errors
/// It cannot be copied.
pub fn copy_aside(path: &Path, most: u64) -> io::Result<PathBuf> {
    let mut from = regular::open(path)?.take(most);
    let aside = free_name(path, |aside| {
        let mut options = File::options();
        let mut to = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(aside)?;
        io::copy(&mut from, &mut to)?;
        to.sync_all()
    })?;
    sync_folder(&aside)?;
    Ok(aside)
}

/// Moves a file, or what stands in the place of one, to `<name>.damaged-<time>`, a file with mode
/// 0600, durably.
///
/// # Errors
/// It cannot be moved.
pub fn move_away(path: &Path) -> io::Result<PathBuf> {
    let aside = free_name(path, |aside| match aside.try_exists()? {
        true => Err(io::ErrorKind::AlreadyExists.into()),
        false => fs::rename(path, aside),
    })?;
    // Not of what a link points to, and not of a directory.
    if fs::symlink_metadata(&aside)?.is_file() {
        fs::set_permissions(&aside, Permissions::from_mode(0o600))?;
    }
    sync_folder(&aside)?;
    Ok(aside)
}

/// The files of a folder that were kept, by name.
///
/// # Errors
/// The folder cannot be read.
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

fn free_name(path: &Path, mut put: impl FnMut(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!("{DAMAGED}{now}"));
    for number in 0..TRIES {
        let mut name = name.clone();
        if number > 0 {
            name.push(format!("-{number}"));
        }
        let aside = path.with_file_name(name);
        match put(&aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            put => return put.map(|()| aside),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn sync_folder(path: &Path) -> io::Result<()> {
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
