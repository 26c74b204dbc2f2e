//! Stores that are tested.

use std::fs;

use gatepost_directory::{DirectoryStore, MemoryStore, SqliteStore};
use tempfile::TempDir;

use crate::{Durable, Subject};

/// Store in memory. It lives as long as this.
pub struct Memory(MemoryStore);

impl Memory {
    pub fn new() -> Self {
        Self(MemoryStore::new())
    }
}

impl Subject for Memory {
    fn open(&self) -> Box<dyn DirectoryStore> {
        Box::new(self.0.clone())
    }
}

/// Store in an SQLite file.
pub struct Sqlite {
    folder: TempDir,
    /// Folder of the last copy.
    copy: TempDir,
}

const FILE: &str = "directory.db";
const LOG: &str = "directory.db-wal";

impl Sqlite {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            copy: tempfile::tempdir().unwrap(),
        }
    }
}

impl Subject for Sqlite {
    fn open(&self) -> Box<dyn DirectoryStore> {
        Box::new(SqliteStore::open(&self.folder.path().join(FILE)).unwrap())
    }
}

/// A moment is a length of the log: what was written to it later is lost.
impl Durable for Sqlite {
    fn moment(&self) -> u64 {
        fs::metadata(self.folder.path().join(LOG)).unwrap().len()
    }

    fn crashed_at(&self, moment: u64) -> Box<dyn DirectoryStore> {
        let (folder, copy) = (self.folder.path(), self.copy.path());
        let _none_before = fs::remove_file(copy.join("directory.db-shm"));
        fs::copy(folder.join(FILE), copy.join(FILE)).unwrap();
        let log = fs::read(folder.join(LOG)).unwrap();
        let kept = log.get(..moment as usize).unwrap();
        fs::write(copy.join(LOG), kept).unwrap();
        Box::new(SqliteStore::open(&copy.join(FILE)).unwrap())
    }
}
