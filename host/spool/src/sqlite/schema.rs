//! Tables of the store, and their migrations.

use std::path::Path;

use gatepost_files::sqlite::Schema;
use rusqlite::Connection;

use crate::SpoolError;

/// Schema of the store.
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
        include_str!("schema-11.sql"),
    ],
    tables: &[
        ("messages", 1),
        ("contents", 1),
        ("recipients", 1),
        ("marks", 1),
        ("counts", 1),
        ("journal", 3),
        ("carried", 3),
        ("machines", 4),
        ("events", 9),
        ("cursors", 9),
        ("suppressions", 9),
        ("learnt_ids", 9),
        ("keyed_answers", 11),
    ],
};

/// Version that this program reads and writes.
pub(crate) const CURRENT: u32 = SCHEMA.current();

/// First schema with a journal.
pub(crate) const HAS_JOURNAL: u32 = 3;

/// First schema in which the database and the mark file count commits.
pub(crate) const COUNTS_COMMITS: u32 = 6;

/// Returns the reason why a database is not a spool's; `None` if it is one, or has no tables yet.
pub(crate) fn foreign(connection: &Connection) -> rusqlite::Result<Option<String>> {
    SCHEMA.why_foreign(connection)
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

/// Migrates the store to the current schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), SpoolError> {
    match SCHEMA.migrate(connection)? {
        Ok(_) => Ok(()),
        Err(newer) => Err(SpoolError::Newer {
            found: newer.found,
            known: CURRENT,
        }),
    }
}
