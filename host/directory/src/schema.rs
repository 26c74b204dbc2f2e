//! Tables of the directory, and the upgrade of earlier schemas.

use rusqlite::Connection;

/// Steps of the upgrade: each brings a directory from the schema of its index to the next, and a
/// new directory takes them all. A released step is never changed: write another one, and put a
/// store of the schema before it into `tests/stores`.
const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
];

/// Schema that this version reads and writes: `PRAGMA user_version` of the file.
pub(crate) const CURRENT: u32 = MIGRATIONS.len() as u32;

/// Tables of a directory, each with the schema that introduced it.
const TABLES: &[(&str, u32)] = &[
    ("accounts", 1),
    ("brands", 1),
    ("connectors", 1),
    ("addresses", 1),
    ("credentials", 1),
    ("policy_settings", 2),
    ("agreements", 3),
    ("partner_lists", 3),
    ("partners", 3),
];

/// Returns the reason why a file is not a directory, if it is not. A new one has no tables.
pub(crate) fn why_foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    gatepost_files::foreign(connection, TABLES)
}

/// Returns the schema version of a file.
pub(crate) fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Upgrades a directory to the current schema. Returns the version found as the error if it is a
/// later one.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), u32>> {
    let found = version_of(connection)?;
    if found > CURRENT {
        return Ok(Err(found));
    }
    for version in found..CURRENT {
        let step = connection.transaction()?;
        step.execute_batch(MIGRATIONS[version as usize])?;
        step.pragma_update(None, "user_version", version + 1)?;
        step.commit()?;
    }
    if found < CURRENT {
        // Into the file itself, so that it has its tables even if its log is lost.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(Ok(()))
}
