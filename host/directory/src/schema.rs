//! The tables, and how a directory of an earlier version becomes one of this version.

use rusqlite::Connection;

/// Each step brings a directory from the schema of its index to the next; a new one takes them
/// all. A step that has been released is never changed: write another one, and put a store of the
/// schema before it into `tests/stores`.
const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
];

/// The schema that this version reads and writes; `PRAGMA user_version` of the file.
pub(crate) const CURRENT: u32 = MIGRATIONS.len() as u32;

/// The tables of a directory, each with the schema in which it came.
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

/// What keeps a file from being a directory; `None` where nothing does. A new one has no tables.
pub(crate) fn foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    gatepost_files::foreign(connection, TABLES)
}

/// The schema of a file.
pub(crate) fn found(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings a directory to the present schema; gives the version found if that is a later one.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), u32>> {
    let found = found(connection)?;
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
        // Into the file itself, so that it has its tables whatever becomes of its log.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(Ok(()))
}
