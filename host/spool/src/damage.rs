//! Detection of damaged and missing files of a store, and their handling.

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use gatepost_files::{Finding, Level, State};
use gatepost_message::TransactionId;
use rusqlite::Connection;

use crate::{
    Fault, NewBody, SpoolError,
    disk::{self, Disk, failed_to},
    journal::{self, Paths},
    sqlite::{
        bodies::{self, ExpectedFile},
        checkpoint::{self, LostCommits},
        schema,
    },
};

/// Damage to the journal, found when a store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalDamage {
    /// Faults of the file.
    pub faults: Vec<Fault>,
    /// Path under which the damaged file is kept; `None` if there was no file.
    pub kept: Option<PathBuf>,
    /// Number of records that were whole.
    pub saved: usize,
}

/// Commits of the database that were lost with its write-ahead log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDamage {
    /// Number of lost commits, at least.
    pub commits: u64,
    /// Path under which the rest of the log is kept; `None` if there was nothing.
    pub kept: Option<PathBuf>,
}

/// Damage to the mark file, which says how much journal and database should hold, found when a
/// store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkDamage {
    /// The file is missing.
    Missing,
    /// The file does not hold what this store wrote.
    Damaged,
}

impl MarkDamage {
    /// Returns the damage of a mark file that is known to be unusable.
    fn at(path: &Path) -> Self {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Damaged,
        }
    }
}

impl fmt::Display for MarkDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Damaged => "damaged",
        })
    }
}

/// A message's body that is missing, or shorter than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedBody {
    /// Id of the message.
    pub id: TransactionId,
    /// Octets that the file had.
    pub length: u64,
    /// Octets that the file has; `None` if it is missing.
    pub found: Option<u64>,
}

impl fmt::Display for DamagedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            None => write!(f, "the body of a message is missing"),
            Some(found) => write!(
                f,
                "the body of a message has {found} octets of {}",
                self.length
            ),
        }
    }
}

/// Largest database, in octets, that is checked completely whenever a store is opened, so that
/// damage is found before anything is written. Damage in a larger one is found when it is read.
const FULL_CHECK_LIMIT: u64 = 512 << 20;

/// Damage found before a database was opened.
#[derive(Debug, Default)]
pub(crate) struct DatabaseDamage {
    pub(crate) wal: Option<LogDamage>,
    pub(crate) mark: Option<MarkDamage>,
}

/// Checks a database before it is opened: that it is whole, that it has all its commits, and that
/// this can be told at all.
///
/// # Errors
/// [`SpoolError::Unusable`] if it is damaged.
pub(crate) fn check_database(disk: &Disk) -> Result<DatabaseDamage, SpoolError> {
    metrics::gauge!("gatepost_store_damaged", "file" => "spool.db").set(0.0);
    let path = disk.database();
    if !matches!(State::of(&path), Ok(State::Database)) {
        return Ok(DatabaseDamage::default());
    }
    if schema::foreign(&gatepost_files::look(&path, false)?)?.is_some() {
        // Opening it reports that in other words.
        return Ok(DatabaseDamage::default());
    }
    let damage = DatabaseDamage {
        mark: check_mark(disk)?,
        wal: check_wal(disk)?,
    };
    let gauge = |file: &'static str, is_damaged: bool| {
        let gauge = metrics::gauge!("gatepost_store_damaged", "file" => file);
        gauge.set(if is_damaged { 1.0 } else { 0.0 });
    };
    gauge("spool.db-wal", damage.wal.is_some());
    gauge("journal.synced", damage.mark.is_some());
    if fs::metadata(&path).is_ok_and(|file| file.len() <= FULL_CHECK_LIMIT) {
        let problems = gatepost_files::problems(&gatepost_files::look(&path, false)?, false)?;
        if let Some(first) = problems.first() {
            return Err(SpoolError::Unusable {
                path,
                why: format!("it is damaged ({})", first.replace('\n', " ")),
            });
        }
    }
    Ok(damage)
}

