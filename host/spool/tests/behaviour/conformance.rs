//! The stores in SQLite and in memory show every fact that a store must.

use crate::common;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use common::{bodies, settings};
use gatepost_message::TransactionId;
use gatepost_spool::*;
use store_conformance::StoreUnderTest;

mod sqlite {
    store_conformance::every_fact!(crate::conformance::Sqlite);
    store_conformance::every_fact_of_crashes!(crate::conformance::Sqlite);
}

mod memory {
    store_conformance::every_fact!(crate::conformance::InMemory);
}

/// A store in SQLite.
struct Sqlite {
    /// Directory that holds the store's directory; that is another after each crash.
    root: tempfile::TempDir,
    directory: PathBuf,
    remembered_bytes: usize,
    spool: Option<SqliteSpool>,
}

impl Sqlite {
    fn spool(&self) -> &SqliteSpool {
        self.spool.as_ref().unwrap()
    }

    fn open_again(&mut self) {
        let settings = SpoolSettings {
            remembered_bytes: self.remembered_bytes,
            ..settings(&self.directory)
        };
        self.spool = Some(SqliteSpool::open(settings).unwrap());
    }
}

impl StoreUnderTest for Sqlite {
    fn open_with(remembered_bytes: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut store = Self {
            directory: root.path().join("store"),
            root,
            remembered_bytes,
            spool: None,
        };
        store.open_again();
        store
    }

    fn queue(&self) -> &dyn Queue {
        self.spool()
    }

    fn admin(&self) -> &dyn QueueAdmin {
        self.spool()
    }

    fn counters(&self) -> &dyn Counters {
        self.spool()
    }

    fn events(&self) -> &dyn EventLog {
        self.spool()
    }

    fn suppressions(&self) -> &dyn Suppressions {
        self.spool()
    }

    fn learnt(&self) -> &dyn LearntIds {
        self.spool()
    }

    fn answers(&self) -> &dyn KeyedAnswers {
        self.spool()
    }

    fn erasure(&self) -> &dyn Erasure {
        self.spool()
    }

    fn bodies(&self) -> &Arc<dyn BodyStore> {
        self.spool().bodies()
    }

    fn reopen(&mut self) {
        self.spool = None;
        self.open_again();
    }

    /// Goes on with the files as they are now, as after `kill -9`.
    fn crash(&mut self) {
        let copied = self.root.path().join("copied");
        // The store may be doing maintenance; each page that it writes is then either old or new.
        loop {
            copy(&self.directory, &copied);
            let first = contents(&copied);
            copy(&self.directory, &copied);
            if contents(&copied) == first {
                break;
            }
        }
        self.spool = None;
        fs::remove_dir_all(&self.directory).unwrap();
        fs::rename(copied, &self.directory).unwrap();
        self.open_again();
    }

    fn body_ids(&self) -> Vec<TransactionId> {
        let names = bodies(&self.directory);
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn close(mut self) -> Vec<TransactionId> {
        self.spool = None;
        self.body_ids()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Reads the files that SQLite and the journal write.
fn contents(directory: &Path) -> Vec<Option<Vec<u8>>> {
    ["journal", "journal.synced", "spool.db", "spool.db-wal"]
        .map(|name| fs::read(directory.join(name)).ok())
        .to_vec()
}

/// A store in memory. It claims no durability, so it has no crashes.
struct InMemory(MemorySpool);

impl StoreUnderTest for InMemory {
    fn open_with(remembered_bytes: usize) -> Self {
        Self(MemorySpool::new(MemorySettings {
            remembered_bytes,
            ..MemorySettings::default()
        }))
    }

    fn queue(&self) -> &dyn Queue {
        &self.0
    }

    fn admin(&self) -> &dyn QueueAdmin {
        &self.0
    }

    fn counters(&self) -> &dyn Counters {
        &self.0
    }

    fn events(&self) -> &dyn EventLog {
        &self.0
    }

    fn suppressions(&self) -> &dyn Suppressions {
        &self.0
    }

    fn learnt(&self) -> &dyn LearntIds {
        &self.0
    }

    fn answers(&self) -> &dyn KeyedAnswers {
        &self.0
    }

    fn erasure(&self) -> &dyn Erasure {
        &self.0
    }

    fn bodies(&self) -> &Arc<dyn BodyStore> {
        self.0.bodies()
    }

    fn reopen(&mut self) {
        self.0.restart();
    }

    fn body_ids(&self) -> Vec<TransactionId> {
        self.0.body_ids()
    }

    fn close(self) -> Vec<TransactionId> {
        self.0.body_ids()
    }
}
