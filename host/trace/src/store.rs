//! The store of events, as the rest of the relay sees it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::channel,
    },
    thread::JoinHandle,
    time::Duration,
};

use gatepost_files::sqlite::{self, Newer, Synced};
use gatepost_message::{Millis, SoughtAddress, TransactionId};
use parking_lot::Mutex;
use rusqlite::Connection;

use crate::{
    CameBack, CorrespondentSearch, Counted, Event, FoundMessages, Kind, MessageSearch,
    NamingTransaction, Sent, SweepStep, TraceOwner, TraceSweep, TracedMessage, Travelled,
    correspondent, erase,
    headers::{self, Note},
    messages, order,
    queue::{EventQueue, WriterTask},
    schema, state,
    writer::{self, Row, TraceWriter},
};

/// Free bytes on the file system below which the trace drops its events: refused mail is recorded
/// too, and must not take the space in which deliveries are recorded.
pub const ROOM_LEFT: u64 = 64 << 20;

/// Amount of events that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Age at which events are dropped.
    pub age: Duration,
    /// Number of events beyond which the oldest are dropped.
    pub events: u64,
}

impl Retention {
    /// Retention that drops nothing.
    pub const FOR_EVER: Self = Self {
        age: Duration::MAX,
        events: u64::MAX,
    };
}

impl Default for Retention {
    /// Thirty days; two million events, which take about a gigabyte.
    fn default() -> Self {
        Self {
            age: Duration::from_secs(30 * 24 * 3600),
            events: 2_000_000,
        }
    }
}

/// Error of opening or reading the trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// SQLite failed.
    #[error("the trace {} failed: {source}", path.display())]
    Sqlite {
        /// File of the trace.
        path: PathBuf,
        /// Cause.
        source: rusqlite::Error,
    },
    /// The file cannot be examined, or cannot be moved away where it is damaged.
    #[error("the trace {} cannot be used: {source}; mend its permissions, or move it away to begin a new one", path.display())]
    Unusable {
        /// File of the trace.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The trace was written by a later version of Gatepost.
    #[error("the trace {} has schema {found}, this relay knows up to {known}: run the version of gatepost that wrote it, or move the file away to begin a new one", path.display())]
    Newer {
        /// File of the trace.
        path: PathBuf,
        /// Schema version in the file.
        found: u32,
        /// Latest version that this relay knows.
        known: u32,
    },
    /// An event in the store cannot be read back.
    #[error("the trace holds a damaged event of transaction {id}: {source}")]
    Damaged {
        /// Transaction of the event.
        id: TransactionId,
        /// Cause.
        source: serde_json::Error,
    },
    /// The writer cannot be started.
    #[error("cannot start a thread for the trace: {0}")]
    Thread(std::io::Error),
    /// The writer has ended.
    #[error("the trace is closed")]
    Closed,
}

/// A trace, open for writing and reading. Shared behind an `Arc`. When dropped it writes the
/// waiting events, which blocks for a moment.
#[derive(Debug)]
pub struct Trace {
    path: PathBuf,
    waiting: Arc<EventQueue>,
    writer: Option<JoinHandle<()>>,
    reader: Mutex<Connection>,
    dropped: Arc<AtomicU64>,
    damaged: bool,
}

