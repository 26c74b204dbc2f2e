//! Tables of the store, and their migrations.

use std::path::Path;

use rusqlite::Connection;

use crate::SpoolError;

/// Migrations; each brings a store from the schema of its index to the next, and a new store runs
/// them all. A released migration is never changed: add another one.
const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
];

/// Schema that this version reads and writes; `PRAGMA user_version` of the store.
pub(crate) const CURRENT: u32 = MIGRATIONS.len() as u32;

/// First schema in which the database and the mark file count commits.
pub(crate) const COUNTS_COMMITS: u32 = 6;

/// Tables of a store, each with the schema in which it was added.
const TABLES: &[(&str, u32)] = &[
    ("messages", 1),
    ("contents", 1),
    ("recipients", 1),
    ("marks", 1),
    ("counts", 1),
    ("journal", 3),
    ("carried", 3),
    ("machines", 4),
];

/// Returns the reason why a database is not a spool's; `None` if it is one, or has no tables yet.
pub(crate) fn foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    gatepost_files::foreign(connection, TABLES)
}

/// Refuses a database that is not a spool's.
///
/// # Errors
/// [`SpoolError::Unusable`] if it is not.
pub(super) fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), SpoolError> {
    match foreign(connection)? {
        None => Ok(()),
        Some(why) => Err(SpoolError::Unusable {
            path: path.to_owned(),
            why,
        }),
    }
}

/// Migrates the store to the present schema, each migration in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), SpoolError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > CURRENT {
        return Err(SpoolError::Newer {
            found,
            known: CURRENT,
        });
    }
    for version in found..CURRENT {
        let step = connection.transaction()?;
        step.execute_batch(MIGRATIONS[version as usize])?;
        step.pragma_update(None, "user_version", version + 1)?;
        step.commit()?;
    }
    Ok(())
}
