//! The record of a relay: a thread that encrypts and writes, bounded in size and age.
//!
//! A record is for trials of policies. It never delays mail: what the thread cannot keep up with, or
//! the disk has no room for, is left out and counted. Nothing is synced to the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gatepost_message::{Millis, TransactionId};
use ring::hmac;

use crate::entry::{RecordEntry, RecordedConnect, RecordedEntry};
use crate::recorder::ChainRecorder;
use crate::segment::{FILE_SIZE, Segment, SegmentWriter, encode, files};
use crate::settings::RecordSettings;

/// Entries that may wait to be written.
const MOST_WAITING: usize = 4_096;

/// Octets of messages that may wait to be written.
const MOST_OCTETS_WAITING: u64 = 64 << 20;

/// Octets that are counted for a call: its judgement, and usual answers.
const OF_CALL: u64 = 4_096;

/// Free space that is left to the rest of the store, in bytes.
const ROOM_LEFT: u64 = 256 << 20;

/// Interval at which the age of files is checked, and the longest time that an entry waits in memory.
const CHECK: Duration = Duration::from_secs(1);

/// Time for which entries are gathered before they are written, so that the thread is not woken for each.
const GATHERED: Duration = Duration::from_millis(20);

/// Interval at which the age is checked while nothing is written.
const IDLE_CHECK: Duration = Duration::from_secs(60);

/// Time after which a file is ended, so that its entries can be removed by their age.
const LONGEST_FILE: Duration = Duration::from_secs(3_600);

/// Record of a relay.
#[derive(Debug)]
pub struct PolicyRecord {
    settings: Arc<ArcSwapOption<RecordSettings>>,
    tasks: SyncSender<Task>,
    waiting: Arc<AtomicU64>,
}

enum Task {
    Keep(Box<RecordedEntry>),
    Remove(Removal, SyncSender<io::Result<u64>>),
    Flush(SyncSender<()>),
}

/// Decides which entries are removed.
pub type Removal = Box<dyn Fn(&RecordedEntry) -> bool + Send>;

impl PolicyRecord {
    /// Opens the record in a folder, which is made if need be. `key` encrypts it. Nothing is recorded
    /// while there are no settings; what there is goes by the age and size of the last ones, or of the
    /// default.
    ///
    /// # Errors
    /// The folder cannot be made, or the thread not be started.
    pub fn open(
        folder: &Path,
        key: hmac::Key,
        settings: Option<RecordSettings>,
    ) -> io::Result<Arc<Self>> {
        let retention = settings.clone().unwrap_or_default();
        Self::start(folder, key, settings, Some(retention))
    }

    /// Opens the record of a relay that does not run: nothing is recorded, and nothing goes by its age.
    ///
    /// # Errors
    /// As [`PolicyRecord::open`].
    pub fn open_idle(folder: &Path, key: hmac::Key) -> io::Result<Arc<Self>> {
        Self::start(folder, key, None, None)
    }

    fn start(
        folder: &Path,
        key: hmac::Key,
        settings: Option<RecordSettings>,
        retention: Option<RecordSettings>,
    ) -> io::Result<Arc<Self>> {
        gatepost_files::make_folder(folder)?;
        for counter in ["gatepost_records_total", "gatepost_records_dropped_total"] {
            metrics::counter!(counter).increment(0);
        }
        let settings = Arc::new(ArcSwapOption::from_pointee(settings));
        let (tasks, received) = sync_channel(MOST_WAITING);
        let waiting = Arc::new(AtomicU64::new(0));
        let writer = RecordWriter {
            folder: folder.to_owned(),
            key,
            settings: Arc::clone(&settings),
            retention,
            waiting: Arc::clone(&waiting),
            file: None,
            was_told: false,
        };
        std::thread::Builder::new()
            .name("records".into())
            .spawn(move || writer.run(&received))?;
        Ok(Arc::new(Self {
            settings,
            tasks,
            waiting,
        }))
    }

    /// Replaces the settings.
    pub fn set(&self, settings: Option<RecordSettings>) {
        self.settings.store(settings.map(Arc::new));
    }

    /// Returns true if anything is recorded at all.
    pub fn is_on(&self) -> bool {
        self.settings.load().is_some()
    }