impl Trace {
    /// Opens the trace, creates it if it does not exist, and migrates it to the current schema.
    ///
    /// # Errors
    /// [`TraceError::Sqlite`] if the file cannot be opened, [`TraceError::Newer`] if a later
    /// version wrote it, [`TraceError::Thread`] if the writer cannot be started.
    pub fn open(path: impl AsRef<Path>, retention: Retention) -> Result<Self, TraceError> {
        let path = path.as_ref().to_owned();
        let failed = |source| TraceError::Sqlite {
            path: path.clone(),
            source,
        };
        let unreadable = |source| TraceError::Unusable {
            path: path.clone(),
            source,
        };
        let connected = match state::damage(&path).map_err(unreadable)? {
            Some(why) => Err(why),
            None => match begin(&path) {
                Err(error) if state::is_damage(&error) => Err(error.to_string()),
                connected => Ok(connected),
            },
        };
        let damaged = connected.is_err();
        let connected = match connected {
            Ok(connected) => connected,
            Err(why) => {
                state::move_away(&path, &why).map_err(unreadable)?;
                begin(&path)
            }
        };
        let begun = connected.map_err(failed)?;
        let OpenTrace {
            connection,
            next,
            kept,
        } = begun.map_err(|newer| TraceError::Newer {
            path: path.clone(),
            found: newer.found,
            known: schema::CURRENT,
        })?;
        let reader = sqlite::connect_reader(&path).map_err(failed)?;
        let dropped = Arc::new(AtomicU64::new(0));
        let waiting = Arc::new(EventQueue::default());
        let writer = TraceWriter {
            next,
            kept,
            connection,
            path: path.clone(),
            retention,
            dropped: Arc::clone(&dropped),
            last_warning: None,
        };
        let thread = std::thread::Builder::new()
            .name("trace-writer".to_owned())
            .spawn({
                let waiting = Arc::clone(&waiting);
                move || writer.run(&waiting)
            })
            .map_err(TraceError::Thread)?;
        Ok(Self {
            path,
            waiting,
            writer: Some(thread),
            reader: Mutex::new(reader),
            dropped,
            damaged,
        })
    }

    /// Returns true if the trace was damaged when it was opened, and moved away; this has been
    /// logged.
    pub fn damaged(&self) -> bool {
        self.damaged
    }

    /// Records an event. Never waits: if the writer is too far behind, the event is dropped and
    /// counted. It is written within a tenth of a second.
    pub fn record(&self, event: Event) {
        let taken = Row::new(&event).is_ok_and(|row| self.waiting.push(row));
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keeps the headers of a sent message, for as long as events are kept and as one of the newest
    /// [`SENT_KEPT`](crate::SENT_KEPT). Never waits: if the writer is too far behind, they are
    /// dropped.
    pub fn sent(&self, sent: Sent) {
        let _dropped = self.waiting.note(Note::Sent(sent));
    }

    /// Keeps what people know of a message, for as long as events are kept. Never waits, as
    /// [`Trace::sent`].
    pub fn message(&self, message: TracedMessage) {
        let _dropped = self.waiting.note(Note::Message(Box::new(message)));
    }

    /// Returns what people know of a message, if it is still kept. Blocks for a flush and a read.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn message_of(&self, id: TransactionId) -> Result<Option<TracedMessage>, TraceError> {
        self.flush()?;
        self.read(|reader| messages::by_id(reader, id))
    }

