//! Opening of a store: the lock, checks for damage, recovery and clean-up.

use std::{
    cell::{Cell, RefCell},
    fs::{File, TryLockError},
    path::Path,
    sync::{Arc, atomic::AtomicBool, mpsc},
};

use gatepost_counters::{CounterChange, SharedCounters};
use gatepost_files::sqlite::{self, LOCK_TIMEOUT, Synced};
use parking_lot::Mutex;
use rusqlite::{Connection, config::DbConfig};
use tokio::sync::{Notify, watch};

use crate::{
    BodyStore, Machine, SpoolError, SpoolSettings,
    damage::{self, DatabaseDamage, JournalDamage},
    direct::DirectHandOff,
    disk::{Disk, DiskBodies, failed_to, is_damage},
    journal::{self, Journal, Recovered},
    memory::CounterMemory,
};

use super::{
    SqliteSpool, Worker, accept, answers,
    bodies::clean_up,
    body::BodyReader,
    checkpoint,
    codec::{from_u64, to_millis, to_scope, to_u64},
    key_set::KeySet,
    ledger,
    operation::{AfterCommit, Operation, OperationContext},
    reader, scheduled, schema,
    writer::{self, Writer},
};

/// Size of the writer's page cache, in KiB.
const CACHE_KIB: i64 = 16 << 10;

/// Prepared statements that a connection caches; more than there are.
const CACHED_STATEMENTS: usize = 96;

pub(super) fn open(settings: SpoolSettings) -> Result<SqliteSpool, SpoolError> {
    let path = settings.directory.join("spool.db");
    open_store(settings).map_err(|error| match is_damage(&error) {
        true => SpoolError::Unusable {
            path,
            why: error.to_string(),
        },
        false => error,
    })
}

fn open_store(settings: SpoolSettings) -> Result<SqliteSpool, SpoolError> {
    let remembered_bytes = settings.remembered_bytes;
    let disk = Arc::new(Disk::new(settings));
    disk.create_directories()?;
    let lock = lock(&disk)?;
    // Before SQLite opens it: SQLite would delete the log of an empty database.
    damage::refuse_lost(disk.directory())?;
    let DatabaseDamage {
        wal: log_damage,
        mark: mark_damage,
    } = damage::check_database(&disk)?;
    disk.create_database()?;
    let connection = connect(&disk.database(), disk.max_log_bytes())?;
    let bodies: Arc<dyn BodyStore> = Arc::new(DiskBodies(Arc::clone(&disk)));
    let body_reader = Arc::new(BodyReader::new(
        connect_reader(&disk.database())?,
        Arc::clone(&disk),
        Arc::clone(&bodies),
    ));
    let (journal, damage) = journal(&connection, &body_reader, &disk)?;
    end_leases(&connection)?;
    let keep = damage.is_some() || log_damage.is_some() || mark_damage.is_some();
    let damaged_bodies = clean_up(&connection, &disk, keep)?;

    let reading = connect_reader(&disk.database())?;
    let memory = Arc::new(CounterMemory::new(remembered_bytes));
    load_memory(&reading, &connection, &memory)?;
    let changed = Arc::new(Notify::new());
    // Anything in the store may be due.
    changed.notify_one();
    let hand_off = Arc::new(DirectHandOff::default());
    let schedule = Arc::new(Mutex::new(scheduled::load(&connection)?));
    // What the last relay left in its journal is in the database, too.
    let last = ledger::last_event(&connection)?;
    let (stored_event, last_event) = watch::channel(last);
    let keys = |select: &str| KeySet::load(&connection, select, |row| row.get(1)).map(Arc::new);
    let suppressed = keys("SELECT account, address FROM suppressions")?;
    let learnt = keys("SELECT account, theirs FROM learnt_ids")?;
    let answers = Arc::new(answers::keys(&connection)?);
    let records_events = Arc::new(AtomicBool::new(true));
    // The row that identifies the store's journal is in the database file from now on, and not only
    // in its WAL. So if the WAL is lost, mail is lost, but not the evidence that there was some.
    writer::checkpoint_wal(&connection, LOCK_TIMEOUT)?;
    let write = {
        let (body_reader, disk) = (Arc::clone(&body_reader), Arc::clone(&disk));
        let (memory, changed) = (Arc::clone(&memory), Arc::clone(&changed));
        let (hand_off, schedule) = (Arc::clone(&hand_off), Arc::clone(&schedule));
        let (suppressed, learnt) = (Arc::clone(&suppressed), Arc::clone(&learnt));
        let answers = Arc::clone(&answers);
        let records_events = Arc::clone(&records_events);
        move |waiting: mpsc::Receiver<Box<dyn Operation>>| {
            let writer = Writer {
                connection: &connection,
                journal,
                body_reader,
                disk,
                memory,
                changed,
                hand_off,
                schedule,
                last_event: Cell::new(last),
                stored_event,
                suppressed,
                learnt,
                answers,
                records_events,
                evicted: RefCell::default(),
                copies: RefCell::default(),
                overwrites: RefCell::default(),
            };
            writer.run(&waiting);
            drop(connection);
            // Held while the database is open.
            drop(lock);
        }
    };
    Ok(SqliteSpool {
        disk,
        memory,
        changed,
        bodies,
        body_reader,
        hand_off,
        schedule,
        last_event,
        suppressed,
        learnt,
        answers,
        records_events,
        damage,
        log_damage,
        mark_damage,
        damaged_bodies,
        writer: Worker::start("spool-writer", write)?,
        reader: Worker::start("spool-reader", move |waiting| {
            reader::run(&reading, waiting)
        })?,
    })
}