/// Reads the database's record of the journal's previous generation; `None` if an earlier version
/// wrote the database, or no relay has made a journal.
fn last_generation(disk: &Disk) -> Result<Option<checkpoint::LastGeneration>, SpoolError> {
    let connection = gatepost_files::look(&disk.database(), false)?;
    match gatepost_files::user_version(&connection)? {
        schema::COUNTS_COMMITS..=schema::CURRENT => {
            Ok(checkpoint::LastGeneration::read(&connection)?)
        }
        _ => Ok(None),
    }
}

/// Checks that the mark file is there and whole. Without it, a journal that ends early and a
/// missing write-ahead log look the same as after an orderly stop.
fn check_mark(disk: &Disk) -> Result<Option<MarkDamage>, SpoolError> {
    let paths = disk.journal();
    let mark = journal::read_mark(&paths);
    let is_damaged = last_generation(disk)?.is_some_and(|last| last.lacks_mark(mark.as_deref()));
    if !is_damaged {
        return Ok(None);
    }
    let path = paths.mark;
    let damage = MarkDamage::at(&path);
    tracing::error!(
        path = %path.display(),
        "journal.synced is {damage}: nobody can tell whether the last mail of the journal and the \
         last commits of spool.db are there. Mail that was acknowledged just before the last stop \
         may be lost; mail that was delivered then may be delivered again, and mail that was held, \
         cancelled or deferred then may be queued as before. Look for the cause (the disk, the \
         file system, what else writes or deletes there), and see in the trace what happened last"
    );
    Ok(Some(damage))
}

/// Checks that the database has all its commits. If the end of the write-ahead log is lost, the
/// rest may be older than the database itself, and its old pages would hide newer ones: such a log
/// is removed.
fn check_wal(disk: &Disk) -> Result<Option<LogDamage>, SpoolError> {
    let path = disk.database();
    let mark = journal::read_mark(&disk.journal());
    let compare = || -> Result<LostCommits, SpoolError> {
        let last = last_generation(disk)?;
        Ok(last.map_or_else(LostCommits::default, |last| last.lost(mark.as_deref())))
    };
    let mut lost = compare()?;
    if lost.commits == 0 {
        return Ok(None);
    }
    let log = gatepost_files::beside(&path, "-wal");
    let kept = match fs::metadata(&log) {
        Ok(file) if file.len() > 0 => {
            let kept = gatepost_files::copy_aside(&log, FULL_CHECK_LIMIT);
            Some(kept.map_err(failed_to("keep", &log))?)
        }
        _ => None,
    };
    if lost.has_stale_wal {
        for suffix in ["-wal", "-shm"] {
            let beside = gatepost_files::beside(&path, suffix);
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed_to("remove", &beside)(error));
                }
                _ => {}
            }
        }
        lost = compare()?;
    }
    if lost.is_torn {
        let why = "its log, spool.db-wal, is damaged or missing, and was being copied into it";
        return Err(SpoolError::Unusable {
            path,
            why: why.to_owned(),
        });
    }
    let (commits, kept_as) = (
        lost.commits,
        kept.as_ref().map(|kept| kept.display().to_string()),
    );
    tracing::error!(
        commits,
        path = %log.display(),
        kept = kept_as,
        "the last commits of the spool's database are lost, because its log is damaged or missing. \
         Accepted mail is recovered from the journal, and mail missing there is reported; mail \
         that was delivered in these commits may be delivered again, and mail that was held, \
         cancelled or deferred in them is queued as before. Look for the cause (the disk, the file \
         system, what else writes or deletes there)"
    );
    Ok(Some(LogDamage { commits, kept }))
}

