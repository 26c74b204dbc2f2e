//! Owner of what root makes for the relay, which runs as a user of its own.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;

/// User and group to whom root gives what it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// Returns the owner of a folder, or of the folder around it where it does not exist. `None` if
    /// this process is not root's, or root owns the folder: then nothing is given away.
    pub fn of(folder: &Path) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let around = || fs::metadata(folder.parent()?).ok();
        let found = fs::metadata(folder).ok().or_else(around)?;
        (found.uid() != 0).then(|| Self {
            user: found.uid(),
            group: found.gid(),
        })
    }

    /// Gives a file or a folder, but not what is in it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn give(self, path: &Path) -> io::Result<()> {
        lchown(path, Some(self.user), Some(self.group))
    }

    /// Lets the group read a file that stays root's.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn share(self, path: &Path) -> io::Result<()> {
        lchown(path, None, Some(self.group))
    }

    /// Gives a folder with all that is in it.
    ///
    /// # Errors
    /// If it cannot be read, or the system refuses.
    pub fn give_all(self, folder: &Path) -> io::Result<()> {
        let mut left = vec![folder.to_owned()];
        while let Some(path) = left.pop() {
            self.give(&path)?;
            if fs::symlink_metadata(&path)?.is_dir() {
                for entry in fs::read_dir(&path)? {
                    left.push(entry?.path());
                }
            }
        }
        Ok(())
    }
}
