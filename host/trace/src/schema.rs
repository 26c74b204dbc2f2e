//! The tables, and the migrations from the schemas of earlier versions.

use gatepost_files::sqlite::{Newer, Schema};
use rusqlite::Connection;

/// Schema of a trace.
const SCHEMA: Schema = Schema {
    migrations: &[
        include_str!("schema-1.sql"),
        include_str!("schema-2.sql"),
        include_str!("schema-3.sql"),
        include_str!("schema-4.sql"),
    ],
    tables: &[
        ("events", 1),
        ("sent", 3),
        ("header_findings", 3),
        ("messages", 4),
        ("message_recipients", 4),
    ],
};

/// Version that this program reads and writes.
pub(crate) const CURRENT: u32 = SCHEMA.current();

/// Returns the reason why a file is not a trace; `None` if it may be one. A new one has no tables.
pub(crate) fn foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    SCHEMA.why_foreign(connection)
}

/// Migrates a trace to the current schema.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), Newer>> {
    Ok(SCHEMA.migrate(connection)?.map(drop))
}
