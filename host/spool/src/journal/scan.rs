//! Reading back what an earlier life of the file has left, and telling damage from what the loss
//! of power has cut.
//!
//! A client gets its 250 after a sync. So whatever stands before a place up to which the ring was
//! synced must be there, and is damaged where it is not; behind the last such place anything may be
//! missing, and nobody was told that it is there. Where that place is, three can say, and the
//! furthest is right: the database (up to where it has taken everything over), each record (up to
//! where the ring was synced when it was written), and the file beside the journal (after each
//! sync; as it is never synced itself, a loss of power may leave an older one). Only after a loss
//! of power can what was acknowledged be missing without a word: what was in the very last batch,
//! and is damaged besides.
//!
//! A record is found wherever it stands: all begin with the salt of their life, say their position
//! and carry a checksum. So those behind a damaged stretch are read as if nothing had happened, and
//! by their numbers it is known how many are missing.

use std::{
    io::{self, ErrorKind, Read as _},
    path::Path,
};

use gatepost_files::FileError;
use memchr::memmem::Finder;

use super::{
    format::{self, Extent, Generation, Header, PAGE},
    ring::{LONGEST, Paths},
};

/// What is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no file.
    #[error("the file is missing")]
    Missing,
    /// Something else is there.
    #[error("it {0}")]
    NotRegular(String),
    /// The file is shorter than it was made.
    #[error("the file has {found} octets of {expected}")]
    Short {
        /// Octets that it has.
        found: u64,
        /// Octets that it was made with.
        expected: u64,
    },
    /// It does not begin as it was made.
    #[error("its first page is not the one that this store wrote")]
    FirstPage,
    /// Records that were synced, and so acknowledged or soon to be, are not there.
    #[error("{} lost at position {from}{}", count(*.records), until(*.to))]
    Lost {
        /// How many, where that can be told.
        records: Option<u64>,
        /// Where in the ring they stood.
        from: u64,
        /// Where the next one that is whole stands.
        to: Option<u64>,
    },
    /// A record is whole, and says nothing that can be understood.
    #[error("the record at position {position} cannot be understood: {why}")]
    Unreadable {
        /// Where it stands.
        position: u64,
        /// What the decoder said.
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

/// What a journal holds.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Payloads by position, in the order in which they were written.
    pub(crate) records: Vec<(u64, Vec<u8>)>,
    pub(crate) faults: Vec<Fault>,
}

/// Reads the records of a generation from `tail` on, where one begins or will.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn scan(paths: &Paths, generation: Generation, tail: u64) -> io::Result<Scan> {
    // The mark first: beside a relay that writes, it is not ahead of what is read then.
    let mark = read_mark(&paths.mark);
    let mark = mark.and_then(|octets| format::read_mark(&octets, generation.salt));
    if !(PAGE..LONGEST).contains(&generation.length) {
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
    // From `tail` on without an end in the midst.
    let mut ring = file.split_off(PAGE as usize);
    ring.rotate_left((tail % generation.length) as usize);
    let found = find(&ring, generation, tail);
    let synced = found.iter().map(|(header, _)| header.synced).chain(mark);
    let synced = synced
        .max_by_key(|extent| extent.number)
        .unwrap_or_default();
    faults.extend(lost(&found, synced, tail));
    let payload = |(header, payload): (Header, &[u8])| (header.at.position, payload.to_vec());
    Ok(Scan {
        records: found.into_iter().map(payload).collect(),
        faults,
    })
}

/// What stands beside a journal; `None` if nothing can be read there. It says less without, and
/// what it says is not needed to read what is there.
pub(super) fn read_mark(path: &Path) -> Option<Vec<u8>> {
    gatepost_files::read(path, PAGE).ok()
}

/// The first octets of a journal, up to so many.
///
/// # Errors
/// The system does not give it.
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

/// Every whole record, in the order of their positions.
fn find(ring: &[u8], generation: Generation, tail: u64) -> Vec<(Header, &[u8])> {
    let salt = generation.salt.to_le_bytes();
    let finder = Finder::new(&salt);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = finder.find(&ring[from..]) {
        let at = from + at;
        match Header::read(&ring[at..], generation.salt, tail + at as u64) {
            Some((header, payload)) => {
                from = at + format::HEADER + payload.len();
                found.push((header, payload));
            }
            None => from = at + 1,
        }
    }
    found
}

/// The stretches in which records are missing that stood before what was synced.
fn lost(found: &[(Header, &[u8])], synced: Extent, tail: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    let first = found.first().map(|(header, _)| header.at);
    // A record begins at `tail` where anything was written behind it.
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
