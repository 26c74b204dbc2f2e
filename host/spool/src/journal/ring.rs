//! A file of fixed length that is written round and round.
//!
//! Each record has a position, counted in octets from the first that was ever written; in the file
//! it stands at its position modulo the ring's length, behind the first page. What is written at a
//! time begins at a page, so that a page that has been synced is never written again while it
//! counts. Records are numbered, and each says up to where the ring had been synced when it was
//! written; the file beside the journal says the same after each sync. By that a reader tells what
//! is damaged from what the loss of power has cut, which nobody was told of (see
//! [`scan`](super::scan)).

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::format::{self, Commits, Extent, Generation, HEADER, Header, PAGE};

/// What the records of one life of the file begin with.
pub(crate) type Salt = u64;

/// More octets than any journal has: one that is longer was not written by us.
pub(super) const LONGEST: u64 = 1 << 28;

/// The fewest pages of a ring: with less no message has room.
const LEAST: u64 = 4;

/// Where a journal lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    pub(crate) journal: PathBuf,
    /// The file that says how far the journal is synced. It is never synced itself: it costs a
    /// commit nothing but a write to the kernel's memory, and survives the process.
    pub(crate) mark: PathBuf,
}

/// The file, and what is to be written next.
#[derive(Debug)]
pub(crate) struct Ring {
    file: File,
    mark: File,
    generation: Generation,
    /// Everything before may be written over.
    tail: u64,
    /// Where `next` goes.
    head: u64,
    next: Vec<u8>,
    /// Of the next record.
    number: u64,
    /// Everything before is in the file.
    written: Extent,
    /// Everything before is on the disk.
    synced: Extent,
    /// Whether it has been said that the mark cannot be written.
    said: bool,
}

impl Ring {
    /// Makes the file and sets its room aside, so that no write to it finds the disk full. What
    /// an earlier life has left there counts no more; a file that is kept under another name, too,
    /// stays as it is. The directory is for the caller to sync.
    ///
    /// # Errors
    /// If the file system has no room, or cannot set it aside.
    pub(crate) fn create(paths: &Paths, length: u64, salt: Salt) -> io::Result<Self> {
        let length = (length.min(LONGEST) / PAGE).saturating_sub(1) * PAGE;
        if length < LEAST * PAGE {
            return Err(io::Error::other("too little room is allowed for it"));
        }
        let generation = Generation { salt, length };
        let file = open(&paths.journal)?;
        file.set_len(PAGE + length)?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, PAGE + length)?;
        file.write_all_at(&format::first_page(generation), 0)?;
        file.sync_all()?;
        let mark = open(&paths.mark)?;
        mark.write_all_at(&format::mark(salt, Extent::default()), 0)?;
        mark.write_all_at(
            &format::commits(salt, Commits::default()),
            format::COMMITS_AT as u64,
        )?;
        mark.sync_all()?;
        Ok(Self {
            file,
            mark,
            generation,
            tail: 0,
            head: 0,
            next: Vec::new(),
            number: 0,
            written: Extent::default(),
            synced: Extent::default(),
            said: false,
        })
    }

    /// Adds a record that `write` fills, and gives its position; `None` if there is no room for
    /// so many octets.
    pub(crate) fn append(
        &mut self,
        octets: usize,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<Option<u64>> {
        let free = self.length() - (self.head - self.tail) - self.next.len() as u64;
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
        let header = Header {
            at: Extent {
                position,
                number: self.number,
            },
            synced: self.synced,
        };
        let header = header.encode(self.generation.salt, payload);
        self.next[start..start + HEADER].copy_from_slice(&header);
        self.number += 1;
        Ok(Some(position))
    }

    /// Writes what was added. It survives the process then, but not yet the loss of power.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let whole = (self.next.len() as u64).next_multiple_of(PAGE) as usize;
        self.next.resize(whole, 0);
        let at = self.head % self.length();
        let (here, around) = (self.next).split_at(whole.min((self.length() - at) as usize));
        self.file.write_all_at(here, PAGE + at)?;
        self.file.write_all_at(around, PAGE)?;
        self.head += whole as u64;
        self.next.clear();
        self.written = Extent {
            position: self.head,
            number: self.number,
        };
        Ok(())
    }

    /// Makes everything written so far durable, and says so in the file beside it.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.synced = self.written;
        self.note(&format::mark(self.generation.salt, self.synced), 0);
        Ok(())
    }

    /// Says in the file beside it how far the database has come.
    pub(crate) fn note_commits(&mut self, count: Commits) {
        let commits = format::commits(self.generation.salt, count);
        self.note(&commits, format::COMMITS_AT);
    }

    fn note(&mut self, octets: &[u8], at: usize) {
        if let Err(error) = self.mark.write_all_at(octets, at as u64)
            && !self.said
        {
            // Nothing is lost by that: it only tells damage from a loss of power.
            self.said = true;
            tracing::warn!(%error, "cannot note how far the spool's journal is synced");
        }
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

    /// Octets of the ring.
    pub(crate) fn length(&self) -> u64 {
        self.generation.length
    }

    /// What its file is known by.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }
}

