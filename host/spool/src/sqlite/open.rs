//! Opening a store: one relay at a time, and after tidying up behind the last one.

use std::{
    cell::Cell,
    collections::HashSet,
    fs::{self, File, TryLockError},
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::Notify;

use crate::{
    Machine, SpoolError, SpoolSettings,
    disk::{Disk, failed_to},
    fresh::Fresh,
    journal::Journal,
    memory::{Change, Memory},
};

use super::{
    SqliteSpool, Worker,
    body::Shelf,
    carry,
    codec::{from_u64, to_millis, to_scope, to_u64},
    deliver,
    operation::{After, Step},
    reader, schema,
    writer::Writer,
};

/// How long to wait for somebody else's lock on the database: a postmaster with the sqlite3 shell.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of the database the writer keeps in memory, in KiB.
const CACHE_KIB: i64 = 16 << 10;

/// Statements that a connection keeps prepared; more than there are.
const STATEMENTS: usize = 64;

pub(super) fn open(settings: SpoolSettings) -> Result<SqliteSpool, SpoolError> {
    let disk = Arc::new(Disk::new(settings));
    disk.create()?;
    let lock = lock(&disk)?;
    let connection = connect_writer(&disk.database(), disk.max_log_bytes())?;
    let shelf = Arc::new(Shelf::new(
        connect_reader(&disk.database())?,
        Arc::clone(&disk),
    ));
    let journal = journal(&connection, &shelf, &disk)?;
    disk.sync_directory(disk.directory())?;
    end_leases(&connection)?;
    remove_orphans(&connection, &disk.incoming())?;

    let memory = Arc::new(Memory::default());
    memory.apply(remembered(&connection)?);
    let changed = Arc::new(Notify::new());
    // Whatever is in the store may be due.
    changed.notify_one();
    let fresh = Arc::new(Fresh::default());
    let due = Arc::new(AtomicU64::new(deliver::next_due(&connection)?));
    let looking = connect_reader(&disk.database())?;
    let writer = Writer {
        connection,
        journal,
        shelf: Arc::clone(&shelf),
        disk: Arc::clone(&disk),
        memory: Arc::clone(&memory),
        changed: Arc::clone(&changed),
        fresh: Arc::clone(&fresh),
        due: Arc::clone(&due),
        last_until: Cell::new(0),
        lock,
    };
    Ok(SqliteSpool {
        disk,
        memory,
        changed,
        shelf,
        fresh,
        due,
        writer: Worker::start("spool-writer", move |waiting| writer.run(&waiting))?,
        reader: Worker::start("spool-reader", move |waiting| {
            reader::run(&looking, waiting)
        })?,
    })
}

/// Takes the store for this process; the system gives it back however the process ends.
fn lock(disk: &Disk) -> Result<File, SpoolError> {
    let path = disk.lock();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed_to("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse(disk.directory().to_owned())),
        Err(TryLockError::Error(error)) => Err(failed_to("lock", &path)(error)),
    }
}

fn connect_writer(path: &Path, max_log_bytes: u64) -> Result<Connection, SpoolError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // What a backlog took can be given back; to be said before a new file is written.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit returns after its fsync: the 250 depends on it.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer thread does it between batches, so that no commit waits for it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", from_u64(max_log_bytes))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // What was just written is mostly deleted soon: it need not be read back for that. A negative
    // number is one of KiB.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // Else a statement that compares with a bound value is planned anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

fn connect_reader(path: &Path) -> Result<Connection, SpoolError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Carries over what the last relay left in its journal, and makes a new one. A store without one
/// is slower, and as good.
fn journal(
    connection: &Connection,
    shelf: &Arc<Shelf>,
    disk: &Arc<Disk>,
) -> Result<Option<Journal>, SpoolError> {
    let transaction = connection.unchecked_transaction()?;
    let mut step = Step {
        connection,
        shelf,
        after: After::default(),
        disk,
        free: &Cell::new(0),
        last_until: &Cell::new(0),
        room: &Cell::new(Fresh::default().room()),
    };
    let salt = carry::over_from_last(&mut step)?;
    transaction.commit()?;
    let path = disk.journal();
    Ok(Journal::create(&path, disk.max_log_bytes() / 2, salt)
        .inspect_err(|error| {
            tracing::warn!(path = %path.display(), %error, "the spool goes without a journal");
        })
        .ok())
}

/// Whoever held a lease is gone: what it was attempting is due as it was when it was leased.
fn end_leases(connection: &Connection) -> Result<(), SpoolError> {
    let leased = connection.execute(
        "UPDATE recipients SET state = 'queued', due = last_attempt, owner = NULL
         WHERE state = 'leased'",
        [],
    )?;
    if leased > 0 {
        tracing::info!(
            recipients = leased,
            "attempts cut off by the last stop are due again"
        );
    }
    Ok(())
}

/// Removes bodies that belong to no message: staged and never accepted, or finished and not yet
/// removed when the last relay ended.
fn remove_orphans(connection: &Connection, incoming: &Path) -> Result<(), SpoolError> {
    let mut select = connection.prepare("SELECT id FROM messages WHERE body_offset IS NOT NULL")?;
    let mut wanted = select
        .query_map([], |row| row.get(0))?
        .collect::<Result<HashSet<String>, _>>()?;
    for entry in fs::read_dir(incoming).map_err(failed_to("read directory", incoming))? {
        let entry = entry.map_err(failed_to("read directory", incoming))?;
        let known = entry
            .file_name()
            .to_str()
            .is_some_and(|name| wanted.remove(name));
        if !known {
            let path = entry.path();
            fs::remove_file(&path).map_err(failed_to("remove", &path))?;
            tracing::info!(path = %path.display(), "removed a body that belongs to no message");
        }
    }
    for id in wanted {
        tracing::error!(
            id,
            "the body of a message is missing from incoming/: restore the file"
        );
    }
    Ok(())
}

/// All marks, counts and machines.
fn remembered(connection: &Connection) -> Result<Vec<Change>, SpoolError> {
    let mut changes = Vec::new();
    let mut marks = connection.prepare("SELECT policy, account, key, until FROM marks")?;
    let mut rows = marks.query([])?;
    while let Some(row) = rows.next()? {
        let scope = to_scope(row.get(0)?, row.get(1)?);
        changes.push(Change::Mark {
            scope,
            key: row.get(2)?,
            until: to_millis(row.get(3)?),
        });
    }
    let mut counts =
        connection.prepare("SELECT policy, account, key, minute, amount FROM counts")?;
    let mut rows = counts.query([])?;
    while let Some(row) = rows.next()? {
        let (bucket, amount): (i64, i64) = (row.get(3)?, row.get(4)?);
        changes.push(Change::Count {
            scope: to_scope(row.get(0)?, row.get(1)?),
            key: row.get(2)?,
            bucket: to_u64(bucket),
            amount: to_u64(amount),
        });
    }
    let mut machines =
        connection.prepare("SELECT account, address, evidence, since, until FROM machines")?;
    let mut rows = machines.query([])?;
    while let Some(row) = rows.next()? {
        changes.push(Change::Machine {
            account: row.get(0)?,
            address: row.get(1)?,
            machine: Machine {
                evidence: row.get(2)?,
                since: to_millis(row.get(3)?),
                until: to_millis(row.get(4)?),
            },
        });
    }
    Ok(changes)
}
