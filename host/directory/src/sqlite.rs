//! Store in an SQLite file.

use std::path::Path;

use gatepost_files::sqlite::{self, Synced};
use gatepost_message::Millis;
use rusqlite::{Connection, TransactionBehavior};

use crate::{
    AuditQuery, AuditRecord, DirectoryChange, DirectoryError, DirectoryStore, KeptRequest,
    PartnerEntry, RowKey, Rows, rows, schema, state,
};

/// Store in an SQLite file, `directory.db`. A change is on disk when it is written.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
}

impl SqliteStore {
    /// Opens a file and brings it to the current schema. Creates it if it does not exist, also
    /// where it was lost: [`Directory::open`](crate::Directory::open) looks for that.
    ///
    /// # Errors
    /// It cannot be opened, is no directory, or a later version wrote it.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let failed = |source| DirectoryError::Open {
            path: path.to_owned(),
            source,
        };
        if path.exists()
            && let Some(why) = state::why_foreign(path).map_err(failed)?
        {
            return Err(DirectoryError::Unusable {
                path: path.to_owned(),
                why,
            });
        }
        let mut connection = connect(path).map_err(failed)?;
        let migrated = schema::migrate(&mut connection).map_err(failed)?;
        migrated.map_err(|newer| DirectoryError::Newer {
            path: path.to_owned(),
            found: newer.found,
            known: schema::CURRENT,
        })?;
        Ok(Self { connection })
    }

    /// Opens a file of the current schema to read it as it is at this moment.
    ///
    /// # Errors
    /// It cannot be opened, or has another schema.
    pub(crate) fn read(path: &Path) -> Result<Self, DirectoryError> {
        let failed = |source| DirectoryError::Open {
            path: path.to_owned(),
            source,
        };
        let connection = sqlite::connect_reader(path).map_err(failed)?;
        let found = schema::version_of(&connection).map_err(failed)?;
        if found != schema::CURRENT {
            return Err(DirectoryError::Other {
                path: path.to_owned(),
                found,
                known: schema::CURRENT,
            });
        }
        // One read transaction for all tables.
        connection.execute_batch("BEGIN")?;
        Ok(Self { connection })
    }

    /// Takes a connection to a file of the current schema.
    pub(crate) fn with(connection: Connection) -> Self {
        Self { connection }
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    sqlite::create_private(path);
    let connection = sqlite::connect(path)?;
    // A change that was answered is on disk: a cancelled credential must not work again after a power
    // cut.
    sqlite::write_ahead(&connection, Synced::EachCommit)?;
    // What is removed or replaced here names people, or is secret.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

impl DirectoryStore for SqliteStore {
    fn rows(&self) -> Result<Rows, DirectoryError> {
        Ok(rows::read(&self.connection)?)
    }

    fn entries(
        &self,
        list: u32,
        after: &str,
        limit: usize,
    ) -> Result<Vec<PartnerEntry>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT entry FROM partners WHERE list = ?1 AND entry > ?2 ORDER BY entry LIMIT ?3",
        )?;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let texts = select.query_map((list, after, limit), |row| row.get::<_, String>(0))?;
        let entries = texts.map(|text| {
            let text = text?;
            let damaged = |_| DirectoryError::Damaged(format!("partner {text}"));
            text.parse().map_err(damaged)
        });
        entries.collect()
    }

    fn contains(&self, list: u32, entry: &PartnerEntry) -> Result<bool, DirectoryError> {
        let select = "SELECT EXISTS (SELECT 1 FROM partners WHERE list = ?1 AND entry = ?2)";
        let mut select = self.connection.prepare_cached(select)?;
        Ok(select.query_row((list, entry.to_string()), |row| row.get(0))?)
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, DirectoryError> {
        Ok(rows::audit(&self.connection, query)?)
    }

    fn kept_request(&self, token: &str, key: &str) -> Result<Option<KeptRequest>, DirectoryError> {
        Ok(rows::kept_request(&self.connection, token, key)?)
    }

    fn kept_requests_since(&self, token: &str, since: Millis) -> Result<u64, DirectoryError> {
        Ok(rows::kept_requests_since(&self.connection, token, since)?)
    }

    fn write(&mut self, changes: &[DirectoryChange]) -> Result<(), DirectoryError> {
        // For a row that others may refer to, SQLite would look through all of their tables: the
        // rules know from the view that none does.
        let is_searched = |change: &DirectoryChange| {
            matches!(
                change,
                DirectoryChange::Remove(RowKey::Account(_) | RowKey::Connector(_))
            )
        };
        let checked = !changes.iter().any(is_searched);
        self.connection
            .pragma_update(None, "foreign_keys", checked)?;
        let immediate = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(immediate)?;
        for change in changes {
            rows::write(&transaction, change)?;
        }
        Ok(transaction.commit()?)
    }

    fn overwrite_erased(&mut self) -> Result<(), DirectoryError> {
        Ok(sqlite::overwrite_erased(&self.connection)?)
    }
}
