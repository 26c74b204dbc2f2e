//! SQLite files: their state, and inspection without changes.

use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use crate::regular::{self, FileError};

/// First octets of every SQLite database (its file format, section 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Most problems that are reported; one damaged page makes many.
const MAX_PROBLEMS: u32 = 10;

/// State of the file at a database's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no file.
    Missing,
    /// The file has no octets.
    Empty,
    /// The file begins as a database does.
    Database,
    /// The file is something else; the words continue a sentence after its name.
    Garbled(&'static str),
}

impl State {
    /// Reads the first octets, and checks that it and its logs are regular files.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        match regular::refuse_other_kinds(path) {
            Err(FileError::NotRegular(kind)) => return Ok(Self::Garbled(irregular(kind))),
            admitted => admitted?,
        }
        for log in ["-wal", "-shm"] {
            match regular::refuse_other_kinds(&beside(path, log)) {
                Err(FileError::NotRegular(_)) => {
                    let found = "has a log (-wal or -shm) that is not a regular file";
                    return Ok(Self::Garbled(found));
                }
                admitted => admitted?,
            }
        }
        let mut file = match regular::open(path).map_err(io::Error::from) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Missing),
            opened => opened?,
        };
        let mut octets = Vec::new();
        (&mut file)
            .take(MAGIC.len() as u64)
            .read_to_end(&mut octets)?;
        Ok(match octets.as_slice() {
            [] => Self::Empty,
            octets if octets == MAGIC => Self::Database,
            octets if octets.iter().all(|octet| *octet == 0) => {
                Self::Garbled("begins with zeros and is not a database")
            }
            octets if is_text(octets) => Self::Garbled("is a text file and not a database"),
            _ => Self::Garbled("is not a database of SQLite"),
        })
    }
}

/// Returns the words for a database that is not a regular file.
fn irregular(kind: &str) -> &'static str {
    match kind {
        "a directory" => "is a directory and not a file",
        "a FIFO" => "is a FIFO and not a file",
        "a socket" => "is a socket and not a file",
        _ => "is a device and not a file",
    }
}

fn is_text(octets: &[u8]) -> bool {
    let shown = |octet: &u8| *octet >= b' ' || octet.is_ascii_whitespace();
    octets.iter().all(shown) && octets.iter().any(u8::is_ascii_alphanumeric)
}

/// Returns the path of a file that SQLite keeps beside a database.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens a database for inspection, whether or not a relay writes to it, and leaves nothing behind:
/// `in_use` is true if somebody has it open.
///
/// # Errors
/// If it cannot be opened.
pub fn look(path: &Path, in_use: bool) -> rusqlite::Result<Connection> {
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if in_use || has_log {
        Connection::open_with_flags(path, flags)?
    } else {
        // Otherwise SQLite would create the files of its log, and leave them there.
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(immutable_uri(path), flags)?
    };
    connection.busy_timeout(crate::sqlite::LOCK_TIMEOUT)?;
    Ok(connection)
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for octet in path.as_os_str().as_encoded_bytes() {
        match octet {
            b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(*octet));
            }
            // Writing to a string does not fail.
            _ => drop(write!(uri, "%{octet:02X}")),
        }
    }
    uri + "?immutable=1"
}

/// Returns SQLite's report on a database: no problems, or the first ones. `thorough` also compares
/// indices with their tables, which takes several times as long.
///
/// # Errors
/// If it is so damaged that it cannot be checked.
pub fn problems(connection: &Connection, thorough: bool) -> rusqlite::Result<Vec<String>> {
    let pragma = if thorough {
        "integrity_check"
    } else {
        "quick_check"
    };
    let mut check = connection.prepare(&format!("PRAGMA {pragma}({MAX_PROBLEMS})"))?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut problems = lines.collect::<rusqlite::Result<Vec<_>>>()?;
    problems.retain(|problem| problem != "ok");
    Ok(problems)
}

/// Returns those of the tables that a database lacks.
///
/// # Errors
/// If it cannot be read.
pub fn lacks(connection: &Connection, tables: &[&str]) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names = select.query_map([], |row| row.get::<_, String>(0))?;
    let names = names.collect::<rusqlite::Result<Vec<_>>>()?;
    let lacking = (tables.iter()).filter(|table| !names.iter().any(|name| name == *table));
    Ok(lacking.map(|table| (*table).to_owned()).collect())
}

/// Returns true if a database has a table.
///
/// # Errors
/// If it cannot be read.
pub fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
    connection.query_row(any, [], |row| row.get(0))
}

/// Returns the reason why a database does not have these tables, each listed with the schema
/// version in which it was added; `None` if it has them. A new database has no tables.
///
/// # Errors
/// If it cannot be read.
pub fn foreign(
    connection: &Connection,
    tables: &[(&str, u32)],
) -> rusqlite::Result<Option<String>> {
    let version = user_version(connection)?;
    if version == 0 {
        let any = has_table(connection)?;
        return Ok(any.then(|| "it has tables of another program's".to_owned()));
    }
    let due = tables.iter().filter(|(_, since)| *since <= version);
    let due: Vec<_> = due.map(|(table, _)| *table).collect();
    let lacking = lacks(connection, &due)?;
    Ok((!lacking.is_empty()).then(|| format!("it lacks the tables {}", lacking.join(", "))))
}

/// Returns the schema version that its writer has stored.
///
/// # Errors
/// If it cannot be read.
pub fn user_version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inspection_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?#%.db");
        assert_eq!(State::of(&path).unwrap(), State::Missing);
        let writer = Connection::open(&path).unwrap();
        assert_eq!(State::of(&path).unwrap(), State::Empty);
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.execute_batch("CREATE TABLE a (b)").unwrap();
        let beside = look(&path, true).unwrap();
        assert_eq!(lacks(&beside, &["a", "c"]).unwrap(), ["c"]);
        drop(beside);
        drop(writer);
        assert_eq!(State::of(&path).unwrap(), State::Database);
        let inspection = look(&path, false).unwrap();
        assert!(problems(&inspection, true).unwrap().is_empty());
        assert_eq!(lacks(&inspection, &["a", "c"]).unwrap(), ["c"]);
        drop(inspection);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&path, "no database").unwrap();
        let text = State::Garbled("is a text file and not a database");
        assert_eq!(State::of(&path).unwrap(), text);
    }

    #[test]
    fn a_path_that_is_no_regular_file_is_no_database() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        for suffix in ["", "-wal", "-shm"] {
            let wrong = beside(&path, suffix);
            mknodat(CWD, &wrong, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            let state = State::of(&path).unwrap();
            assert!(matches!(state, State::Garbled(_)), "{suffix}: {state:?}");
            std::fs::remove_file(&wrong).unwrap();
        }
        std::fs::create_dir(&path).unwrap();
        let directory = State::Garbled("is a directory and not a file");
        assert_eq!(State::of(&path).unwrap(), directory);
    }
}