/// Locks the store for this process; the system unlocks it however the process ends.
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
    let mut connection = sqlite::connect(path)?;
    schema::refuse_foreign(&connection, path)?;
    if let Some(directory) = path.parent() {
        damage::refuse_without_table(&connection, directory)?;
    }
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // Lets the file shrink after a backlog; must be set before a new file is written.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    // The 250 depends on it.
    sqlite::write_ahead(&connection, Synced::EachCommit)?;
    // The writer thread copies the WAL between batches, so that no commit waits for it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", from_u64(max_log_bytes))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Most rows are deleted soon after they were written; from the cache they need not be read back
    // for that. A negative number means KiB.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // Otherwise a statement that compares with a bound value is planned anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

fn connect_reader(path: &Path) -> Result<Connection, SpoolError> {
    let connection = sqlite::connect_reader(path)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

/// Moves what the last relay left in its journal into the database, and makes a new journal. A
/// store without a journal is slower, but as safe.
///
/// A damaged journal is kept under another name before any of it is recovered; all its whole
/// records are.
fn journal(
    connection: &Connection,
    body_reader: &Arc<BodyReader>,
    disk: &Arc<Disk>,
) -> Result<(Option<Journal>, Option<JournalDamage>), SpoolError> {
    let paths = disk.journal();
    let last = checkpoint::LastGeneration::read(connection)?;
    let recovered = last.map_or(Ok(Recovered::default()), |last| {
        journal::read(&paths, last.format, last.tail())
    });
    let Recovered { records, faults } = recovered.map_err(failed_to("read", &paths.journal))?;
    let damage = damage::keep_damaged(&paths.journal, faults, records.len())?;
    let transaction = connection.unchecked_transaction()?;
    let mut context = OperationContext {
        connection,
        body_reader,
        after: AfterCommit::default(),
        disk,
        free: &Cell::new(0),
        schedule: &Mutex::default(),
        capacity: &Cell::new(DirectHandOff::default().capacity()),
        last_event: &Cell::new(0),
        suppressed: &KeySet::default(),
        records_events: &AtomicBool::new(true),
    };
    let id = checkpoint::recover(&mut context, last.map(|last| (last, records)))?;
    transaction.commit()?;
    // Apart from the WAL, only the old generation of the file holds that mail.
    if !writer::checkpoint_wal(connection, LOCK_TIMEOUT)? {
        tracing::warn!(
            "a reader holds the spool's database: recovered mail is only in its write-ahead log"
        );
    }
    let made = Journal::create(&paths, disk.max_log_bytes() / 2, id);
    disk.sync_directory(disk.directory())?;
    let journal = made.inspect_err(|error| {
        let path = paths.journal.display();
        tracing::warn!(%path, %error, "cannot create the spool's journal: going on without it");
    });
    if let Ok(journal) = &journal {
        checkpoint::note_created(connection, journal.generation())?;
    }
    Ok((journal.ok(), damage))
}

/// Ends all leases: their owners have ended, so the recipients are due as they were when they were
/// leased.
fn end_leases(connection: &Connection) -> Result<(), SpoolError> {
    let leased = connection.execute(
        "UPDATE recipients SET state = 'queued', due = last_attempt, owner = NULL
         WHERE state = 'leased'",
        [],
    )?;
    if leased > 0 {
        tracing::info!(
            recipients = leased,
            "attempts interrupted by the last stop are due again"
        );
    }
    Ok(())
}

/// Most changes that are loaded, or deleted, at a time when a store is opened.
const LOAD_AT_ONCE: usize = 4096;

/// Loads marks, counts and machines from the database into memory. Entries beyond the bound, which
/// an earlier version may have left, are deleted from the database.
fn load_memory(
    reading: &Connection,
    connection: &Connection,
    memory: &CounterMemory,
) -> Result<(), SpoolError> {
    let mut loader = MemoryLoader {
        connection,
        memory,
        next: Vec::new(),
        evicted: Vec::new(),
    };
    each_remembered(reading, |change| loader.add(change))?;
    loader.load()?;
    loader.drop_forgotten()
}

/// Hands over all marks, counts and machines of the database.
fn each_remembered(
    reading: &Connection,
    mut each: impl FnMut(CounterChange) -> Result<(), SpoolError>,
) -> Result<(), SpoolError> {
    let mut marks = reading.prepare("SELECT policy, account, key, until FROM marks")?;
    let mut rows = marks.query([])?;
    while let Some(row) = rows.next()? {
        let scope = to_scope(row.get(0)?, row.get(1)?);
        each(CounterChange::Mark {
            scope,
            key: row.get(2)?,
            until: to_millis(row.get(3)?),
        })?;
    }
    let mut counts = reading.prepare(
        "SELECT policy, account, key, minute, amount FROM counts
         ORDER BY policy, account, key, minute",
    )?;
    let mut rows = counts.query([])?;
    while let Some(row) = rows.next()? {
        let (bucket, amount): (i64, i64) = (row.get(3)?, row.get(4)?);
        each(CounterChange::Count {
            scope: to_scope(row.get(0)?, row.get(1)?),
            key: row.get(2)?,
            bucket: to_u64(bucket),
            amount: to_u64(amount),
        })?;
    }
    let mut machines =
        reading.prepare("SELECT account, address, evidence, since, until FROM machines")?;
    let mut rows = machines.query([])?;
    while let Some(row) = rows.next()? {
        each(CounterChange::Machine {
            account: row.get(0)?,
            address: row.get(1)?,
            machine: Machine {
                evidence: row.get(2)?,
                since: to_millis(row.get(3)?),
                until: to_millis(row.get(4)?),
            },
        })?;
    }
    Ok(())
}

/// Reads marks, counts and machines as the database of a store has them, and changes nothing. A running
/// relay knows what has come in the last moments besides. There are none if there is no store. Blocks.
///
/// # Errors
/// The database cannot be read.
pub fn read_memory(store: &Path) -> Result<SharedCounters, SpoolError> {
    let counters = SharedCounters::new(SpoolSettings::new(store).remembered_bytes);
    let path = store.join("spool.db");
    if path.exists() {
        let reading = sqlite::connect_reader(&path)?;
        each_remembered(&reading, |change| {
            drop(counters.apply([change]));
            Ok(())
        })?;
    }
    Ok(counters)
}

/// Changes on their way from the database into memory.
struct MemoryLoader<'a> {
    connection: &'a Connection,
    memory: &'a CounterMemory,
    next: Vec<CounterChange>,
    evicted: Vec<CounterChange>,
}

impl MemoryLoader<'_> {
    fn add(&mut self, change: CounterChange) -> Result<(), SpoolError> {
        let continues = |last: &CounterChange| match (last, &change) {
            (
                CounterChange::Count { scope, key, .. },
                CounterChange::Count {
                    scope: of,
                    key: name,
                    ..
                },
            ) => scope == of && key == name,
            _ => false,
        };
        // A count can be compared with others only when all its minutes are loaded.
        if self.next.len() >= LOAD_AT_ONCE && !self.next.last().is_some_and(continues) {
            self.load()?;
        }
        self.next.push(change);
        Ok(())
    }

    fn load(&mut self) -> Result<(), SpoolError> {
        let next = std::mem::take(&mut self.next);
        self.evicted.extend(self.memory.apply_at_once(next));
        match self.evicted.len() >= LOAD_AT_ONCE {
            true => self.drop_forgotten(),
            false => Ok(()),
        }
    }

    fn drop_forgotten(&mut self) -> Result<(), SpoolError> {
        if self.evicted.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.unchecked_transaction()?;
        for change in self.evicted.drain(..) {
            accept::write_change(&transaction, &change)?;
        }
        transaction.commit()?;
        Ok(())
    }
}
