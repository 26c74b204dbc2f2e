//! Reading of a record, while the relay writes it or after.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_message::{Millis, TransactionId};
use ring::hmac;

use crate::body::MissingBody;
use crate::entry::RecordedEntry;
use crate::segment::{Segment, files};

/// A record, to be read.
#[derive(Debug, Clone)]
pub struct RecordReader {
    files: Vec<PathBuf>,
    key: hmac::Key,
}

impl RecordReader {
    /// Finds the files with entries since a time; there are none if there is no record.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn since(folder: &Path, key: hmac::Key, since: Millis) -> io::Result<Self> {
        let all = match files(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            found => found?,
        };
        let mut ends = all.iter().skip(1).map(|(begin, _)| *begin);
        let files = all
            .iter()
            .filter(|_| ends.next().is_none_or(|end| end > since));
        let files = files.map(|(_, path)| path.clone()).collect();
        Ok(Self { files, key })
    }

    /// Returns the files, oldest first.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Reads one of the files. A file that was removed meanwhile, because it was too old, has no
    /// entries any more: `None`.
    ///
    /// # Errors
    /// It cannot be read, or is no file of a record.
    pub fn read(&self, file: &Path) -> io::Result<Option<Segment>> {
        match Segment::read(file, &self.key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Finds the entries of one transaction. Reads everything.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn find(
        &self,
        id: TransactionId,
    ) -> io::Result<Vec<(RecordedEntry, Option<Arc<MissingBody>>)>> {
        let mut found = Vec::new();
        for file in &self.files {
            let Some(segment) = self.read(file)? else {
                continue;
            };
            let entries = (0..segment.len()).filter_map(|at| segment.entry(at));
            found.extend(entries.filter(|(recorded, _)| recorded.entry.id() == id));
        }
        Ok(found)
    }
}
