//! The files of `incoming/` when a store is opened.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use gatepost_message::TransactionId;
use rusqlite::Connection;

use crate::{
    SpoolError,
    disk::{Disk, failed_to},
};

/// Whether a name is one that a body has.
pub(crate) fn is_name(name: &str) -> bool {
    name.parse::<TransactionId>().is_ok()
}

/// The messages whose body has a file.
pub(crate) fn wanted(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let mut select = connection.prepare("SELECT id FROM messages WHERE body_offset IS NOT NULL")?;
    select.query_map([], |row| row.get(0))?.collect()
}

/// Removes bodies that belong to no message: staged and never accepted, or finished and not yet
/// removed when the last relay ended. Where the journal is damaged, `keep` them: what is lost
/// there may be their message. Whatever else is there is nobody's to remove.
pub(super) fn tidy(connection: &Connection, disk: &Disk, keep: bool) -> Result<(), SpoolError> {
    let incoming = disk.incoming();
    let mut wanted = wanted(connection)?;
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
        if wanted.remove(name) {
            continue;
        }
        if keep {
            keep_body(disk, &path, name)?;
        } else {
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

fn keep_body(disk: &Disk, path: &Path, name: &str) -> Result<(), SpoolError> {
    let folder = disk.directory().join("incoming.damaged-kept");
    let mut private = DirBuilder::new();
    let made = private.recursive(true).mode(0o700).create(&folder);
    made.map_err(failed_to("make directory", &folder))?;
    let kept = folder.join(name);
    fs::rename(path, &kept).map_err(failed_to("move away", path))?;
    tracing::warn!(
        path = %kept.display(),
        "kept a body that belongs to no message: its message may be lost with the journal"
    );
    Ok(())
}
