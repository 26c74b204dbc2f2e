//! What is damaged or missing of a store, and what becomes of that.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use gatepost_files::{Finding, Level, State};
use rusqlite::Connection;

use crate::{
    Fault, SpoolError,
    disk::{self, failed_to},
    journal,
    sqlite::{bodies, carry, schema},
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
    let kept = match gatepost_files::keep(path) {
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
        State::Garbled => {
            return Err(SpoolError::Unusable {
                path,
                why: "it is not a database".to_owned(),
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
    let journal = disk::journal(directory).journal;
    if journal::is_used(&journal).map_err(failed_to("read", &journal))? {
        left.push("is a journal in which mail was written".to_owned());
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
    let failed = |error: SpoolError| {
        let advice = "put spool.db back from a backup, with the spool.db-wal that belongs to it";
        Finding::new(Level::Error, &path, error.to_string(), advice)
    };
    let connection = match gatepost_files::look(&path, in_use) {
        Ok(connection) => connection,
        Err(error) => return vec![failed(error.into())],
    };
    let mut findings = Vec::new();
    let looking = Looking {
        directory,
        path: &path,
        connection: &connection,
        in_use,
    };
    for part in [looking.database(), looking.journal(), looking.bodies()] {
        match part {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(failed(error)),
        }
    }
    findings
}

/// A store that is looked at.
struct Looking<'a> {
    directory: &'a Path,
    path: &'a Path,
    connection: &'a Connection,
    in_use: bool,
}

impl Looking<'_> {
    fn database(&self) -> Result<Vec<Finding>, SpoolError> {
        if let Some(why) = schema::foreign(self.connection)? {
            let advice = "this is no spool: put the right file back from a backup";
            return Ok(vec![Finding::new(Level::Error, self.path, why, advice)]);
        }
        let version = gatepost_files::user_version(self.connection)?;
        let mut findings = vec![Finding::note(self.path, format!("schema {version}"))];
        if version > schema::CURRENT {
            let found = format!(
                "schema {version}, and this version knows {}",
                schema::CURRENT
            );
            let advice = "run the version of gatepost that wrote it, or a later one";
            findings.push(Finding::new(Level::Error, self.path, found, advice));
        }
        for problem in gatepost_files::problems(self.connection, true)? {
            let advice = "stop the relay, copy the store, and put spool.db back from a backup or \
                recover it with `sqlite3 spool.db .recover`";
            findings.push(Finding::new(Level::Error, self.path, problem, advice));
        }
        Ok(findings)
    }

    fn journal(&self) -> Result<Vec<Finding>, SpoolError> {
        if gatepost_files::user_version(self.connection)? != schema::CURRENT {
            let found = "not looked at: the database is of another schema";
            return Ok(vec![Finding::note(self.path, found)]);
        }
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

    fn bodies(&self) -> Result<Vec<Finding>, SpoolError> {
        let incoming = self.directory.join("incoming");
        // The rows first, and once more for those that seem to miss their body: a message may have
        // been finished in between.
        let mut missing = bodies::wanted(self.connection)?;
        let there = names(self.directory)?;
        let orphans = there.iter().filter(|name| !missing.contains(*name)).count();
        missing.retain(|name| !there.contains(name));
        if !missing.is_empty() {
            let still = bodies::wanted(self.connection)?;
            missing.retain(|name| still.contains(name));
        }
        let mut findings = Vec::new();
        for name in missing {
            let advice = "put the file back from a backup; until then the message is deferred";
            let found = "the body of a message in the queue is missing";
            findings.push(Finding::new(
                Level::Error,
                &incoming.join(name),
                found,
                advice,
            ));
        }
        if orphans > 0 && !self.in_use {
            let found = format!(
                "{orphans} bodies belong to no message, as an interrupted transaction leaves \
                 them; the next start removes them"
            );
            findings.push(Finding::note(&incoming, found));
        }
        findings.extend(self.strays(&incoming)?);
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