    /// Returns a recorder for a transaction, if it may be in the sample; `connect` is what the connect
    /// hooks were asked before.
    pub fn begin(
        &self,
        id: TransactionId,
        connect: Option<&RecordedConnect>,
    ) -> Option<Arc<ChainRecorder>> {
        let settings = self.settings.load();
        let wanted = (settings.as_ref())?.may_want(id, Millis::now());
        wanted.then(|| Arc::new(ChainRecorder::after(connect.cloned())))
    }

    /// Keeps an entry, unless its account is not in the sample, or too much is waiting already.
    pub fn keep(&self, recorded: RecordedEntry) {
        let settings = self.settings.load();
        let transaction = recorded.entry.transaction();
        let account = transaction.account.as_deref();
        let wants = |settings: &Arc<RecordSettings>| settings.wants(transaction.id, account);
        if !settings.as_ref().is_some_and(wants) {
            return;
        }
        let octets = octets(&recorded);
        let waiting = self.waiting.fetch_add(octets, Ordering::Relaxed);
        let task = Task::Keep(Box::new(recorded));
        if waiting > MOST_OCTETS_WAITING || self.tasks.try_send(task).is_err() {
            self.waiting.fetch_sub(octets, Ordering::Relaxed);
            metrics::counter!("gatepost_records_dropped_total").increment(1);
        }
    }