/// Keeps a damaged journal under another name, and logs the damage.
pub(crate) fn keep_damaged(
    path: &Path,
    faults: Vec<Fault>,
    saved: usize,
) -> Result<Option<JournalDamage>, SpoolError> {
    let gauge = metrics::gauge!("gatepost_store_damaged", "file" => "journal");
    gauge.set(if faults.is_empty() { 0.0 } else { 1.0 });
    if faults.is_empty() {
        return Ok(None);
    }
    let said = list_of(&faults);
    let is_file = !faults
        .iter()
        .any(|fault| matches!(fault, Fault::NotRegular(_)));
    let kept = match is_file {
        true => gatepost_files::keep(path),
        false => gatepost_files::move_away(path),
    };
    let kept = match kept {
        Ok(kept) => Some(kept),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => {
            return Err(SpoolError::NotKept {
                path: path.to_owned(),
                faults: said,
                source: Arc::new(source),
            });
        }
    };
    tracing::error!(
        path = %path.display(),
        faults = said,
        kept = kept.as_ref().map(|kept| kept.display().to_string()),
        records_saved = saved,
        "the spool's journal is damaged: mail that was acknowledged just before the last stop may \
         be lost; all whole records in it are in the queue. Look for the cause (the disk, the file \
         system, what else writes there), and see in the trace what was accepted last"
    );
    Ok(Some(JournalDamage {
        faults,
        kept,
        saved,
    }))
}

fn list_of(faults: &[Fault]) -> String {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}

/// Refuses to create a database where other files show that there was one.
///
/// # Errors
/// [`SpoolError::Lost`], or [`SpoolError::Unusable`] if it is no database.
pub(crate) fn refuse_lost(directory: &Path) -> Result<(), SpoolError> {
    let path = directory.join("spool.db");
    let state = match State::of(&path).map_err(failed_to("read", &path))? {
        State::Missing => "missing",
        State::Empty => "empty",
        State::Database => return Ok(()),
        State::Garbled(what) => {
            return Err(SpoolError::Unusable {
                path,
                why: format!("it {what}"),
            });
        }
    };
    match leftovers(directory, true)?.as_slice() {
        [] => Ok(()),
        left => Err(SpoolError::Lost {
            path,
            state,
            left: left.join(", "),
        }),
    }
}

/// Refuses an open database without a table as [`refuse_lost`] does. A store has tables from the
/// start: they were in a write-ahead log that is lost, or the file is of another store.
pub(crate) fn refuse_without_table(
    connection: &Connection,
    directory: &Path,
) -> Result<(), SpoolError> {
    let left = match gatepost_files::has_table(connection)? {
        true => return Ok(()),
        // The log was just read, and may be new.
        false => leftovers(directory, false)?,
    };
    match left.as_slice() {
        [] => Ok(()),
        left => Err(SpoolError::Lost {
            path: directory.join("spool.db"),
            state: "without a table",
            left: left.join(", "),
        }),
    }
}

/// Lists the files that a missing database leaves behind, in words.
fn leftovers(directory: &Path, with_log: bool) -> Result<Vec<String>, SpoolError> {
    let mut left = Vec::new();
    match body_names(directory)?.len() {
        0 => {}
        1 => left.push("is 1 body in incoming/".to_owned()),
        count => left.push(format!("are {count} bodies in incoming/")),
    }
    let Paths { journal, mark } = disk::journal_paths(directory);
    if journal::is_used(&journal).map_err(failed_to("read", &journal))? {
        left.push("is a journal in which mail was written".to_owned());
    } else if journal::mark_tells_of_mail(&mark) {
        left.push("is a journal.synced that tells of mail in a journal".to_owned());
    }
    let log = directory.join("spool.db-wal");
    if with_log && fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        left.push("is its log, spool.db-wal".to_owned());
    }
    Ok(left)
}

/// Returns the names of the bodies in `incoming/`.
fn body_names(directory: &Path) -> Result<Vec<String>, SpoolError> {
    let incoming = directory.join("incoming");
    let failed = || failed_to("read directory", &incoming);
    let entries = match fs::read_dir(&incoming) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed())?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed())?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        match entry.file_name().into_string() {
            Ok(name) if is_file && bodies::is_body_name(&name) => names.push(name),
            _ => {}
        }
    }
    Ok(names)
}

/// Most reads of a file that a relay is writing, until two reads in a row show the same faults.
const MAX_READS: usize = 5;

