//! Opening a store: one relay at a time, and after tidying up behind the last one.

use std::{
    cell::{Cell, RefCell},
    fs::{File, TryLockError},
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::Notify;

use crate::{
    Machine, SpoolError, SpoolSettings,
    disk::{Disk, failed_to, is_damage},
    fresh::Fresh,
    journal::{self, Journal, Recovered},
    memory::{Change, Memory},
    state::{self, DatabaseDamage, JournalDamage},
};

use super::{
    SqliteSpool, Worker, accept, bodies,
    body::Shelf,
    carry,
    codec::{from_u64, to_millis, to_scope, to_u64},
    deliver,
    operation::{After, Step},
    reader, schema,
    writer::{self, PATIENCE, Writer},
};

/// How much of the database the writer keeps in memory, in KiB.
const CACHE_KIB: i64 = 16 << 10;

/// Statements that a connection keeps prepared; more than there are.
const STATEMENTS: usize = 64;

pub(super) fn open(settings: SpoolSettings) -> Result<SqliteSpool, SpoolError> {
    let path = settings.directory.join("spool.db");
    open_whole(settings).map_err(|error| match is_damage(&error) {
        true => SpoolError::Unusable {
            path,
            why: error.to_string(),
        },
        false => error,
    })
}

fn open_whole(settings: SpoolSettings) -> Result<SqliteSpool, SpoolError> {
    let remembered_bytes = settings.remembered_bytes;
    let disk = Arc::new(Disk::new(settings));
    disk.create_directories()?;
    let lock = lock(&disk)?;
    // Before SQLite opens it: that would drop the log of an empty database.
    state::refuse_lost(disk.directory())?;
    let DatabaseDamage {
        log: log_damage,
        mark: mark_damage,
    } = state::look_at_database(&disk)?;
    disk.create_database()?;
    let connection = connect(&disk.database(), disk.max_log_bytes())?;
    let shelf = Arc::new(Shelf::new(
        connect_reader(&disk.database())?,
        Arc::clone(&disk),
    ));
    let (journal, damage) = journal(&connection, &shelf, &disk)?;
    end_leases(&connection)?;
    let keep = damage.is_some() || log_damage.is_some() || mark_damage.is_some();
    let damaged_bodies = bodies::tidy(&connection, &disk, keep)?;

    let looking = connect_reader(&disk.database())?;
    let memory = Arc::new(Memory::new(remembered_bytes));
    remember(&looking, &connection, &memory)?;
    let changed = Arc::new(Notify::new());
    // Whatever is in the store may be due.
    changed.notify_one();
    let fresh = Arc::new(Fresh::default());
    let due = Arc::new(AtomicU64::new(deliver::next_due(&connection)?));
    // What says which journal is the store's is in the database itself from now on, and not in its
    // log alone: whoever loses that has lost mail, but not what tells that there was some.
    writer::checkpoint(&connection, PATIENCE)?;
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
        forgotten: RefCell::default(),
        lock,
    };
    Ok(SqliteSpool {
        disk,
        memory,
        changed,
        shelf,
        fresh,
        due,
        damage,
        log_damage,
        mark_damage,
        damaged_bodies,
        writer: Worker::start("spool-writer", move |waiting| writer.run(&waiting))?,
        reader: Worker::start("spool-reader", move |waiting| {
            reader::run(&looking, waiting)
        })?,
    })
}

/// Takes the store for this process; the system gives it back however the process ends.
fn lock(disk: &Disk) -> Result<File, SpoolError> {
    let path = disk.lock();
    let mut options = File::options();
    let options = options.create(true).truncate(false).write(true);
    let file = gatepost_files::open_with(options, &path)
        .map_err(|error| failed_to("open", &path)(error.into()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse(disk.directory().to_owned())),
        Err(TryLockError::Error(error)) => Err(failed_to("lock", &path)(error)),
    }
}

