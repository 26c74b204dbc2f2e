//! What is damaged or missing of a store, and what becomes of that.

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
        bodies::{self, Expected},
        carry::{self, Lost},
        schema,
    },
};

/// What was damaged of the journal when a store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalDamage {
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The damaged file, under the name that it is kept by; `None` if there was none.
    pub kept: Option<PathBuf>,
    /// Records that were whole.
    pub saved: usize,
}

/// Commits of the database that were lost with its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDamage {
    /// How many, at least.
    pub commits: u64,
    /// What there was of the log, under the name that it is kept by; `None` if there was nothing.
    pub kept: Option<PathBuf>,
}

/// What has become of the file that tells how much journal and database should hold, when a store
/// was opened: it is missing or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkDamage {
    /// There is no file.
    Missing,
    /// It does not say what this store wrote into it.
    Damaged,
}

impl MarkDamage {
    /// What is wrong at a path where something is.
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

/// The body of a message that is missing, or shorter than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedBody {
    /// The message.
    pub id: TransactionId,
    /// Octets that its file had.
    pub length: u64,
    /// Octets that it has; `None` if there is none.
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

/// Databases of up to so many octets are looked through whenever a store is opened: damage is found
/// before anything is written to it. Of larger ones, what is read is.
const LOOKED_THROUGH: u64 = 512 << 20;

/// What a look at a database before it is opened has found.
#[derive(Debug, Default)]
pub(crate) struct DatabaseDamage {
    pub(crate) log: Option<LogDamage>,
    pub(crate) mark: Option<MarkDamage>,
}

/// Looks at a database before it is opened: whether it is whole, whether it has all its commits,
/// and whether that can be told.
///
/// # Errors
/// [`SpoolError::Unusable`] if it is damaged.
pub(crate) fn look_at_database(disk: &Disk) -> Result<DatabaseDamage, SpoolError> {
    metrics::gauge!("gatepost_store_damaged", "file" => "spool.db").set(0.0);
    let path = disk.database();
    if !matches!(State::of(&path), Ok(State::Database)) {
        return Ok(DatabaseDamage::default());
    }
    if schema::foreign(&gatepost_files::look(&path, false)?)?.is_some() {
        // Which is said in other words when it is opened.
        return Ok(DatabaseDamage::default());
    }
    let damage = DatabaseDamage {
        mark: look_at_mark(disk)?,
        log: look_at_log(disk)?,
    };
    let gauge = |file: &'static str, is_damaged: bool| {
        let gauge = metrics::gauge!("gatepost_store_damaged", "file" => file);
        gauge.set(if is_damaged { 1.0 } else { 0.0 });
    };
    gauge("spool.db-wal", damage.log.is_some());
    gauge("journal.synced", damage.mark.is_some());
    if fs::metadata(&path).is_ok_and(|file| file.len() <= LOOKED_THROUGH) {
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

/// What the database, as it is found, says of the last life of the journal; `None` where an earlier
/// version wrote it, or no relay has made a journal.
fn last(disk: &Disk) -> Result<Option<carry::Last>, SpoolError> {
    let connection = gatepost_files::look(&disk.database(), false)?;
    match gatepost_files::user_version(&connection)? {
        schema::COUNTS_COMMITS..=schema::CURRENT => Ok(carry::Last::read(&connection)?),
        _ => Ok(None),
    }
}

/// Whether the file beside the journal is there and whole. Without it, a journal that ends early
/// and a log that is gone look like those of a relay that was stopped in order.
fn look_at_mark(disk: &Disk) -> Result<Option<MarkDamage>, SpoolError> {
    let paths = disk.journal();
    let mark = journal::read_mark(&paths);
    let is_damaged = last(disk)?.is_some_and(|last| last.lacks_mark(mark.as_deref()));
    if !is_damaged {
        return Ok(None);
    }
    let path = paths.mark;
    let damage = MarkDamage::at(&path);
    tracing::error!(
        path = %path.display(),
        "journal.synced is {damage}: nobody can tell whether the last mail of the journal and the \
         last commits of spool.db are there. Mail that was acknowledged just before the last stop \
         may be lost; what was delivered then may be delivered again, and what was held, cancelled \
         or deferred then may not be. Look for the cause (the disk, the file system, what else \
         writes or deletes there), and see in the trace what happened last"
    );
    Ok(Some(damage))
}

/// Whether the database has all its commits. A log of which the end is lost may be older than the
/// database itself, and would put old pages in front of new ones: that is taken away.
fn look_at_log(disk: &Disk) -> Result<Option<LogDamage>, SpoolError> {
    let path = disk.database();
    let mark = journal::read_mark(&disk.journal());
    let look = || -> Result<Lost, SpoolError> {
        let last = last(disk)?;
        Ok(last.map_or_else(Lost::default, |last| last.lost(mark.as_deref())))
    };
    let mut lost = look()?;
    if lost.commits == 0 {
        return Ok(None);
    }
    let log = gatepost_files::beside(&path, "-wal");
    let kept = match fs::metadata(&log) {
        Ok(file) if file.len() > 0 => {
            let kept = gatepost_files::copy_aside(&log, LOOKED_THROUGH);
            Some(kept.map_err(failed_to("keep", &log))?)
        }
        _ => None,
    };
    if lost.has_stale_log {
        for suffix in ["-wal", "-shm"] {
            let beside = gatepost_files::beside(&path, suffix);
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed_to("remove", &beside)(error));
                }
                _ => {}
            }
        }
        lost = look()?;
    }
    if lost.is_torn {
        let why = "its log, spool.db-wal, is damaged or missing, and was being written to it";
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
        "the last commits of the spool's database are lost, for its log is damaged or missing. \
         Accepted mail comes from the journal, and what is not there is told of; what was delivered \
         in these commits may be delivered again, and what was held, cancelled or deferred in them \
         is not. Look for the cause (the disk, the file system, what else writes or deletes there)"
    );
    Ok(Some(LogDamage { commits, kept }))
}

