//! Reading a journal of the first form: without a first page, without numbers, and without a word
//! of how far it was synced. An upgraded store has one, once.
//!
//! A record is its length and a checksum (4 octets each), its position (8), and the payload; the
//! checksum begins with the salt. A stretch that is not whole is damage where a record follows that
//! begins a page, as only a later batch does; else the loss of power may have cut it.

use std::{io, path::Path};

use super::{
    format::PAGE,
    ring::{LONGEST, Salt},
    scan::{self, Fault, Scan},
};

const HEADER: usize = 16;

/// Reads the records from `tail` on.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn scan(path: &Path, salt: Salt, tail: u64) -> io::Result<Scan> {
    let missing = |fault| Scan {
        records: Vec::new(),
        faults: vec![fault],
    };
    let mut ring = match scan::read(path, LONGEST)? {
        Ok(file) => file,
        Err(fault) => return Ok(missing(fault)),
    };
    let length = ring.len() as u64;
    if length == 0 || !length.is_multiple_of(PAGE) {
        return Ok(missing(Fault::Short {
            found: length,
            expected: length.next_multiple_of(PAGE).max(PAGE),
        }));
    }
    ring.rotate_left((tail % length) as usize);
    let mut found = Scan::default();
    let mut end = 0;
    let mut at = 0;
    while at + HEADER <= ring.len() {
        let position = tail + at as u64;
        let Some(payload) = record(&ring[at..], salt, position) else {
            at += 1;
            continue;
        };
        // Padding goes to the end of a page: whole pages between are records that are not whole.
        let due = (tail + end as u64).next_multiple_of(PAGE);
        let whole = at == end || position == due;
        if !whole && position.is_multiple_of(PAGE) {
            found.faults.push(Fault::Lost {
                records: None,
                from: tail + end as u64,
                to: Some(position),
            });
        }
        found.records.push((position, payload.to_vec()));
        at += HEADER + payload.len();
        end = at;
    }
    Ok(found)
}

fn record(octets: &[u8], salt: Salt, position: u64) -> Option<&[u8]> {
    let header = octets.first_chunk::<HEADER>()?;
    let (length, rest) = header.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (said, _) = rest.split_first_chunk()?;
    if u64::from_le_bytes(*said) != position {
        return None;
    }
    let length = u32::from_le_bytes(*length) as usize;
    let payload = octets.get(HEADER..HEADER.checked_add(length)?)?;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&salt.to_le_bytes());
    checksum.update(&position.to_le_bytes());
    checksum.update(payload);
    (checksum.finalize() == u32::from_le_bytes(*sum)).then_some(payload)
}
