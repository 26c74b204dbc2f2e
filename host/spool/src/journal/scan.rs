//! Recovery of an earlier generation's records; tells damage from records that a loss of power has
//! cut.
//!
//! A client gets its 250 after a sync. So every record before a synced point must be there, and is
//! damaged if it is not. Behind the last synced point anything may be missing, since no client was
//! told that it is stored. Three sources name a synced point, and the furthest counts: the database
//! (how far checkpoints have come), each record (how far the ring was synced when it was written),
//! and the mark file (after each sync; as it is never synced itself, a loss of power may leave an
//! older one). So acknowledged mail can be missing without a report only after a loss of power, and
//! only if it was in the very last batch and is damaged besides.
//!
//! Every record begins with the id of its generation, its position and a checksum, so it is found
//! wherever it is. Records behind a damaged stretch are read as usual, and the record numbers tell
//! how many are missing.

use std::{
    io::{self, ErrorKind, Read as _},
    path::Path,
};

use gatepost_files::FileError;
use memchr::memmem::Finder;

use super::{
    format::{self, Generation, Header, PAGE, RingPoint},
    ring::{MAX_FILE, Paths},
};

/// A fault of a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file is missing.
    #[error("the file is missing")]
    Missing,
    /// The path is not a regular file.
    #[error("it {0}")]
    NotRegular(String),
    /// The file is shorter than it was made.
    #[error("the file has {found} octets of {expected}")]
    Short {
        /// Octets that the file has.
        found: u64,
        /// Octets that the file was made with.
        expected: u64,
    },
    /// The first page is not the one that was written.
    #[error("its first page is not the one that this store wrote")]
    FirstPage,
    /// Records that were synced, and so may have been acknowledged, are missing.
    #[error("{} lost at position {from}{}", count(*.records), until(*.to))]
    Lost {
        /// Number of records, if it can be told.
        records: Option<u64>,
        /// Position in the ring where they were.
        from: u64,
        /// Position of the next whole record.
        to: Option<u64>,
    },
    /// A record is whole, but cannot be decoded.
    #[error("the record at position {position} cannot be understood: {why}")]
    Unreadable {
        /// Position of the record.
        position: u64,
        /// Error of the decoder.
        why: String,
    },
}

fn count(records: Option<u64>) -> String {
    match records {
        Some(1) => "1 record is".to_owned(),
        Some(records) => format!("{records} records are"),
        None => "records are".to_owned(),
    }
}

fn until(position: Option<u64>) -> String {
    position.map_or_else(String::new, |position| {
        format!("; the next whole one is at {position}")
    })
}

/// Records and faults found in a journal.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Payloads by position, in the order in which they were written.
    pub(crate) records: Vec<(u64, Vec<u8>)>,
    pub(crate) faults: Vec<Fault>,
}

/// Reads the records of a generation from `tail` on, which is where a record begins or will begin.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn scan(paths: &Paths, generation: Generation, tail: u64) -> io::Result<Scan> {
    // The mark is read first: a running relay's mark is not ahead of what is read then.
    let mark = read_mark(&paths.mark);
    let mark = mark.and_then(|octets| format::read_mark(&octets, generation.id));
    if !(PAGE..MAX_FILE).contains(&generation.length) {
        return Ok(Scan {
            records: Vec::new(),
            faults: vec![Fault::FirstPage],
        });
    }
    let expected = PAGE + generation.length;
    let mut file = match read(&paths.journal, expected)? {
        Ok(file) => file,
        Err(fault) => {
            return Ok(Scan {
                records: Vec::new(),
                faults: vec![fault],
            });
        }
    };
    let mut faults = Vec::new();
    if (file.len() as u64) < expected {
        faults.push(Fault::Short {
            found: file.len() as u64,
            expected,
        });
    }
    if !format::begins(&file, generation) {
        faults.push(Fault::FirstPage);
    }
    file.resize(expected as usize, 0);
    // Rotated so that the records from `tail` on are in one piece.
    let mut ring = file.split_off(PAGE as usize);
    ring.rotate_left((tail % generation.length) as usize);
    let found = find(&ring, generation, tail);
    let synced = found.iter().map(|(header, _)| header.synced).chain(mark);
    let synced = synced.max_by_key(|point| point.number).unwrap_or_default();
    faults.extend(lost(&found, synced, tail));
    let payload = |(header, payload): (Header, &[u8])| (header.at.position, payload.to_vec());
    Ok(Scan {
        records: found.into_iter().map(payload).collect(),
        faults,
    })
}

/// Reads the mark file; `None` if it cannot be read. The records can be read without it.
pub(super) fn read_mark(path: &Path) -> Option<Vec<u8>> {
    gatepost_files::read(path, PAGE).ok()
}

/// Reads the first octets of a journal, up to `most`.
///
/// # Errors
/// If the system cannot read it.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Result<Vec<u8>, Fault>> {
    let file = match gatepost_files::open(path) {
        Ok(file) => file,
        Err(FileError::Io(error)) if error.kind() == ErrorKind::NotFound => {
            return Ok(Err(Fault::Missing));
        }
        Err(error @ FileError::NotRegular(_)) => {
            let said = error.to_string();
            let said = said.strip_prefix("it ").unwrap_or(&said);
            return Ok(Err(Fault::NotRegular(said.to_owned())));
        }
        Err(error) => return Err(error.into()),
    };
    let mut octets = Vec::new();
    file.take(most).read_to_end(&mut octets)?;
    Ok(Ok(octets))
}

/// Returns every whole record, in the order of their positions.
fn find(ring: &[u8], generation: Generation, tail: u64) -> Vec<(Header, &[u8])> {
    let id = generation.id.to_le_bytes();
    let finder = Finder::new(&id);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = finder.find(&ring[from..]) {
        let at = from + at;
        match Header::read(&ring[at..], generation.id, tail + at as u64) {
            Some((header, payload)) => {
                from = at + format::HEADER + payload.len();
                found.push((header, payload));
            }
            None => from = at + 1,
        }
    }
    found
}

/// Returns the stretches before the synced point in which records are missing.
fn lost(found: &[(Header, &[u8])], synced: RingPoint, tail: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    let first = found.first().map(|(header, _)| header.at);
    // If anything was written behind `tail`, a record begins there.
    if first.is_none_or(|first| first.position != tail) && tail < synced.position {
        faults.push(Fault::Lost {
            records: None,
            from: tail,
            to: first.map(|first| first.position),
        });
    }
    for (index, (header, payload)) in found.iter().enumerate() {
        let next = found.get(index + 1).map(|(next, _)| next.at);
        let due = header.at.number + 1;
        let present = next.map_or(synced.number, |next| next.number.min(synced.number));
        if due < present {
            faults.push(Fault::Lost {
                records: Some(present - due),
                from: header.at.position + (format::HEADER + payload.len()) as u64,
                to: next.map(|next| next.position),
            });
        }
    }
    faults
}