/// Keeps a damaged journal under another name, and says so loudly.
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
    let said = sentence(&faults);
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
         be lost; all that is whole in it is in the queue. Look for the cause (the disk, the file \
         system, what else writes there), and see in the trace what was accepted last"
    );
    Ok(Some(JournalDamage {
        faults,
        kept,
        saved,
    }))
}

fn sentence(faults: &[Fault]) -> String {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}

/// Takes no database for a new one where there is something that belongs to the one before.
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
    match left(directory, true)?.as_slice() {
        [] => Ok(()),
        left => Err(SpoolError::Lost {
            path,
            state,
            left: left.join(", "),
        }),
    }
}

/// As [`refuse_lost`], for a database that is open and has no table, which a store has from its first
/// moment on: what it had was in its log, and that is gone, or it is another store's.
pub(crate) fn refuse_bare(connection: &Connection, directory: &Path) -> Result<(), SpoolError> {
    let left = match gatepost_files::has_table(connection)? {
        true => return Ok(()),
        // Its log is what has just been read, and may be new.
        false => left(directory, false)?,
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

/// What a database that is gone leaves behind.
fn left(directory: &Path, with_log: bool) -> Result<Vec<String>, SpoolError> {
    let mut left = Vec::new();
    match names(directory)?.len() {
        0 => {}
        1 => left.push("is 1 body in incoming/".to_owned()),
        count => left.push(format!("are {count} bodies in incoming/")),
    }
    let Paths { journal, mark } = disk::journal(directory);
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

/// The names of the bodies in `incoming/`.
fn names(directory: &Path) -> Result<Vec<String>, SpoolError> {
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
            Ok(name) if is_file && bodies::is_name(&name) => names.push(name),
            _ => {}
        }
    }
    Ok(names)
}

/// How often a journal is read that a relay is writing, until what is wrong with it stays so.
const LOOKS: usize = 5;

/// Looks at queue, journal and bodies, and changes nothing. `in_use` says whether a relay has the
/// store open.
pub fn inspect(directory: &Path, in_use: bool) -> Vec<Finding> {
    let path = directory.join("spool.db");
    if let Err(error) = refuse_lost(directory) {
        return vec![Finding::new(Level::Error, &path, error.to_string(), "")];
    }
    if !path.exists() {
        let found = "there is no store yet: the relay makes it when it starts";
        return vec![Finding::note(&path, found)];
    }
    // Before the database: beside a relay that writes, it is not ahead of that then.
    let mark = journal::read_mark(&disk::journal(directory));
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
    if let Err(error) = refuse_bare(&connection, directory) {
        return vec![match error {
            SpoolError::Lost { .. } => Finding::new(Level::Error, &path, error.to_string(), ""),
            error => failed(error),
        }];
    }
    let looking = Looking {
        directory,
        path: &path,
        connection: &connection,
        in_use,
    };
    match looking.database(mark.as_deref()) {
        // Of another program's or a later version's nothing else can be told.
        Ok((found, false)) => found,
        Ok((mut findings, true)) => {
            let mut pending = HashMap::new();
            for part in [looking.journal(&mut pending), looking.bodies(&pending)] {
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

/// A store that is looked at.
struct Looking<'a> {
    directory: &'a Path,
    path: &'a Path,
    connection: &'a Connection,
    in_use: bool,
}

impl Looking<'_> {
    /// What is found of the database, and whether it is one to look further into.
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
            let found = "journal and bodies are not looked at: the database is of another schema";
            findings.push(Finding::note(self.path, found));
            return Ok((findings, false));
        }
        let last = carry::Last::read(self.connection)?;
        let lost = last.map_or(0, |last| last.lost(mark).commits);
        if lost > 0 {
            let found = format!("damaged or missing: {lost} commits of spool.db are lost with it");
            let advice = "put it back if it was moved; else start the relay: it takes accepted \
                mail from the journal and keeps bodies that belong to no message";
            let log = gatepost_files::beside(self.path, "-wal");
            findings.push(Finding::new(Level::Error, &log, found, advice));
        }
        findings.extend(self.mark(mark)?);
        Ok((findings, true))
    }

    /// What is found of the file beside the journal, of which `mark` was read before the database.
    fn mark(&self, mark: Option<&[u8]>) -> Result<Option<Finding>, SpoolError> {
        let paths = disk::journal(self.directory);
        let mut mark = mark.map(<[u8]>::to_vec);
        for look in 0..LOOKS {
            if look > 0 {
                mark = journal::read_mark(&paths);
            }
            let last = carry::Last::read(self.connection)?;
            if !last.is_some_and(|last| last.lacks_mark(mark.as_deref())) {
                return Ok(None);
            }
            // A relay may have been writing it; what is damaged stays so.
            if !self.in_use {
                break;
            }
        }
        let found = format!(
            "{}: nobody can tell whether the journal and the log of spool.db are whole",
            MarkDamage::at(&paths.mark)
        );
        let advice = match self.in_use {
            true => "look for what deletes or writes there, and restart the relay, which makes it",
            false => {
                "put it back if it was moved; else start the relay: it takes what is there, and \
                 keeps bodies that belong to no message"
            }
        };
        let finding = Finding::new(Level::Error, &paths.mark, found, advice);
        Ok(Some(finding))
    }

    /// `pending` is filled with the bodies of messages that stand in the journal alone.
    fn journal(&self, pending: &mut HashMap<String, Expected>) -> Result<Vec<Finding>, SpoolError> {
        let paths = disk::journal(self.directory);
        let path = &paths.journal;
        let mut last = None;
        for _ in 0..LOOKS {
            let Some(known) = carry::Last::read(self.connection)? else {
                return Ok(Vec::new());
            };
            let read = journal::read(&paths, known.form, known.tail());
            let recovered = read.map_err(failed_to("read", path))?;
            let (found, faults) = (recovered.records.len(), recovered.faults);
            let ours = carry::pending(self.connection, known, &recovered.records)?;
            pending.extend(ours.into_iter().filter_map(|message| {
                let NewBody::Staged(staged) = &message.body else {
                    return None;
                };
                let expected = Expected {
                    length: staged.offset() + staged.len(),
                    checksum: Some(staged.checksum()),
                };
                Some((message.transaction.id.to_string(), expected))
            }));
            if faults.is_empty() {
                return Ok(match known.form {
                    journal::Form::None => {
                        let advice = "look in the log for why the relay could not make it";
                        let found = "there is no journal: the relay works without, and slower";
                        vec![Finding::new(Level::Warning, path, found, advice)]
                    }
                    _ => vec![Finding::note(path, format!("{found} records, all whole"))],
                });
            }
            // A relay may have written while it was read; what is damaged stays so.
            if !self.in_use || last.as_ref() == Some(&faults) {
                last = Some(faults);
                break;
            }
            last = Some(faults);
        }
        let faults = last.unwrap_or_default();
        let advice = match self.in_use {
            true => {
                "what stands there is in memory, too: hold the queue still (`gatepost queue list` \
                 brings it into spool.db), and look at the disk"
            }
            false => {
                "start the relay: it keeps the file under another name and saves all that is whole"
            }
        };
        Ok((faults.iter())
            .map(|fault| Finding::new(Level::Error, path, fault.to_string(), advice))
            .collect())
    }

    fn bodies(&self, pending: &HashMap<String, Expected>) -> Result<Vec<Finding>, SpoolError> {
        let incoming = self.directory.join("incoming");
        // The rows first, and once more for those that seem to miss their body: a message may have
        // been finished in between.
        let mut wanted = bodies::wanted(self.connection)?;
        wanted.extend(
            pending
                .iter()
                .map(|(name, expected)| (name.clone(), *expected)),
        );
        let there = names(self.directory)?;
        let orphans = there.iter().filter(|name| !wanted.contains_key(*name));
        let orphans = orphans.count();
        let mut damaged = Vec::new();
        for (name, expected) in wanted {
            if let Some(found) = damage_of(&incoming.join(&name), expected) {
                damaged.push((name, found));
            }
        }
        if self.in_use && !damaged.is_empty() {
            let still = bodies::wanted(self.connection)?;
            damaged.retain(|(name, _)| still.contains_key(name));
        }
        damaged.sort();
        let mut findings = Vec::new();
        for (name, found) in damaged {
            let advice = "put the file back from a backup; without it the message is deferred until \
                it expires, and with an altered or short one it is held";
            let path = incoming.join(name);
            findings.push(Finding::new(Level::Error, &path, found, advice));
        }
        findings.extend(self.octets_in_the_database()?);
        if orphans > 0 && !self.in_use {
            let found = format!(
                "{orphans} bodies belong to no message, as an interrupted transaction leaves \
                 them; the next start removes them, or keeps them in {} if something else is \
                 damaged",
                bodies::KEPT
            );
            findings.push(Finding::note(&incoming, found));
        }
        findings.extend(self.strays(&incoming)?);
        Ok(findings)
    }

    /// Of the header sections, and of the bodies that have no file, those that are not what was
    /// written.
    fn octets_in_the_database(&self) -> Result<Vec<Finding>, SpoolError> {
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
            if !(is_file && name.to_str().is_some_and(bodies::is_name)) {
                let found = "this is no body of a message; the relay leaves it alone";
                let advice = "move it out of incoming/";
                findings.push(Finding::new(Level::Warning, &entry.path(), found, advice));
            }
        }
        Ok(findings)
    }
}

/// What is wrong with the file of a body, if anything is.
fn damage_of(path: &Path, expected: Expected) -> Option<String> {
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