/// Opens a file for writing, its owner's alone; a new one where it is kept under another name. What
/// is no file is moved away.
fn open(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(file) if !file.is_file() => {
            let kept = gatepost_files::move_away(path)?;
            let (path, kept) = (path.display(), kept.display());
            tracing::error!(%path, %kept, "this was no file of the spool's and was moved away");
        }
        Ok(file) if file.nlink() > 1 => fs::remove_file(path)?,
        _ => {}
    }
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    Ok(gatepost_files::open_with(options.mode(0o600), path)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::scan::{Fault, Scan, scan};

    const LENGTH: u64 = 9 * PAGE;

    fn paths(directory: &tempfile::TempDir) -> Paths {
        Paths {
            journal: directory.path().join("journal"),
            mark: directory.path().join("journal.synced"),
        }
    }

    fn add(ring: &mut Ring, payload: &[u8]) -> Option<u64> {
        let write = |next: &mut Vec<u8>| {
            next.extend_from_slice(payload);
            Ok(())
        };
        ring.append(payload.len(), write).unwrap()
    }

    fn read(paths: &Paths, salt: Salt, tail: u64) -> Scan {
        let generation = Generation {
            salt,
            length: LENGTH - PAGE,
        };
        scan(paths, generation, tail).unwrap()
    }

    fn records(paths: &Paths, tail: u64) -> Vec<(u64, Vec<u8>)> {
        let scan = read(paths, 7, tail);
        assert_eq!(scan.faults, []);
        scan.records
    }

    #[test]
    fn what_was_written_is_read_back_over_many_laps() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut ring = Ring::create(&paths, LENGTH, 7).unwrap();
        let mut tail = 0;
        for round in 0..100_u8 {
            let payloads: Vec<_> = (1..=3_u8)
                .map(|n| vec![round; usize::from(n) * 900])
                .collect();
            let positions: Vec<_> = (payloads.iter())
                .map(|payload| add(&mut ring, payload).unwrap())
                .collect();
            ring.write().unwrap();
            ring.sync().unwrap();
            let written: Vec<_> = positions.iter().copied().zip(payloads).collect();
            assert_eq!(records(&paths, positions[0]), written);
            assert!(records(&paths, tail).ends_with(&written));
            tail = positions[0];
            ring.free_before(tail);
        }
    }

    #[test]
    fn nothing_that_counts_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut ring = Ring::create(&paths, LENGTH, 7).unwrap();
        let mut taken = 0;
        while add(&mut ring, &[9; 3000]).is_some() {
            ring.write().unwrap();
            taken += 1;
        }
        assert_eq!(records(&paths, 0).len(), taken);
        ring.free_before(PAGE);
        assert!(add(&mut ring, &[9; 3000]).is_some());
    }

    #[test]
    fn a_file_that_is_kept_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut ring = Ring::create(&paths, LENGTH, 7).unwrap();
        add(&mut ring, &[1; 100]);
        ring.write().unwrap();
        let kept = directory.path().join("kept");
        fs::hard_link(&paths.journal, &kept).unwrap();
        let before = fs::read(&kept).unwrap();
        Ring::create(&paths, LENGTH, 8).unwrap();
        assert_eq!(fs::read(&kept).unwrap(), before);
        assert_eq!(read(&paths, 8, 0).faults, []);
    }

    #[test]
    fn another_life_of_the_file_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut ring = Ring::create(&paths, LENGTH, 7).unwrap();
        add(&mut ring, &[1; 100]);
        ring.write().unwrap();
        let scan = read(&paths, 8, 0);
        assert!(scan.records.is_empty());
        assert_eq!(scan.faults, [Fault::FirstPage]);
    }

    #[test]
    fn a_ring_too_small_for_anything_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Ring::create(&paths(&directory), 2 * PAGE, 7).is_err());
    }
}
