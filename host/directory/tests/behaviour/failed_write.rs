//! After a write that failed, the directory finds out what its store holds.

use crate::common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use common::{production, profile, settings};
use gatepost_directory::{
    AccountKind, AuditQuery, AuditRecord, Directory, DirectoryChange, DirectoryError,
    DirectoryStore, KeptRequest, MemoryStore, PartnerEntry, Rows,
};
use gatepost_message::Millis;

const WORKS: u8 = 0;
const FAILS_BEFORE: u8 = 1;
const FAILS_AFTER: u8 = 2;

/// Store whose writes fail, as an error of the disk may: with nothing written, or with everything.
#[derive(Debug)]
struct Failing {
    store: MemoryStore,
    mode: Arc<AtomicU8>,
}

impl DirectoryStore for Failing {
    fn rows(&self) -> Result<Rows, DirectoryError> {
        self.store.rows()
    }

    fn entries(
        &self,
        list: u32,
        after: &str,
        limit: usize,
    ) -> Result<Vec<PartnerEntry>, DirectoryError> {
        self.store.entries(list, after, limit)
    }

    fn contains(&self, list: u32, entry: &PartnerEntry) -> Result<bool, DirectoryError> {
        self.store.contains(list, entry)
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, DirectoryError> {
        self.store.audit(query)
    }

    fn kept_request(&self, token: &str, key: &str) -> Result<Option<KeptRequest>, DirectoryError> {
        self.store.kept_request(token, key)
    }

    fn kept_requests_since(&self, token: &str, since: Millis) -> Result<u64, DirectoryError> {
        self.store.kept_requests_since(token, since)
    }

    fn write(&mut self, changes: &[DirectoryChange]) -> Result<(), DirectoryError> {
        let mode = self.mode.load(Ordering::SeqCst);
        if mode != FAILS_BEFORE {
            self.store.write(changes)?;
        }
        match mode {
            WORKS => Ok(()),
            _ => Err(DirectoryError::Damaged("the disk".to_owned())),
        }
    }
}

#[test]
fn a_failed_write_is_in_the_view_exactly_if_it_is_in_the_store() {
    for mode in [FAILS_BEFORE, FAILS_AFTER] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let store = Failing {
            store: MemoryStore::new(),
            mode: Arc::default(),
        };
        let (memory, failing) = (store.store.clone(), Arc::clone(&store.mode));
        let directory = Directory::open_on(Box::new(store), &settings).unwrap();
        production(&directory, "first.desk.example");
        failing.store(mode, Ordering::SeqCst);
        let lost = profile(AccountKind::Production, "second.desk.example");
        directory.add_account(lost.clone()).unwrap_err();
        assert_eq!(directory.view().accounts().count(), 1);

        failing.store(WORKS, Ordering::SeqCst);
        let again = directory.add_account(lost);
        assert_eq!(again.is_ok(), mode == FAILS_BEFORE, "{again:?}");
        production(&directory, "third.desk.example");
        assert_eq!(directory.view().accounts().count(), 3);
        let anew = Directory::open_on(Box::new(memory), &settings).unwrap();
        assert!(*anew.view() == *directory.view());
    }
}