    /// Removes entries: files that have some are written anew without them. Blocks. Returns the number
    /// of removed entries.
    ///
    /// # Errors
    /// A file cannot be read or replaced.
    pub fn remove(&self, which: Removal) -> io::Result<u64> {
        let (answer, answered) = sync_channel(1);
        let gone = || io::Error::other("the thread of the record has ended");
        (self.tasks.send(Task::Remove(which, answer))).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    /// Waits until all that was kept so far is in the files. Blocks.
    pub fn flush(&self) {
        let (answer, answered) = sync_channel(1);
        if self.tasks.send(Task::Flush(answer)).is_ok() {
            let _ = answered.recv();
        }
    }
}

/// Returns the octets of memory that an entry is taken to need, at least: each call counts.
fn octets(recorded: &RecordedEntry) -> u64 {
    let message = recorded.message.as_ref();
    let calls = recorded.calls() as u64 + 1;
    OF_CALL * calls + message.map_or(0, |message| message.size())
}

struct RecordWriter {
    folder: PathBuf,
    key: hmac::Key,
    settings: Arc<ArcSwapOption<RecordSettings>>,
    /// Settings that age and size go by; `None` to remove nothing.
    retention: Option<RecordSettings>,
    waiting: Arc<AtomicU64>,
    file: Option<SegmentWriter>,
    /// True if the log has the last failure.
    was_told: bool,
}

impl RecordWriter {
    fn run(mut self, tasks: &Receiver<Task>) {
        self.drop_oldest();
        let mut checked = Millis::now();
        loop {
            let longest = match self.file {
                Some(_) => CHECK,
                // An idle relay does not wake up each second.
                None => IDLE_CHECK,
            };
            match tasks.recv_timeout(longest) {
                Ok(task) => {
                    let is_entry = matches!(task, Task::Keep(_));
                    self.execute(task);
                    if is_entry {
                        std::thread::sleep(GATHERED);
                    }
                    // No more than may wait: however fast they come, the files are checked in between.
                    for task in tasks.try_iter().take(MOST_WAITING) {
                        self.execute(task);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
            let now = Millis::now();
            if now >= checked + CHECK {
                checked = now;
                self.flush();
                self.end_file_if_due(now);
                self.drop_oldest();
            }
        }
    }

    fn execute(&mut self, task: Task) {
        match task {
            Task::Keep(recorded) => self.keep(&recorded),
            Task::Remove(which, answer) => {
                let _ = answer.send(self.remove(&which));
            }
            Task::Flush(answer) => {
                self.flush();
                let _ = answer.send(());
            }
        }
    }

    fn keep(&mut self, recorded: &RecordedEntry) {
        self.waiting.fetch_sub(octets(recorded), Ordering::Relaxed);
        let settings = self.settings.load();
        // The hooks of an attempt see the header section and the size alone.
        let has_body = matches!(recorded.entry, RecordEntry::Transaction(_));
        let bodies = settings.as_ref().filter(|of| of.bodies && has_body);
        let plain = encode(recorded, bodies.map(|of| of.largest_body));
        let written = match plain {
            Some(plain) => self.write(plain),
            None => Ok(false),
        };
        match written {
            Ok(true) => {
                self.was_told = false;
                metrics::counter!("gatepost_records_total").increment(1);
            }
            Ok(false) => metrics::counter!("gatepost_records_dropped_total").increment(1),
            Err(error) => {
                metrics::counter!("gatepost_records_dropped_total").increment(1);
                // What was written of the file stands; the next entry begins another.
                self.file = None;
                if !std::mem::replace(&mut self.was_told, true) {
                    tracing::warn!(%error, "transactions are not recorded");
                }
            }
        }
    }

    fn write(&mut self, mut plain: Vec<u8>) -> io::Result<bool> {
        let now = Millis::now();
        if self.file.is_none() && !has_room(&self.folder) {
            return Err(io::Error::other("the disk is nearly full"));
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => SegmentWriter::create(&self.folder, &self.key, now)?,
        };
        let written = file.write(&mut plain)?;
        self.file = Some(file);
        self.end_file_if_due(now);
        Ok(written)
    }

    /// Ends the file if it is large or old enough.
    fn end_file_if_due(&mut self, now: Millis) {
        let is_due =
            |file: &SegmentWriter| file.octets >= FILE_SIZE || now >= file.since + LONGEST_FILE;
        if self.file.as_ref().is_some_and(is_due) {
            self.flush();
            self.file = None;
            self.drop_oldest();
        }
    }

    fn flush(&mut self) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.flush()
        {
            tracing::warn!(%error, "transactions are not recorded");
            self.file = None;
        }
    }

    /// Removes the files that are too old, and the oldest beyond the size.
    fn drop_oldest(&mut self) {
        if let (Some(retention), Some(now)) = (&mut self.retention, &*self.settings.load()) {
            retention.clone_from(now);
        }
        let Some(settings) = &self.retention else {
            return;
        };
        let Ok(files) = files(&self.folder) else {
            return;
        };
        let oldest = Millis::now() - settings.age;
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |of| of.len());
        let mut octets: u64 = files.iter().map(|(_, path)| size(path)).sum();
        let mut ends = files.iter().skip(1).map(|(since, _)| *since);
        for (since, path) in &files {
            // A file ends where the next one begins.
            let end = ends.next().unwrap_or(*since + LONGEST_FILE);
            let is_written = self.file.is_some() && files.last().is_some_and(|of| of.1 == *path);
            if is_written || (end > oldest && octets <= settings.size) {
                break;
            }
            octets = octets.saturating_sub(size(path));
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!(%error, path = %path.display(), "an old file of the record stays");
                break;
            }
        }
        metrics::gauge!("gatepost_records_octets").set(octets as f64);
    }

    fn remove(&mut self, which: &Removal) -> io::Result<u64> {
        self.flush();
        self.file = None;
        let mut removed = 0;
        for (since, path) in files(&self.folder)? {
            let segment = Segment::read(&path, &self.key)?;
            let entries: Vec<_> = (0..segment.len()).map(|at| segment.entry(at)).collect();
            let found = entries.iter().flatten().filter(|(entry, _)| which(entry));
            let found = found.count() as u64;
            if found == 0 {
                continue;
            }
            removed += found;
            let mut file = SegmentWriter::create(&self.folder, &self.key, since)?;
            for (entry, missing) in entries.into_iter().flatten() {
                if which(&entry) {
                    continue;
                }
                let bodies = missing.is_none().then_some(u64::MAX);
                if let Some(mut plain) = encode(&entry, bodies) {
                    file.write(&mut plain)?;
                }
            }
            file.flush()?;
            std::fs::remove_file(&path)?;
        }
        gatepost_files::sync_folder(&self.folder)?;
        Ok(removed)
    }
}

/// Returns true if the disk has room for more. If that is unknown, the write will tell.
fn has_room(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).map_or(true, |stat| {
        stat.f_bavail.saturating_mul(stat.f_frsize) >= ROOM_LEFT
    })
}
