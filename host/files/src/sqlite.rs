//! SQLite databases of the store: opened alike, and migrated step by step.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::database::{foreign, user_version};

/// Longest wait of a statement for the lock of another process.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Durability of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// A commit is on disk when it returns.
    EachCommit,
    /// A commit survives the process. A crash of the machine may cost the last ones, never the
    /// file.
    AtCheckpoints,
}

/// Creates the file of a database with mode 0600, if there is none: SQLite would make it readable
/// for all. Its logs get the mode of the file. If creating it fails, SQLite meets the same error
/// and names it.
pub fn create_private(path: &Path) {
    let _made = (File::options().append(true).create(true).mode(0o600)).open(path);
}

/// Opens a database to write to, with the [lock timeout](LOCK_TIMEOUT). Nothing is changed yet.
///
/// # Errors
/// If it cannot be opened.
pub fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(LOCK_TIMEOUT)?;
    Ok(connection)
}

/// Opens a database to read from, with the [lock timeout](LOCK_TIMEOUT).
///
/// # Errors
/// If it cannot be opened.
pub fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_TIMEOUT)?;
    Ok(connection)
}

/// Copies a database as it is at this moment into a new file with mode 0600, without what was
/// deleted in it. Others may use it meanwhile.
///
/// # Errors
/// If it cannot be read, or the copy cannot be written.
pub fn copy(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let path = to.to_str();
    let path = path.ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
    let connection = connect_reader(from)?;
    // An empty file is taken for none.
    create_private(to);
    connection.execute("VACUUM INTO ?1", [path])?;
    Ok(())
}

/// Has a connection write ahead to a log (WAL), synced as given.
///
/// # Errors
/// If the mode cannot be set.
pub fn write_ahead(connection: &Connection, synced: Synced) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match synced {
        Synced::EachCommit => "FULL",
        Synced::AtCheckpoints => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)
}

/// Size in bytes up to which a database is [written anew](overwrite_erased) after an erasure, so that
/// nothing is left in the unused parts of its pages. What uses the database waits meanwhile.
pub const REWRITTEN: i64 = 64 << 20;

/// Overwrites what is left of removed rows in a database and its log. A large database is not written
/// anew: what was removed in it without `secure_delete` may stay until its pages are used again.
///
/// # Errors
/// If it cannot be written.
pub fn overwrite_erased(connection: &Connection) -> rusqlite::Result<()> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("page_count")? * pragma("page_size")? <= REWRITTEN {
        connection.execute_batch("VACUUM")?;
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Schema of a database: its tables and its migrations.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Migrations. Each brings a database from the version of its index to the next, and a new one
    /// takes them all. A released migration is never changed: add another one.
    pub migrations: &'static [&'static str],
    /// Tables, each with the version in which it was added.
    pub tables: &'static [(&'static str, u32)],
}

/// A database that a later version of the program has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newer {
    /// Version of the schema that was found.
    pub found: u32,
}

impl Schema {
    /// Returns the version that this program reads and writes (`PRAGMA user_version`).
    pub const fn current(&self) -> u32 {
        self.migrations.len() as u32
    }

    /// Returns the reason why a database does not have this schema; `None` if it has, or is new.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn why_foreign(&self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        foreign(connection, self.tables)
    }

    /// Migrates a database to the current version, each migration in a transaction of its own.
    /// Returns the version found before.
    ///
    /// # Errors
    /// If a migration fails; the database stays at the version before it. In the value, if the
    /// database is [`Newer`].
    pub fn migrate(&self, connection: &mut Connection) -> rusqlite::Result<Result<u32, Newer>> {
        let found = user_version(connection)?;
        if found > self.current() {
            return Ok(Err(Newer { found }));
        }
        for (version, migration) in (0..).zip(self.migrations).skip(found as usize) {
            let step = connection.transaction()?;
            step.execute_batch(migration)?;
            step.pragma_update(None, "user_version", version + 1)?;
            step.commit()?;
        }
        Ok(Ok(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema = Schema {
        migrations: &["CREATE TABLE a (b)", "CREATE TABLE c (d)"],
        tables: &[("a", 1), ("c", 2)],
    };

    #[test]
    fn a_database_is_migrated_once_and_a_later_one_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        create_private(&path);
        let mut connection = connect(&path).unwrap();
        write_ahead(&connection, Synced::EachCommit).unwrap();
        assert_eq!(SCHEMA.migrate(&mut connection).unwrap(), Ok(0));
        assert_eq!(SCHEMA.migrate(&mut connection).unwrap(), Ok(2));
        assert_eq!(SCHEMA.why_foreign(&connection).unwrap(), None);
        connection.pragma_update(None, "user_version", 3).unwrap();
        let newer = Err(Newer { found: 3 });
        assert_eq!(SCHEMA.migrate(&mut connection).unwrap(), newer);
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut connection = connect(&path).unwrap();
        let broken = Schema {
            migrations: &["CREATE TABLE a (b)", "CREATE TABLE x (y); nonsense"],
            ..SCHEMA
        };
        assert!(broken.migrate(&mut connection).is_err());
        assert_eq!(user_version(&connection).unwrap(), 1);
        assert_eq!(SCHEMA.migrate(&mut connection).unwrap(), Ok(1));
    }

    #[test]
    fn a_copy_is_private_and_has_what_was_committed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (path, copied) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let mut connection = connect(&path).unwrap();
        write_ahead(&connection, Synced::EachCommit).unwrap();
        SCHEMA.migrate(&mut connection).unwrap().unwrap();
        connection
            .execute_batch(
                "INSERT INTO a VALUES ('kept'), ('erased'); DELETE FROM a WHERE b = 'erased'",
            )
            .unwrap();
        let open = connection.transaction().unwrap();
        open.execute_batch("INSERT INTO a VALUES ('later')")
            .unwrap();
        copy(&path, &copied).unwrap();
        let mode = std::fs::metadata(&copied).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let octets = std::fs::read(&copied).unwrap();
        let holds = |word: &[u8]| octets.windows(word.len()).any(|part| part == word);
        assert_eq!(
            [holds(b"kept"), holds(b"erased"), holds(b"later")],
            [true, false, false]
        );
        assert_eq!(user_version(&connect_reader(&copied).unwrap()).unwrap(), 2);
        assert!(copy(&path, &copied).is_err(), "over another copy");
    }

    #[test]
    fn a_database_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        create_private(&path);
        let connection = connect(&path).unwrap();
        write_ahead(&connection, Synced::AtCheckpoints).unwrap();
        connection.execute_batch("CREATE TABLE a (b)").unwrap();
        for name in ["a.db", "a.db-wal"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap();
            assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}
