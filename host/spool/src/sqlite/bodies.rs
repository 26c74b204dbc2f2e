//! The files of `incoming/`: what they should be, and what becomes of them when a store is opened.

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

/// Where bodies that belong to no message are kept when something else is damaged.
pub(crate) const KEPT: &str = "incoming.damaged-kept";

/// Octets of a body that are read at a time.
const CHUNK: usize = 256 << 10;

/// What is known of the file of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Octets that it has.
    pub(crate) length: u64,
    /// CRC-32 of all of them; `None` where an earlier version wrote it.
    pub(crate) checksum: Option<u32>,
}

/// Whether a name is one that a body has.
pub(crate) fn is_name(name: &str) -> bool {
    name.parse::<TransactionId>().is_ok()
}

/// The messages whose body has a file, and what that should be.
pub(crate) fn wanted(connection: &Connection) -> rusqlite::Result<HashMap<String, Expected>> {
    let mut select = connection.prepare(
        "SELECT id, body_offset + size - ifnull(length(head), 0), body_checksum
         FROM messages LEFT JOIN contents ON message = number WHERE body_offset IS NOT NULL",
    )?;
    let rows = select.query_map([], |row| {
        let expected = Expected {
            length: to_u64(row.get(1)?),
            checksum: row.get(2)?,
        };
        Ok((row.get(0)?, expected))
    })?;
    rows.collect()
}

/// CRC-32 of a file.
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

/// Removes bodies that belong to no message: staged and never accepted, or finished and not yet
/// removed when the last relay ended. Where journal or database are damaged, `keep` them: what is
/// lost there may be their message. Whatever else is there is nobody's to remove. Gives the messages
/// whose body is missing or short.
pub(super) fn tidy(
    connection: &Connection,
    disk: &Disk,
    keep: bool,
) -> Result<Vec<DamagedBody>, SpoolError> {
    let incoming = disk.incoming();
    let mut wanted = wanted(connection)?;
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
        let Some(name) = name.to_str().filter(|name| kind.is_file() && is_name(name)) else {
            tracing::warn!(
                path = %path.display(),
                "this is no body of a message, and is left alone: move it out of incoming/"
            );
            continue;
        };
        if let Some(expected) = wanted.remove(name) {
            let found = entry.metadata().map_err(failed_to("look at", &path))?.len();
            if found < expected.length {
                note(name, expected.length, Some(found));
            }
        } else if keep {
            keep_body(disk, &path, name)?;
        } else {
            fs::remove_file(&path).map_err(failed_to("remove", &path))?;
            tracing::info!(path = %path.display(), "removed a body that belongs to no message");
        }
    }
    for (name, expected) in &wanted {
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

fn keep_body(disk: &Disk, path: &Path, name: &str) -> Result<(), SpoolError> {
    let folder = disk.directory().join(KEPT);
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
