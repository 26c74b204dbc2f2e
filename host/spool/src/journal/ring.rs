//! A file of fixed length that is written round and round.
//!
//! Each record has a position, counted in octets from the first that was ever written; in the file
//! it stands at its position modulo the file's length. What is written at a time begins at a page,
//! so that a page that has been synced is never written again while it counts. A record says its
//! position and carries a checksum that begins with the salt of this life of the file: what an
//! earlier lap or an earlier life has left behind is told from what follows, and so is a record
//! that the loss of power has cut.

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

/// Of the disk and of the kernel's memory for files.
const PAGE: u64 = 4096;

/// Length and checksum of a record (little-endian, 4 octets each), and its position (8).
const HEADER: usize = 16;

/// What begins the checksums of one life of the file.
pub(crate) type Salt = u64;

/// The file, and what is to be written next.
#[derive(Debug)]
pub(crate) struct Ring {
    file: File,
    length: u64,
    salt: Salt,
    /// Everything before may be written over.
    tail: u64,
    /// Where `next` goes.
    head: u64,
    next: Vec<u8>,
}

impl Ring {
    /// Makes the file and sets its room aside, so that no write to it finds the disk full. What
    /// an earlier life has left there counts no more. The directory is for the caller to sync.
    ///
    /// # Errors
    /// If the file system has no room, or cannot set it aside.
    pub(crate) fn create(path: &Path, length: u64, salt: Salt) -> io::Result<Self> {
        let length = length / PAGE * PAGE;
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        file.set_len(length)?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, length)?;
        file.sync_all()?;
        Ok(Self {
            file,
            length,
            salt,
            tail: 0,
            head: 0,
            next: Vec::new(),
        })
    }

    /// Adds a record that `write` fills, and gives its position; `None` if there is no room for
    /// so many octets.
    pub(crate) fn append(
        &mut self,
        octets: usize,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<Option<u64>> {
        let free = self.length - (self.head - self.tail) - self.next.len() as u64;
        if (octets + HEADER) as u64 + PAGE > free {
            return Ok(None);
        }
        let start = self.next.len();
        let position = self.end();
        self.next.extend_from_slice(&[0; HEADER]);
        if let Err(error) = write(&mut self.next) {
            self.next.truncate(start);
            return Err(error);
        }
        let payload = &self.next[start + HEADER..];
        debug_assert!(payload.len() <= octets, "more than was asked for");
        let length = payload.len() as u32;
        let checksum = checksum(self.salt, position, payload);
        let header = &mut self.next[start..start + HEADER];
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..8].copy_from_slice(&checksum.to_le_bytes());
        header[8..].copy_from_slice(&position.to_le_bytes());
        Ok(Some(position))
    }

    /// Writes what was added. It survives the process then, but not yet the loss of power.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let whole = (self.next.len() as u64).next_multiple_of(PAGE) as usize;
        self.next.resize(whole, 0);
        let at = self.head % self.length;
        let (here, around) = self.next.split_at(whole.min((self.length - at) as usize));
        self.file.write_all_at(here, at)?;
        self.file.write_all_at(around, 0)?;
        self.head += whole as u64;
        self.next.clear();
        Ok(())
    }

    /// Makes everything written so far durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// From here on: the end of what was added.
    pub(crate) fn end(&self) -> u64 {
        self.head + self.next.len() as u64
    }

    /// Everything before may be written over from now on.
    pub(crate) fn free_before(&mut self, position: u64) {
        self.tail = position;
    }

    /// Where what counts begins.
    pub(crate) fn tail(&self) -> u64 {
        self.tail
    }

    /// Octets of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

/// The records from `tail` on, each with its position, as they were written by the life of `salt`.
pub(crate) fn read(path: &Path, salt: Salt, tail: u64) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let file = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let mut records = Vec::new();
    let mut position = tail;
    while position - tail < file.len() as u64 {
        if let Some(payload) = record(&file, salt, position) {
            let next = position + (HEADER + payload.len()) as u64;
            records.push((position, payload));
            position = next;
        } else if !position.is_multiple_of(PAGE) {
            // What was written at another time begins at a page.
            position = position.next_multiple_of(PAGE);
        } else {
            break;
        }
    }
    Ok(records)
}

/// The record at that position, if one is there and whole.
fn record(file: &[u8], salt: Salt, position: u64) -> Option<Vec<u8>> {
    let header = part(file, position, HEADER)?;
    let (length, rest) = header.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (said, _) = rest.split_first_chunk()?;
    if u64::from_le_bytes(*said) != position {
        return None;
    }
    let length = u32::from_le_bytes(*length) as usize;
    let payload = part(file, position + HEADER as u64, length)?;
    (checksum(salt, position, &payload) == u32::from_le_bytes(*sum)).then_some(payload)
}

/// So many octets at that position, around the end of the file.
fn part(file: &[u8], position: u64, length: usize) -> Option<Vec<u8>> {
    if length > file.len() {
        return None;
    }
    let at = (position % file.len() as u64) as usize;
    let here = &file[at..file.len().min(at + length)];
    let around = &file[..length - here.len()];
    Some([here, around].concat())
}

fn checksum(salt: Salt, position: u64, payload: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&salt.to_le_bytes());
    checksum.update(&position.to_le_bytes());
    checksum.update(payload);
    checksum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: u64 = 8 * PAGE;

    fn add(ring: &mut Ring, payload: &[u8]) -> Option<u64> {
        let write = |next: &mut Vec<u8>| {
            next.extend_from_slice(payload);
            Ok(())
        };
        ring.append(payload.len(), write).unwrap()
    }

    #[test]
    fn what_was_written_is_read_back_over_many_laps() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut ring = Ring::create(&path, LENGTH, 7).unwrap();
        let mut tail = 0;
        for round in 0..100_u8 {
            let records: Vec<_> = (1..=3_u8)
                .map(|n| vec![round; usize::from(n) * 900])
                .collect();
            let positions: Vec<_> = records.iter().map(|r| add(&mut ring, r).unwrap()).collect();
            ring.write().unwrap();
            let written: Vec<_> = positions.iter().copied().zip(records).collect();
            assert_eq!(read(&path, 7, positions[0]).unwrap(), written);
            assert!(read(&path, 7, tail).unwrap().ends_with(&written));
            tail = positions[0];
            ring.free_before(tail);
        }
    }

    #[test]
    fn nothing_that_counts_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut ring = Ring::create(&path, LENGTH, 7).unwrap();
        let mut taken = 0;
        while add(&mut ring, &[9; 3000]).is_some() {
            ring.write().unwrap();
            taken += 1;
        }
        assert_eq!(read(&path, 7, 0).unwrap().len(), taken);
        ring.free_before(PAGE);
        assert!(add(&mut ring, &[9; 3000]).is_some());
    }

    #[test]
    fn an_earlier_life_and_a_cut_record_are_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut ring = Ring::create(&path, LENGTH, 7).unwrap();
        for octet in 0..3 {
            add(&mut ring, &[octet; 100]);
        }
        ring.write().unwrap();
        assert!(read(&path, 8, 0).unwrap().is_empty());
        let mut octets = std::fs::read(&path).unwrap();
        octets[116 + HEADER + 50] ^= 1;
        std::fs::write(&path, octets).unwrap();
        assert_eq!(read(&path, 7, 0).unwrap(), [(0, vec![0; 100])]);
    }
}
