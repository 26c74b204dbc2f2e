//! Checks a directory and its key ring for loss and damage.

use std::{path::Path, time::Duration};

use gatepost_files::{Finding, Level, State};
use gatepost_message::Millis;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{DirectoryError, Rotation, Settings, View, schema, sqlite::SqliteStore};

/// Refuses to start a new directory where one was lost: its key ring or its log is still there.
///
/// # Errors
/// [`DirectoryError::Lost`], or [`DirectoryError::Unusable`] if it is no database.
pub(crate) fn refuse_lost(settings: &Settings) -> Result<(), DirectoryError> {
    let path = &settings.path;
    let unreadable = |error: std::io::Error| DirectoryError::Unusable {
        path: path.clone(),
        why: error.to_string(),
    };
    let state = match State::of(path).map_err(unreadable)? {
        State::Missing => "missing",
        State::Empty => "empty",
        // A directory has its tables from its creation on.
        State::Database if settings.key_ring.exists() && has_no_table(path) => "without a table",
        State::Database => return Ok(()),
        State::Garbled(what) => {
            return Err(DirectoryError::Unusable {
                path: path.clone(),
                why: format!("it {what}"),
            });
        }
    };
    let log = path.with_extension("db-wal");
    let beside = if settings.key_ring.exists() {
        format!("is its key ring {}", settings.key_ring.display())
    } else if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        format!("is its log {}", log.display())
    } else {
        return Ok(());
    };
    Err(DirectoryError::Lost {
        path: path.clone(),
        state,
        beside,
    })
}

/// Returns true if a database can be read and has no table, in its log neither.
fn has_no_table(path: &Path) -> bool {
    let looked = gatepost_files::look(path, false)
        .and_then(|connection| gatepost_files::has_table(&connection));
    matches!(looked, Ok(false))
}

/// Returns the reason why a file is not a directory, if it is not.
pub(crate) fn why_foreign(path: &Path) -> rusqlite::Result<Option<String>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    schema::why_foreign(&Connection::open_with_flags(path, flags)?)
}

/// Adds the file and the advice to an error if SQLite found the file damaged.
pub(crate) fn explain_damage(error: DirectoryError, path: &Path) -> DirectoryError {
    match &error {
        DirectoryError::Open { source, .. } | DirectoryError::Sqlite(source)
            if matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
            ) =>
        {
            DirectoryError::Unusable {
                path: path.to_owned(),
                why: source.to_string(),
            }
        }
        _ => error,
    }
}

/// Inspects the directory and its key ring without changing them, and tells of rotations that have
/// been under way for that time. `in_use` is true if a relay has them open.
pub fn inspect(settings: &Settings, rotation: Duration, in_use: bool) -> Vec<Finding> {
    let path = &settings.path;
    if let Err(error) = refuse_lost(settings) {
        return vec![Finding::new(Level::Error, path, error.to_string(), "")];
    }
    if !path.exists() {
        let found = "there is no directory yet: the relay makes it when it starts";
        return vec![Finding::note(path, found)];
    }
    inspect_file(settings, rotation, in_use).unwrap_or_else(|error| {
        let error = explain_damage(error.into(), path);
        let advice = "put directory.db back from a backup";
        vec![Finding::new(Level::Error, path, error.to_string(), advice)]
    })
}

fn inspect_file(
    settings: &Settings,
    rotation: Duration,
    in_use: bool,
) -> rusqlite::Result<Vec<Finding>> {
    let path = &settings.path;
    let connection = gatepost_files::look(path, in_use)?;
    if let Some(why) = schema::why_foreign(&connection)? {
        let advice = "this is no directory: put the right file back from a backup";
        return Ok(vec![Finding::new(Level::Error, path, why, advice)]);
    }
    let version = schema::version_of(&connection)?;
    let mut findings = vec![Finding::note(path, format!("schema {version}"))];
    for problem in gatepost_files::problems(&connection, true)? {
        let advice = "stop the relay, copy the store, and put directory.db back from a backup or \
            recover it with `sqlite3 directory.db .recover`";
        findings.push(Finding::new(Level::Error, path, problem, advice));
    }
    if version == schema::CURRENT {
        let ring = &settings.key_ring;
        let read = View::read_from(&SqliteStore::with(connection), settings);
        match read {
            Ok(view) => {
                let decrypts = "decrypts all that is encrypted in the directory";
                findings.push(Finding::note(ring, decrypts));
                findings.extend(slow_rotations(&view, rotation, path));
            }
            Err(error) => {
                let advice = "put it back from where it is kept, with every line";
                findings.push(Finding::new(Level::Error, ring, error.to_string(), advice));
            }
        }
    } else {
        let known = schema::CURRENT;
        let found = format!("schema {version}, and this version writes {known}");
        findings.push(match version < known {
            true => Finding::note(path, found + ": the next start brings it there"),
            false => {
                let advice = "run the version of gatepost that wrote it, or a later one";
                Finding::new(Level::Error, path, found, advice)
            }
        });
    }
    Ok(findings)
}

/// Returns a warning for each rotation that has been under way for that time.
fn slow_rotations(view: &View, after: Duration, path: &Path) -> Vec<Finding> {
    let now = Millis::now();
    let slow = view.rotations().filter(|of| of.since + after <= now);
    let warning = |rotation: Rotation| {
        let Rotation {
            former,
            next,
            since,
            ..
        } = rotation;
        let found = format!("the credentials {former} and {next} are both live since {since}");
        let advice = format!(
            "switch to {next}, see with `gatepost credential show` that {former} is not used, and \
             retire it"
        );
        Finding::new(Level::Warning, path, found, advice)
    };
    slow.map(warning).collect()
}