fn connect(path: &Path, max_log_bytes: u64) -> Result<Connection, SpoolError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    schema::refuse_foreign(&connection, path)?;
    if let Some(directory) = path.parent() {
        state::refuse_bare(&connection, directory)?;
    }
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
///
/// A damaged one is kept under another name before anything of it is carried over; all that is
/// whole in it is.
fn journal(
    connection: &Connection,
    shelf: &Arc<Shelf>,
    disk: &Arc<Disk>,
) -> Result<(Option<Journal>, Option<JournalDamage>), SpoolError> {
    let paths = disk.journal();
    let last = carry::Last::read(connection)?;
    let recovered = last.map_or(Ok(Recovered::default()), |last| {
        journal::read(&paths, last.form, last.tail())
    });
    let Recovered { records, faults } = recovered.map_err(failed_to("read", &paths.journal))?;
    let damage = state::keep_damaged(&paths.journal, faults, records.len())?;
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
    let salt = carry::over_from_last(&mut step, last.map(|last| (last, records)))?;
    transaction.commit()?;
    // The last life of the file is the only other place where that mail stands.
    if !writer::checkpoint(connection, PATIENCE)? {
        tracing::warn!(
            "somebody reads the spool's database: what was in the journal is in its log"
        );
    }
    let made = Journal::create(&paths, disk.max_log_bytes() / 2, salt);
    disk.sync_directory(disk.directory())?;
    let journal = made.inspect_err(|error| {
        let path = paths.journal.display();
        tracing::warn!(%path, %error, "the spool goes without a journal");
    });
    if let Ok(journal) = &journal {
        carry::begun(connection, journal.generation())?;
    }
    Ok((journal.ok(), damage))
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

/// What is loaded, and what is dropped, at a time when a store is opened.
const LOAD_AT_ONCE: usize = 4096;

/// Takes marks, counts and machines from the database into memory. What is more than may be
/// remembered, as an earlier version may have left it, goes from the database.
fn remember(
    looking: &Connection,
    connection: &Connection,
    memory: &Memory,
) -> Result<(), SpoolError> {
    let mut loading = Loading {
        connection,
        memory,
        next: Vec::new(),
        forgotten: Vec::new(),
    };
    let mut marks = looking.prepare("SELECT policy, account, key, until FROM marks")?;
    let mut rows = marks.query([])?;
    while let Some(row) = rows.next()? {
        let scope = to_scope(row.get(0)?, row.get(1)?);
        loading.add(Change::Mark {
            scope,
            key: row.get(2)?,
            until: to_millis(row.get(3)?),
        })?;
    }
    let mut counts = looking.prepare(
        "SELECT policy, account, key, minute, amount FROM counts
         ORDER BY policy, account, key, minute",
    )?;
    let mut rows = counts.query([])?;
    while let Some(row) = rows.next()? {
        let (bucket, amount): (i64, i64) = (row.get(3)?, row.get(4)?);
        loading.add(Change::Count {
            scope: to_scope(row.get(0)?, row.get(1)?),
            key: row.get(2)?,
            bucket: to_u64(bucket),
            amount: to_u64(amount),
        })?;
    }
    let mut machines =
        looking.prepare("SELECT account, address, evidence, since, until FROM machines")?;
    let mut rows = machines.query([])?;
    while let Some(row) = rows.next()? {
        loading.add(Change::Machine {
            account: row.get(0)?,
            address: row.get(1)?,
            machine: Machine {
                evidence: row.get(2)?,
                since: to_millis(row.get(3)?),
                until: to_millis(row.get(4)?),
            },
        })?;
    }
    loading.load()?;
    loading.drop_forgotten()
}

/// What is on its way from the database into memory.
struct Loading<'a> {
    connection: &'a Connection,
    memory: &'a Memory,
    next: Vec<Change>,
    forgotten: Vec<Change>,
}

impl Loading<'_> {
    fn add(&mut self, change: Change) -> Result<(), SpoolError> {
        let continues = |last: &Change| match (last, &change) {
            (
                Change::Count { scope, key, .. },
                Change::Count {
                    scope: of,
                    key: name,
                    ..
                },
            ) => scope == of && key == name,
            _ => false,
        };
        // How strong a count is, is known when all its minutes are there.
        if self.next.len() >= LOAD_AT_ONCE && !self.next.last().is_some_and(continues) {
            self.load()?;
        }
        self.next.push(change);
        Ok(())
    }

    fn load(&mut self) -> Result<(), SpoolError> {
        let next = std::mem::take(&mut self.next);
        self.memory
            .apply_at_once(next.into_iter(), &mut self.forgotten);
        match self.forgotten.len() >= LOAD_AT_ONCE {
            true => self.drop_forgotten(),
            false => Ok(()),
        }
    }

    fn drop_forgotten(&mut self) -> Result<(), SpoolError> {
        if self.forgotten.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.unchecked_transaction()?;
        for change in self.forgotten.drain(..) {
            accept::remember(&transaction, &change)?;
        }
        transaction.commit()?;
        Ok(())
    }
}
