//! The tables, and the migrations from the schemas of earlier versions.

use rusqlite::Connection;

/// Migrations: each brings a trace from the schema of its index to the next; a new trace takes them
/// all. A released step is never changed: write another one.
const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
];

/// Schema that this version reads and writes; `PRAGMA user_version` of the file.
pub(crate) const CURRENT: u32 = MIGRATIONS.len() as u32;

/// Tables of a trace, each with the schema in which it was added.
const TABLES: &[(&str, u32)] = &[("events", 1), ("sent", 3), ("header_findings", 3)];

/// Returns the reason why a file is not a trace; `None` if it may be one. A new one has no tables.
pub(crate) fn foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    gatepost_files::foreign(connection, TABLES)
}

/// Migrates a trace to the current schema; returns the version found if that is a later one.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), u32>> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > CURRENT {
        return Ok(Err(found));
    }
    for version in found..CURRENT {
        let step = connection.transaction()?;
        step.execute_batch(MIGRATIONS[version as usize])?;
        step.pragma_update(None, "user_version", version + 1)?;
        step.commit()?;
    }
    Ok(Ok(()))
}