/// Checks queue, journal and bodies, and changes nothing. `in_use` is true if a relay has the store
/// open.
pub fn inspect(directory: &Path, in_use: bool) -> Vec<Finding> {
    let path = directory.join("spool.db");
    if let Err(error) = refuse_lost(directory) {
        return vec![Finding::new(Level::Error, &path, error.to_string(), "")];
    }
    if !path.exists() {
        let found = "there is no store yet: the relay makes it when it starts";
        return vec![Finding::note(&path, found)];
    }
    // Read before the database: a running relay's mark is not ahead of the database then.
    let mark = journal::read_mark(&disk::journal_paths(directory));
    let failed = |error: SpoolError| {
        let advice = match error {
            SpoolError::Io { .. } => {
                "run this as root or as the relay's user; what should be a directory has to be one"
            }
            _ => {
                "stop the relay, copy the store, and put spool.db back from a backup, with the \
                 spool.db-wal that belongs to it, or recover it with `sqlite3 spool.db .recover`"
            }
        };
        Finding::new(Level::Error, &path, error.to_string(), advice)
    };
    let connection = match gatepost_files::look(&path, in_use) {
        Ok(connection) => connection,
        Err(error) => return vec![failed(error.into())],
    };
    if let Err(error) = refuse_without_table(&connection, directory) {
        return vec![match error {
            SpoolError::Lost { .. } => Finding::new(Level::Error, &path, error.to_string(), ""),
            error => failed(error),
        }];
    }
    let inspection = StoreInspection {
        directory,
        path: &path,
        connection: &connection,
        in_use,
    };
    match inspection.database(mark.as_deref()) {
        // A database of another program or a later version cannot be checked further.
        Ok((found, false)) => found,
        Ok((mut findings, true)) => {
            let mut pending = HashMap::new();
            for part in [
                inspection.journal(&mut pending),
                inspection.bodies(&pending),
            ] {
                match part {
                    Ok(found) => findings.extend(found),
                    Err(error) => findings.push(failed(error)),
                }
            }
            findings
        }
        Err(error) => vec![failed(error)],
    }
}

/// A store that is being inspected.
struct StoreInspection<'a> {
    directory: &'a Path,
    path: &'a Path,
    connection: &'a Connection,
    in_use: bool,
}

