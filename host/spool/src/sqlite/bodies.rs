//! The files of `incoming/`: their expected contents, and their clean-up when a store is opened.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder},
    io::{self, Read as _},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use gatepost_message::TransactionId;
use rusqlite::Connection;

use crate::{
    DamagedBody, SpoolError,
    disk::{Disk, failed_to},
};

use super::codec::to_u64;

/// Directory for bodies that belong to no message, if something else is damaged.
pub(crate) const KEPT_DIRECTORY: &str = "incoming.damaged-kept";

/// Octets of a body that are read at a time.
const CHUNK: usize = 256 << 10;

/// ExpectedFile contents of a body's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExpectedFile {
    /// Octets of the file.
    pub(crate) length: u64,
    /// CRC-32 of the whole file; `None` if an earlier version wrote it.
    pub(crate) checksum: Option<u32>,
}

/// Returns true if a file name is one of a body.
pub(crate) fn is_body_name(name: &str) -> bool {
    name.parse::<TransactionId>().is_ok()
}

/// Returns the expected body files by name.
pub(crate) fn expected_files(
    connection: &Connection,
) -> rusqlite::Result<HashMap<String, ExpectedFile>> {
    let mut select = connection.prepare(
        "SELECT id, body_offset + size - ifnull(length(head), 0), body_checksum
         FROM messages LEFT JOIN contents ON message = number WHERE body_offset IS NOT NULL",
    )?;
    let rows = select.query_map([], |row| {
        let expected = ExpectedFile {
            length: to_u64(row.get(1)?),
            checksum: row.get(2)?,
        };
        Ok((row.get(0)?, expected))
    })?;
    rows.collect()
}

/// Returns the CRC-32 of a file.
pub(crate) fn checksum(path: &Path) -> io::Result<u32> {
    let mut file = gatepost_files::open(path)?;
    let (mut hasher, mut octets) = (crc32fast::Hasher::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut octets)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&octets[..read]),
        }
    }
}

/// Removes bodies that belong to no message: staged and never accepted, or finished but not yet
/// removed when the last relay ended. If journal or database are damaged, `keep` preserves them,
/// since the message of a body may be lost there. Other files are left alone. Returns the messages
/// whose body is missing or short.
pub(super) fn clean_up(
    connection: &Connection,
    disk: &Disk,
    keep: bool,
) -> Result<Vec<DamagedBody>, SpoolError> {
    let incoming = disk.incoming();
    let mut expected_files = expected_files(connection)?;
    let mut damaged = Vec::new();
    let mut note = |name: &str, length, found| {
        if let Ok(id) = name.parse() {
            damaged.push(DamagedBody { id, length, found });
        }
    };
    for entry in fs::read_dir(&incoming).map_err(failed_to("read directory", &incoming))? {
        let entry = entry.map_err(failed_to("read directory", &incoming))?;
        let (name, path) = (entry.file_name(), entry.path());
        let kind = entry.file_type().map_err(failed_to("look at", &path))?;
        let Some(name) = name
            .to_str()
            .filter(|name| kind.is_file() && is_body_name(name))
        else {
            tracing::warn!(
                path = %path.display(),
                "this is no body of a message, and is left alone: move it out of incoming/"
            );
            continue;
        };
        if let Some(expected) = expected_files.remove(name) {
            let found = entry.metadata().map_err(failed_to("look at", &path))?.len();
            if found < expected.length {
                note(name, expected.length, Some(found));
            }
        } else if keep {
            keep_orphan(disk, &path, name)?;
        } else {
            fs::remove_file(&path).map_err(failed_to("remove", &path))?;
            tracing::info!(path = %path.display(), "removed a body that belongs to no message");
        }
    }
    for (name, expected) in &expected_files {
        note(name, expected.length, None);
    }
    metrics::gauge!("gatepost_store_damaged", "file" => "incoming").set(match damaged.is_empty() {
        true => 0.0,
        false => 1.0,
    });
    for body in &damaged {
        tracing::error!(
            id = %body.id,
            "{body} in incoming/: put the file back from a backup; the message is deferred until \
             it expires, or held where its body is short"
        );
    }
    Ok(damaged)
}

fn keep_orphan(disk: &Disk, path: &Path, name: &str) -> Result<(), SpoolError> {
    let folder = disk.directory().join(KEPT_DIRECTORY);
    let mut private = DirBuilder::new();
    let made = private.recursive(true).mode(0o700).create(&folder);
    made.map_err(failed_to("make directory", &folder))?;
    let kept = folder.join(name);
    fs::rename(path, &kept).map_err(failed_to("move away", path))?;
    tracing::error!(
        id = name,
        path = %kept.display(),
        "kept a body that belongs to no message: its message may be lost with what is damaged"
    );
    Ok(())
}
