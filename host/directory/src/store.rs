//! Where a directory is kept.

use std::fmt::Debug;

use gatepost_message::Millis;

use crate::{
    AuditQuery, AuditRecord, DirectoryChange, DirectoryError, DirectoryRow, KeptRequest,
    PartnerEntry,
};

/// Store of a directory.
///
/// A [`Directory`](crate::Directory) has its store to itself. It loads all rows when it is opened
/// and then only writes: rules decide from the [`View`](crate::View), which follows each change
/// after its commit. So a store checks no rule. Entries of partner lists are too many to hold in
/// memory as texts, and so is the audit log; they are all that is asked for later.
///
/// The facts that every store has to pass are in `tests/conformance`.
pub trait DirectoryStore: Debug + Send {
    /// Loads all rows except entries, each after those that it refers to.
    ///
    /// # Errors
    /// The store cannot be read, or holds something damaged.
    fn rows(&self) -> Result<Rows, DirectoryError>;

    /// Returns at most `limit` entries of a list in the order of their texts, beginning after
    /// `after`; with an empty `after`, from the first one.
    ///
    /// # Errors
    /// The store cannot be read, or holds something damaged.
    fn entries(
        &self,
        list: u32,
        after: &str,
        limit: usize,
    ) -> Result<Vec<PartnerEntry>, DirectoryError>;

    /// Returns true if a list has an entry.
    ///
    /// # Errors
    /// The store cannot be read.
    fn contains(&self, list: u32, entry: &PartnerEntry) -> Result<bool, DirectoryError>;

    /// Returns entries of the audit log, newest first.
    ///
    /// # Errors
    /// The store cannot be read, or holds something damaged.
    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, DirectoryError>;

    /// Returns the request of the HTTP API that is kept under a key of a token.
    ///
    /// # Errors
    /// The store cannot be read.
    fn kept_request(&self, token: &str, key: &str) -> Result<Option<KeptRequest>, DirectoryError>;

    /// Returns the number of a token's requests that came after this time and are kept.
    ///
    /// # Errors
    /// The store cannot be read.
    fn kept_requests_since(&self, token: &str, since: Millis) -> Result<u64, DirectoryError>;

    /// Writes changes, in their order: all of them or, after an error or a crash, none. A durable
    /// store has them on disk when it returns.
    ///
    /// # Errors
    /// The store cannot be written.
    fn write(&mut self, changes: &[DirectoryChange]) -> Result<(), DirectoryError>;

    /// Overwrites what was removed, where the store has a disk that may still hold it.
    ///
    /// # Errors
    /// The store cannot be written.
    fn overwrite_erased(&mut self) -> Result<(), DirectoryError> {
        Ok(())
    }
}

/// Rows of a store.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Rows, each after those that it refers to.
    pub rows: Vec<DirectoryRow>,
    /// Greatest id that a list of partners ever had, so that no id is given twice.
    pub last_list: u32,
}

/// Reads all entries of a list, a page at a time.
pub(crate) fn each_page(
    store: &dyn DirectoryStore,
    list: u32,
    mut read: impl FnMut(Vec<PartnerEntry>) -> Result<(), DirectoryError>,
) -> Result<(), DirectoryError> {
    /// Number of entries of a page.
    const PAGE: usize = 10_000;
    let mut after = String::new();
    loop {
        let page = store.entries(list, &after, PAGE)?;
        match page.last() {
            Some(last) => after = last.to_string(),
            None => return Ok(()),
        }
        read(page)?;
    }
}
