//! Tables of the directory, and the upgrade of earlier schemas.

use gatepost_files::sqlite::{Newer, Schema};
use rusqlite::Connection;

/// Schema of a directory. With a migration, put a store of the schema before it into `tests/stores`.
const SCHEMA: Schema = Schema {
    migrations: &[
        include_str!("schema-1.sql"),
        include_str!("schema-2.sql"),
        include_str!("schema-3.sql"),
        include_str!("schema-4.sql"),
        include_str!("schema-5.sql"),
        include_str!("schema-6.sql"),
        include_str!("schema-7.sql"),
        include_str!("schema-8.sql"),
        include_str!("schema-9.sql"),
        include_str!("schema-10.sql"),
    ],
    tables: &[
        ("accounts", 1),
        ("brands", 1),
        ("connectors", 1),
        ("addresses", 1),
        ("credentials", 1),
        ("policy_settings", 2),
        ("agreements", 3),
        ("partner_lists", 3),
        ("partners", 3),
        ("connections", 4),
        ("dkim_keys", 5),
        ("restrictions", 6),
        ("administrators", 7),
        ("probes", 7),
        ("handovers", 7),
        ("audit", 7),
        ("api_tokens", 8),
        ("kept_requests", 9),
        ("endpoints", 10),
    ],
};

/// Version that this program reads and writes.
pub(crate) const CURRENT: u32 = SCHEMA.current();

/// Returns the reason why a file is not a directory, if it is not. A new one has no tables.
pub(crate) fn why_foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    SCHEMA.why_foreign(connection)
}

/// Returns the schema version of a file.
pub(crate) fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    gatepost_files::user_version(connection)
}

/// Migrates a directory to the current schema.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), Newer>> {
    let found = match SCHEMA.migrate(connection)? {
        Ok(found) => found,
        Err(newer) => return Ok(Err(newer)),
    };
    if found < CURRENT {
        // Into the file itself, so that it has its tables even if its log is lost.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(Ok(()))
}
