//! Damage to a trace, and its handling: mail does not wait for its record.

use std::{io, path::Path};

use gatepost_files::{Finding, Level, State};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::schema;

/// Returns the damage that keeps a file from holding a trace; `None` if there is none.
pub(crate) fn damage(path: &Path) -> io::Result<Option<String>> {
    Ok(match State::of(path)? {
        State::Missing => None,
        State::Empty => Some("it is empty".to_owned()),
        State::Garbled(what) => Some(format!("it {what}")),
        State::Database => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let looked = Connection::open_with_flags(path, flags)
                .and_then(|connection| schema::foreign(&connection));
            looked.unwrap_or_else(|error| is_damage(&error).then(|| error.to_string()))
        }
    })
}

/// Returns true if SQLite reports that the file itself is at fault.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Moves a damaged trace away, with its logs, and reports it.
pub(crate) fn move_away(path: &Path, why: &str) -> io::Result<()> {
    let kept = gatepost_files::move_away(path)?;
    for suffix in ["-wal", "-shm"] {
        let beside = gatepost_files::beside(path, suffix);
        if beside.symlink_metadata().is_ok() {
            gatepost_files::move_away(&beside)?;
        }
    }
    tracing::error!(
        path = %path.display(),
        why,
        kept = %kept.display(),
        "the trace is damaged and was moved away; a new one begins, and no mail is affected. \
         `sqlite3 <kept> .recover` gets out what can be read"
    );
    Ok(())
}

/// Examines the trace, and changes nothing. `in_use` is true if a relay has it open.
pub fn inspect(path: &Path, in_use: bool) -> Vec<Finding> {
    let advice = "the next start moves it away and begins a new one; no mail is affected";
    let damaged = |why: String| vec![Finding::new(Level::Error, path, why, advice)];
    match State::of(path) {
        Ok(State::Missing) => {
            let found = "there is no trace yet: the relay makes it when it starts";
            return vec![Finding::note(path, found)];
        }
        Ok(State::Empty) => return damaged("it is empty".to_owned()),
        Ok(State::Garbled(what)) => return damaged(format!("it {what}")),
        Ok(State::Database) => {}
        Err(error) => return damaged(error.to_string()),
    }
    let looked = || -> rusqlite::Result<Vec<Finding>> {
        let connection = gatepost_files::look(path, in_use)?;
        if let Some(why) = schema::foreign(&connection)? {
            return Ok(damaged(why));
        }
        let version = gatepost_files::user_version(&connection)?;
        let mut findings = vec![Finding::note(path, format!("schema {version}"))];
        if version > schema::CURRENT {
            let found = format!(
                "schema {version}, and this version knows {}",
                schema::CURRENT
            );
            let advice = "run the version of gatepost that wrote it, or move it away";
            findings.push(Finding::new(Level::Error, path, found, advice));
        }
        // The quick check: a trace may have a gigabyte, and nothing depends on its indices.
        for problem in gatepost_files::problems(&connection, false)? {
            let advice = "stop the relay and move the file away; no mail is affected";
            findings.push(Finding::new(Level::Error, path, problem, advice));
        }
        Ok(findings)
    };
    looked().unwrap_or_else(|error| damaged(error.to_string()))
}
