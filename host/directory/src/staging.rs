//! Imports that have begun: their entries wait in a temporary file, which has no name and is gone
//! when the directory is closed.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::{AccountId, DirectoryError, PartnerEntry, random};

const TABLES: &str = "
    CREATE TABLE imports (account TEXT PRIMARY KEY, import INTEGER NOT NULL UNIQUE) STRICT;
    CREATE TABLE incoming (
        import INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (import, entry)
    ) STRICT, WITHOUT ROWID;";

/// Id of an import that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ImportId(u64);

impl ImportId {
    /// Returns the id of the import that a fetch of a feed makes.
    pub(crate) fn of_feed(feed: u32) -> Self {
        Self(feed.into())
    }

    fn stored(self) -> i64 {
        self.0.cast_signed()
    }
}

/// Imports that have begun, one an account, and their entries.
#[derive(Debug, Default)]
pub(crate) struct ImportStaging {
    /// Opened with the first import.
    connection: Option<Connection>,
}

impl ImportStaging {
    /// Begins an import of an account. One that was abandoned is dropped.
    pub(crate) fn begin(&mut self, account: AccountId) -> Result<ImportId, DirectoryError> {
        let import = ImportId(u64::from_be_bytes(random::bytes()?));
        let change = self.connection()?.transaction()?;
        let account = account.to_string();
        let before = "DELETE FROM incoming WHERE import IN
             (SELECT import FROM imports WHERE account = ?1)";
        change.execute(before, [&account])?;
        let begin = "INSERT OR REPLACE INTO imports (account, import) VALUES (?1, ?2)";
        change.execute(begin, (account, import.stored()))?;
        change.commit()?;
        Ok(import)
    }

    /// Returns true if an import of the account has begun and not ended.
    pub(crate) fn is_of(
        &mut self,
        account: AccountId,
        import: ImportId,
    ) -> Result<bool, DirectoryError> {
        let select = "SELECT EXISTS (SELECT 1 FROM imports WHERE import = ?1 AND account = ?2)";
        let of = (import.stored(), account.to_string());
        Ok(self.connection()?.query_row(select, of, |row| row.get(0))?)
    }

    /// Returns true if an import has begun and not ended.
    pub(crate) fn has_begun(&mut self, import: ImportId) -> Result<bool, DirectoryError> {
        let select = "SELECT EXISTS (SELECT 1 FROM imports WHERE import = ?1)";
        let connection = self.connection()?;
        Ok(connection.query_row(select, [import.stored()], |row| row.get(0))?)
    }

    /// Adds entries to an import. One that it has already counts once.
    pub(crate) fn add(
        &mut self,
        import: ImportId,
        entries: &[PartnerEntry],
    ) -> Result<(), DirectoryError> {
        let change = self.connection()?.transaction()?;
        let insert = "INSERT OR IGNORE INTO incoming (import, entry) VALUES (?1, ?2)";
        let mut insert = change.prepare_cached(insert)?;
        for entry in entries {
            insert.execute((import.stored(), entry.to_string()))?;
        }
        drop(insert);
        Ok(change.commit()?)
    }

    /// Returns those entries of an import of which `is_wanted` returns true.
    pub(crate) fn entries(
        &mut self,
        import: ImportId,
        is_wanted: impl Fn(&PartnerEntry) -> Result<bool, DirectoryError>,
    ) -> Result<Vec<PartnerEntry>, DirectoryError> {
        let select = "SELECT entry FROM incoming WHERE import = ?1";
        let mut select = self.connection()?.prepare_cached(select)?;
        let mut rows = select.query([import.stored()])?;
        let mut wanted = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            let damaged = |_| DirectoryError::Damaged(format!("partner {text}"));
            let entry = text.parse().map_err(damaged)?;
            if is_wanted(&entry)? {
                wanted.push(entry);
            }
        }
        Ok(wanted)
    }

    /// Returns true if an import has an entry.
    pub(crate) fn contains(
        &mut self,
        import: ImportId,
        entry: &PartnerEntry,
    ) -> Result<bool, DirectoryError> {
        let select = "SELECT EXISTS (SELECT 1 FROM incoming WHERE import = ?1 AND entry = ?2)";
        let mut select = self.connection()?.prepare_cached(select)?;
        Ok(select.query_row((import.stored(), entry.to_string()), |row| row.get(0))?)
    }

    /// Ends an import and drops its entries.
    pub(crate) fn end(&mut self, import: ImportId) -> Result<(), DirectoryError> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let change = connection.transaction()?;
        for table in ["incoming", "imports"] {
            let delete = format!("DELETE FROM {table} WHERE import = ?1");
            change.execute(&delete, [import.stored()])?;
        }
        Ok(change.commit()?)
    }

    fn connection(&mut self) -> Result<&mut Connection, DirectoryError> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => {
                // A temporary file (https://sqlite.org/inmemorydb.html#temp_db).
                let connection = Connection::open("")?;
                connection.execute_batch(TABLES)?;
                Ok(none.insert(connection))
            }
        }
    }
}
