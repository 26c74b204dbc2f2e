//! A store in a directory that is removed after the test, and messages for it.

#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(unused_imports, reason = "each test file uses what it needs")]

use std::path::Path;

use gatepost_message::TransactionId;
use gatepost_spool::*;

pub use store_conformance::support::*;

/// SQL that undoes the migrations to schemas 11, 9 and 8.
pub const BACK_TO_SCHEMA_7: &str = "DROP TABLE events;
    DROP TABLE cursors;
    DROP TABLE suppressions;
    DROP TABLE learnt_ids;
    DROP TABLE keyed_answers;
    DROP INDEX messages_kept;
    DROP INDEX messages_untold;
    ALTER TABLE messages DROP COLUMN untold_since;
    ALTER TABLE messages DROP COLUMN keep_until;
    ALTER TABLE messages DROP COLUMN kept;
    ALTER TABLE contents DROP COLUMN metadata;
    ALTER TABLE recipients DROP COLUMN destination;
    ALTER TABLE recipients DROP COLUMN route_json;
    ALTER TABLE recipients DROP COLUMN attention;
    CREATE INDEX due ON recipients (due) WHERE due IS NOT NULL;";

pub fn settings(directory: &Path) -> SpoolSettings {
    SpoolSettings {
        min_free_bytes: 0,
        ..SpoolSettings::new(directory)
    }
}

pub fn open(directory: &Path) -> SqliteSpool {
    SqliteSpool::open(settings(directory)).unwrap()
}

/// Begins the octets of a message.
pub fn stage(spool: &SqliteSpool, id: TransactionId) -> Staging {
    Staging::begin(spool.bodies(), id).unwrap()
}

/// Returns the names of the files in `incoming/`.
pub fn bodies(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory.join("incoming")).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}