    /// Finds messages, newest first, those just recorded included. Blocks for a flush and a search.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn find(&self, search: &MessageSearch) -> Result<FoundMessages, TraceError> {
        self.flush()?;
        // A long search holds up nobody who reads by an id.
        let failed = |source| TraceError::Sqlite {
            path: self.path.clone(),
            source,
        };
        let reader = sqlite::connect_reader(&self.path).map_err(failed)?;
        messages::find(&reader, search).map_err(failed)
    }

    /// Puts the headers that an attempt sent in the place of those that were submitted. Never waits,
    /// as [`Trace::sent`].
    pub fn travelled(&self, travelled: Travelled) {
        let _dropped = self.waiting.note(Note::Travelled(travelled));
    }

    /// Counts the changes to the headers of a message. Never waits, as [`Trace::sent`].
    pub fn came_back(&self, came_back: CameBack) {
        let _dropped = self.waiting.note(Note::CameBack(came_back));
    }

    /// Returns the headers of a sent message, if they are still kept. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn sent_by_id(&self, id: TransactionId) -> Result<Option<Sent>, TraceError> {
        if let Some(found) = self.read(|reader| headers::by_id(reader, id))? {
            return Ok(Some(found));
        }
        // It may have been sent this very moment.
        self.flush()?;
        self.read(|reader| headers::by_id(reader, id))
    }

    /// Returns the last message sent with this Message-ID, if that is still kept and already
    /// written. Blocks for a moment.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn sent_by_message_id(&self, message_id: &str) -> Result<Option<Sent>, TraceError> {
        self.read(|reader| headers::with_message_id(reader, message_id))
    }

    /// Returns transaction and account of the last message sent with this Message-ID, if it is still
    /// kept, also if it was sent this very moment. Blocks for a moment.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn sender_by_message_id(
        &self,
        message_id: &str,
    ) -> Result<Option<(TransactionId, String)>, TraceError> {
        if let Some(found) = self.waiting.unwritten(message_id) {
            return Ok(Some(found));
        }
        let written = self.sent_by_message_id(message_id)?;
        Ok(written.map(|sent| (sent.id, sent.account)))
    }

    /// Returns the changes to headers of messages from this domain. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn headers_of(&self, domain: &str) -> Result<Vec<Counted>, TraceError> {
        self.flush()?;
        self.read(|reader| headers::counted(reader, domain))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, TraceError> {
        let reader = self.reader.lock();
        read(&reader).map_err(|source| TraceError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    /// Makes a step of a sweep for the transactions of an account, and removes those that are found.
    /// `owner` tells what an event shows of its transaction. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn erase_some(
        &self,
        sweep: &mut TraceSweep,
        owner: &dyn Fn(&Kind) -> Option<TraceOwner>,
    ) -> Result<(SweepStep, u64), TraceError> {
        self.flush()?;
        let (step, ids) = self.read(|reader| sweep.read(reader, owner))?;
        Ok((step, self.erase(ids)?))
    }

    /// Removes the events and the sent headers of transactions; returns the number of rows of events.
    /// Blocks.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn erase(&self, ids: Vec<TransactionId>) -> Result<u64, TraceError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.work(move |writer| {
            let (events, sent) = erase::remove(&mut writer.connection, &ids)?;
            writer.kept -= sent;
            Ok(events)
        })
    }

    /// Removes some transactions of messages of an account that came before a time; returns true if there
    /// may be more. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn drop_older(&self, account: &str, since: Millis) -> Result<bool, TraceError> {
        self.flush()?;
        let ids = self.read(|reader| messages::older(reader, account, since))?;
        let more = ids.len() == messages::OLDER_AT_ONCE;
        self.erase(ids)?;
        Ok(more)
    }

    /// Returns some transactions of an account whose sent headers are kept, behind an id, and the id
    /// behind which there may be more. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn sent_of(
        &self,
        account: &str,
        after: &str,
    ) -> Result<(Vec<TransactionId>, Option<String>), TraceError> {
        self.flush()?;
        self.read(|reader| erase::sent_of(reader, account, after))
    }

    /// Removes what was counted of an account's headers; returns the number of rows. Blocks.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn erase_headers_of(&self, account: &str) -> Result<u64, TraceError> {
        let account = account.to_owned();
        self.work(move |writer| erase::remove_findings(&mut writer.connection, &account))
    }

    /// Makes a step of a search for transactions that name an address. Blocks.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn naming(
        &self,
        search: &mut CorrespondentSearch,
    ) -> Result<Vec<NamingTransaction>, TraceError> {
        self.flush()?;
        self.read(|reader| search.read(reader))
    }

    /// Erases an address from transactions that stay; returns the number of rows. Blocks.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn erase_address(
        &self,
        ids: Vec<TransactionId>,
        address: SoughtAddress,
    ) -> Result<u64, TraceError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.work(move |writer| correspondent::erase(&mut writer.connection, &ids, &address))
    }

    /// Erases an address from what was found of headers on the way, of one account or of all; returns
    /// the number of rows. Blocks.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn erase_address_from_findings(
        &self,
        account: Option<String>,
        address: SoughtAddress,
    ) -> Result<u64, TraceError> {
        self.work(move |writer| {
            let connection = &mut writer.connection;
            correspondent::erase_from_findings(connection, account.as_deref(), &address)
        })
    }

    /// Overwrites on the disk what was removed. Blocks; events wait meanwhile.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn overwrite_erased(&self) -> Result<(), TraceError> {
        self.work(|writer| sqlite::overwrite_erased(&writer.connection))
    }

    /// Has the writer do something to the database, behind all that was recorded before.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut TraceWriter) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, TraceError> {
        let (done, is_done) = channel();
        let work = WriterTask(Box::new(move |writer| {
            // Whoever asked waits for it.
            let _ = done.send(work(writer));
        }));
        if !self.waiting.work(work) {
            return Err(TraceError::Closed);
        }
        let done = is_done.recv().map_err(|_| TraceError::Closed)?;
        done.map_err(|source| TraceError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    /// Changes the retention; the excess is dropped within a moment.
    ///
    /// # Errors
    /// [`TraceError::Closed`] if the writer has ended.
    pub fn set_retention(&self, retention: Retention) -> Result<(), TraceError> {
        match self.waiting.set_retention(retention) {
            true => Ok(()),
            false => Err(TraceError::Closed),
        }
    }

    /// Returns the number of events that were dropped since open: the writer was too far behind,
    /// the disk nearly full, or the write failed.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything recorded before is committed. Blocks.
    ///
    /// # Errors
    /// [`TraceError::Closed`] if the writer has ended.
    pub fn flush(&self) -> Result<(), TraceError> {
        let (done, is_done) = channel();
        if !self.waiting.flush(done) {
            return Err(TraceError::Closed);
        }
        is_done.recv().map_err(|_| TraceError::Closed)
    }

    /// Returns all events of a transaction in their order, including those just recorded. That a
    /// message was taken stands before its delivery, which may begin before it is on record. Blocks
    /// for a flush and a read.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(&self, id: TransactionId) -> Result<Vec<Event>, TraceError> {
        self.flush()?;
        let rows = self.rows(id).map_err(|source| TraceError::Sqlite {
            path: self.path.clone(),
            source,
        })?;
        let mut events = Vec::new();
        for (at, json) in rows {
            let at = Millis(u64::try_from(at).unwrap_or(0));
            let entries =
                writer::read(at, &json).map_err(|source| TraceError::Damaged { id, source })?;
            let event = |writer::RowEntry { at, kind }| Event { id, at, kind };
            events.extend(entries.into_iter().map(event));
        }
        Ok(order::taken_before_delivered(events))
    }

    fn rows(&self, id: TransactionId) -> rusqlite::Result<Vec<(i64, String)>> {
        let reader = self.reader.lock();
        let mut select = reader
            .prepare_cached("SELECT at, event_json FROM events WHERE id = ?1 ORDER BY number")?;
        let rows = select.query_map([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.waiting.close();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer has been reported already.
            let _ = writer.join();
        }
    }
}

/// An open trace, with what is read from it before anything is written.
struct OpenTrace {
    connection: Connection,
    next: i64,
    kept: i64,
}

/// Opens a trace, or returns the schema of a later version. Damage beyond the first page is found
/// here.
fn begin(path: &Path) -> rusqlite::Result<Result<OpenTrace, Newer>> {
    let connection = match connect_writer(path)? {
        Ok(connection) => connection,
        Err(newer) => return Ok(Err(newer)),
    };
    Ok(Ok(OpenTrace {
        next: writer::next_number(&connection)?,
        kept: headers::number_kept(&connection)?,
        connection,
    }))
}

fn connect_writer(path: &Path) -> rusqlite::Result<Result<Connection, Newer>> {
    // It shows who wrote to whom.
    sqlite::create_private(path);
    let mut connection = sqlite::connect(path)?;
    sqlite::write_ahead(&connection, Synced::AtCheckpoints)?;
    Ok(schema::migrate(&mut connection)?.map(|()| connection))
}
