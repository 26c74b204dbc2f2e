//! Tables, and how a store of an earlier version becomes one of this version.

use std::path::Path;

use rusqlite::Connection;

use crate::SpoolError;

/// Each step brings a store from the schema of its index to the next; a new store takes them all.
/// A step that has been released is never changed: write another one.
const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
];

/// The schema that this version reads and writes; `PRAGMA user_version` of the store.
pub(crate) const CURRENT: u32 = MIGRATIONS.len() as u32;

/// Since this schema a database and the file beside its journal count commits.
pub(crate) const COUNTS_COMMITS: u32 = 6;

/// The tables of a store, each with the schema in which it came.
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

/// What keeps a database from being a store's; `None` where nothing does. A new one has no tables.
pub(crate) fn foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    gatepost_files::foreign(connection, TABLES)
}

/// Takes nothing for a store that is none.
///
/// # Errors
/// [`SpoolError::Unusable`] if it is none.
pub(super) fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), SpoolError> {
    match foreign(connection)? {
        None => Ok(()),
        Some(why) => Err(SpoolError::Unusable {
            path: path.to_owned(),
            why,
        }),
    }
}

/// Brings the store to the present schema, each step in a transaction of its own.
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
