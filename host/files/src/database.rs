//! SQLite's files: whether one is there and ours, and how it is looked at.

use std::{
    fmt::Write as _,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::regular::{self, FileError};

/// What every database of SQLite begins with (its file format, section 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long to wait for a writer's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// Problems that are told; one damaged page makes many.
const PROBLEMS: u32 = 10;

/// What there is where a database should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No file.
    Missing,
    /// A file without an octet.
    Empty,
    /// A file that begins as a database does.
    Database,
    /// Anything else, in words that go on behind its name.
    Garbled(&'static str),
}

impl State {
    /// Looks at the first octets, and at what kind of file it and its logs are.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        match regular::refuse_other_kinds(path) {
            Err(FileError::NotRegular(kind)) => return Ok(Self::Garbled(not_a_file(kind))),
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

/// What is said of a database that is no regular file.
fn not_a_file(kind: &str) -> &'static str {
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

/// A file that SQLite keeps beside a database.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens a database to look at it, beside a relay that writes or without one, and leaves nothing
/// behind: `in_use` says whether somebody has it open.
///
/// # Errors
/// It cannot be opened.
pub fn look(path: &Path, in_use: bool) -> rusqlite::Result<Connection> {
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if in_use || has_log {
        Connection::open_with_flags(path, flags)?
    } else {
        // Else SQLite would make the files of its log, and leave them there.
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(immutable(path), flags)?
    };
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn immutable(path: &Path) -> String {
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

/// What SQLite finds wrong with a database: nothing, or some of it. `thorough` compares indices
/// with their tables, too, which takes several times as long.
///
/// # Errors
/// It is so damaged that it cannot be looked at.
pub fn problems(connection: &Connection, thorough: bool) -> rusqlite::Result<Vec<String>> {
    let pragma = if thorough {
        "integrity_check"
    } else {
        "quick_check"
    };
    let mut check = connection.prepare(&format!("PRAGMA {pragma}({PROBLEMS})"))?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut problems = lines.collect::<rusqlite::Result<Vec<_>>>()?;
    problems.retain(|problem| problem != "ok");
    Ok(problems)
}

/// Which of these tables a database lacks.
///
/// # Errors
/// It cannot be read.
pub fn lacks(connection: &Connection, tables: &[&str]) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names = select.query_map([], |row| row.get::<_, String>(0))?;
    let names = names.collect::<rusqlite::Result<Vec<_>>>()?;
    let lacking = (tables.iter()).filter(|table| !names.iter().any(|name| name == *table));
    Ok(lacking.map(|table| (*table).to_owned()).collect())
}

/// Whether a database has a table.
///
/// # Errors
/// It cannot be read.
pub fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
    connection.query_row(any, [], |row| row.get(0))
}

/// What keeps a database from being one with these tables, each with the schema version in which it
/// came; `None` where nothing does. A new one has no tables.
///
/// # Errors
/// It cannot be read.
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

/// The schema version that its writer has noted.
///
/// # Errors
/// It cannot be read.
pub fn user_version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_leaves_nothing_behind() {
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
        let looking = look(&path, false).unwrap();
        assert!(problems(&looking, true).unwrap().is_empty());
        assert_eq!(lacks(&looking, &["a", "c"]).unwrap(), ["c"]);
        drop(looking);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        std::fs::write(&path, "no database").unwrap();
        let text = State::Garbled("is a text file and not a database");
        assert_eq!(State::of(&path).unwrap(), text);
    }

    #[test]
    fn what_is_no_file_is_no_database() {
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
