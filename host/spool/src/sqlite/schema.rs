//! Tables, and how a store of an earlier version becomes one of this version.

use rusqlite::Connection;

use crate::SpoolError;

/// Each step brings a store from the schema of its index to the next; a new store takes them all.
/// A step that has been released is never changed: write another one.
const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
];

/// The schema that this version reads and writes; `PRAGMA user_version` of the store.
const CURRENT: u32 = MIGRATIONS.len() as u32;

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
