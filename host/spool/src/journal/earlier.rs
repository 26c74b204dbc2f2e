//! Reader of the first journal format: without a first page, without record numbers, and without a
//! note of how far it was synced. An upgraded store reads it once.
//!
//! A record is its length and a checksum (4 octets each), its position (8), and the payload; the
//! checksum begins with the generation's id. A stretch that is not whole is damage if a record
//! follows that begins a page, as only a later batch does; otherwise the loss of power may have cut
//! it.

use std::{io, path::Path};

use super::{
    format::PAGE,
    ring::{GenerationId, MAX_FILE},
    scan::{self, Fault, Scan},
};

const HEADER: usize = 16;

/// Reads the records from `tail` on.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn scan(path: &Path, id: GenerationId, tail: u64) -> io::Result<Scan> {
    let missing = |fault| Scan {
        records: Vec::new(),
        faults: vec![fault],
    };
    let mut ring = match scan::read(path, MAX_FILE)? {
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
        let Some(payload) = record(&ring[at..], id, position) else {
            at += 1;
            continue;
        };
        // Padding goes to the end of a page, so whole pages in between held records.
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

fn record(octets: &[u8], id: GenerationId, position: u64) -> Option<&[u8]> {
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
    checksum.update(&id.to_le_bytes());
    checksum.update(&position.to_le_bytes());
    checksum.update(payload);
    (checksum.finalize() == u32::from_le_bytes(*sum)).then_some(payload)
}