impl StoreInspection<'_> {
    /// Checks the database; returns false if nothing else can be checked.
    fn database(&self, mark: Option<&[u8]>) -> Result<(Vec<Finding>, bool), SpoolError> {
        if let Some(why) = schema::foreign(self.connection)? {
            let advice = "this is no spool: put the right file back from a backup";
            let finding = Finding::new(Level::Error, self.path, why, advice);
            return Ok((vec![finding], false));
        }
        let version = gatepost_files::user_version(self.connection)?;
        let mut findings = vec![Finding::note(self.path, format!("schema {version}"))];
        if version != schema::CURRENT {
            let known = schema::CURRENT;
            let found = format!("schema {version}, and this version knows {known}");
            findings.push(match version > known {
                true => {
                    let advice = "run the version of gatepost that wrote it, or a later one";
                    Finding::new(Level::Error, self.path, found, advice)
                }
                false => Finding::note(self.path, found + ": the next start brings it there"),
            });
        }
        for problem in gatepost_files::problems(self.connection, true)? {
            let advice = "stop the relay, copy the store, and put spool.db back from a backup or \
                recover it with `sqlite3 spool.db .recover`";
            findings.push(Finding::new(Level::Error, self.path, problem, advice));
        }
        if version != schema::CURRENT {
            let found = "journal and bodies are not checked: the database is of another schema";
            findings.push(Finding::note(self.path, found));
            return Ok((findings, false));
        }
        let last = checkpoint::LastGeneration::read(self.connection)?;
        let lost = last.map_or(0, |last| last.lost(mark).commits);
        if lost > 0 {
            let found = format!("damaged or missing: {lost} commits of spool.db are lost with it");
            let advice = "put it back if it was moved; otherwise start the relay: it recovers \
                accepted mail from the journal and keeps bodies that belong to no message";
            let log = gatepost_files::beside(self.path, "-wal");
            findings.push(Finding::new(Level::Error, &log, found, advice));
        }
        findings.extend(self.mark(mark)?);
        Ok((findings, true))
    }

    /// Checks the mark file, whose contents `mark` were read before the database.
    fn mark(&self, mark: Option<&[u8]>) -> Result<Option<Finding>, SpoolError> {
        let paths = disk::journal_paths(self.directory);
        let mut mark = mark.map(<[u8]>::to_vec);
        for read in 0..MAX_READS {
            if read > 0 {
                mark = journal::read_mark(&paths);
            }
            let last = checkpoint::LastGeneration::read(self.connection)?;
            if !last.is_some_and(|last| last.lacks_mark(mark.as_deref())) {
                return Ok(None);
            }
            // A relay may have been writing it; real damage stays.
            if !self.in_use {
                break;
            }
        }
        let found = format!(
            "{}: nobody can tell whether the journal and the log of spool.db are whole",
            MarkDamage::at(&paths.mark)
        );
        let advice = match self.in_use {
            true => {
                "look for what deletes or writes there, and restart the relay, which creates it"
            }
            false => {
                "put it back if it was moved; otherwise start the relay: it recovers the mail that \
                 is there, and keeps bodies that belong to no message"
            }
        };
        let finding = Finding::new(Level::Error, &paths.mark, found, advice);
        Ok(Some(finding))
    }

    /// Checks the journal; adds the bodies of messages that are only in the journal to `pending`.
    fn journal(
        &self,
        pending: &mut HashMap<String, ExpectedFile>,
    ) -> Result<Vec<Finding>, SpoolError> {
        let paths = disk::journal_paths(self.directory);
        let path = &paths.journal;
        let mut last = None;
        for _ in 0..MAX_READS {
            let Some(known) = checkpoint::LastGeneration::read(self.connection)? else {
                return Ok(Vec::new());
            };
            let read = journal::read(&paths, known.format, known.tail());
            let recovered = read.map_err(failed_to("read", path))?;
            let (found, faults) = (recovered.records.len(), recovered.faults);
            let ours = checkpoint::pending(self.connection, known, &recovered.records)?;
            pending.extend(ours.into_iter().filter_map(|message| {
                let NewBody::Staged(staged) = &message.body else {
                    return None;
                };
                let expected = ExpectedFile {
                    length: staged.offset() + staged.len(),
                    checksum: Some(staged.checksum()),
                };
                Some((message.transaction.id.to_string(), expected))
            }));
            if faults.is_empty() {
                return Ok(match known.format {
                    journal::JournalFormat::None => {
                        let advice = "see the log for the reason why the relay could not create it";
                        let found = "there is no journal: the relay works without it, but slower";
                        vec![Finding::new(Level::Warning, path, found, advice)]
                    }
                    _ => vec![Finding::note(path, format!("{found} records, all whole"))],
                });
            }
            // A relay may have been writing while it was read; real damage stays.
            if !self.in_use || last.as_ref() == Some(&faults) {
                last = Some(faults);
                break;
            }
            last = Some(faults);
        }
        let faults = last.unwrap_or_default();
        let advice = match self.in_use {
            true => {
                "the relay has this mail in memory, too: run `gatepost queue list`, which moves it \
                 into spool.db, and check the disk"
            }
            false => {
                "start the relay: it keeps the file under another name and recovers its whole \
                 records"
            }
        };
        Ok((faults.iter())
            .map(|fault| Finding::new(Level::Error, path, fault.to_string(), advice))
            .collect())
    }

    fn bodies(&self, pending: &HashMap<String, ExpectedFile>) -> Result<Vec<Finding>, SpoolError> {
        let incoming = self.directory.join("incoming");
        // The rows are read first, and again if a body seems to be missing: a message may have been
        // finished in between.
        let mut wanted = bodies::expected_files(self.connection)?;
        wanted.extend(
            pending
                .iter()
                .map(|(name, expected)| (name.clone(), *expected)),
        );
        let there = body_names(self.directory)?;
        let orphans = there.iter().filter(|name| !wanted.contains_key(*name));
        let orphans = orphans.count();
        let mut damaged = Vec::new();
        for (name, expected) in wanted {
            if let Some(found) = damage_of_file(&incoming.join(&name), expected) {
                damaged.push((name, found));
            }
        }
        if self.in_use && !damaged.is_empty() {
            let still = bodies::expected_files(self.connection)?;
            damaged.retain(|(name, _)| still.contains_key(name));
        }
        damaged.sort();
        let mut findings = Vec::new();
        for (name, found) in damaged {
            let advice = "put the file back from a backup; without it the message is deferred \
                until it expires, and with an altered or short one it is held";
            let path = incoming.join(name);
            findings.push(Finding::new(Level::Error, &path, found, advice));
        }
        findings.extend(self.stored_octets()?);
        if orphans > 0 && !self.in_use {
            let found = format!(
                "{orphans} bodies belong to no message, as an interrupted transaction leaves \
                 them; the next start removes them, or keeps them in {} if something else is \
                 damaged",
                bodies::KEPT_DIRECTORY
            );
            findings.push(Finding::note(&incoming, found));
        }
        findings.extend(self.strays(&incoming)?);
        Ok(findings)
    }

    /// Checks the header sections, and the bodies that are in the database, by their checksums.
    fn stored_octets(&self) -> Result<Vec<Finding>, SpoolError> {
        let mut select = self.connection.prepare(
            "SELECT id, body_checksum, body, size - length(head), body_offset IS NOT NULL, head,
                head_checksum
             FROM messages LEFT JOIN contents ON message = messages.number",
        )?;
        let mut rows = select.query([])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let (checksum, length): (Option<u32>, Option<i64>) = (row.get(1)?, row.get(3)?);
            let body: Option<Vec<u8>> = row.get(2)?;
            let (in_file, head): (bool, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
            let head_checksum: Option<u32> = row.get(6)?;
            let advice = "hold the message (`gatepost queue hold`) and look at it, or put \
                spool.db back from a backup";
            let is_whole = head.is_some_and(|head| {
                head_checksum.is_none_or(|checksum| checksum == crc32fast::hash(&head))
            });
            if !is_whole {
                let found = format!("the header section of message {id} is not what was written");
                findings.push(Finding::new(Level::Error, self.path, found, advice));
            }
            let is_whole = in_file
                || body.is_some_and(|body| {
                    length == i64::try_from(body.len()).ok()
                        && checksum.is_none_or(|checksum| checksum == crc32fast::hash(&body))
                });
            if !is_whole {
                let found = format!("the body of message {id} is not what was written");
                findings.push(Finding::new(Level::Error, self.path, found, advice));
            }
        }
        Ok(findings)
    }

    fn strays(&self, incoming: &Path) -> Result<Vec<Finding>, SpoolError> {
        let failed = || failed_to("read directory", incoming);
        let mut findings = Vec::new();
        let entries = match fs::read_dir(incoming) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(findings),
            entries => entries.map_err(failed())?,
        };
        for entry in entries {
            let entry = entry.map_err(failed())?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let name = entry.file_name();
            if !(is_file && name.to_str().is_some_and(bodies::is_body_name)) {
                let found = "this is no body of a message; the relay leaves it alone";
                let advice = "move it out of incoming/";
                findings.push(Finding::new(Level::Warning, &entry.path(), found, advice));
            }
        }
        Ok(findings)
    }
}

/// Describes the damage to the file of a body, if there is any.
fn damage_of_file(path: &Path, expected: ExpectedFile) -> Option<String> {
    let length = match fs::symlink_metadata(path) {
        Ok(file) if file.is_file() => file.len(),
        Ok(_) => return Some("the body of a message is not a file".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Some("the body of a message in the queue is missing".to_owned());
        }
        Err(error) => return Some(format!("the body of a message cannot be read: {error}")),
    };
    let due = expected.length;
    if length != due {
        return Some(format!(
            "the body of a message has {length} octets of {due}"
        ));
    }
    let checksum = expected.checksum?;
    match bodies::checksum(path) {
        Ok(found) if found == checksum => None,
        Ok(_) => Some("the body of a message is not what was written".to_owned()),
        Err(error) => Some(format!("the body of a message cannot be read: {error}")),
    }
}
