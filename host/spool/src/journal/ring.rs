//! A file of fixed length that is written in a ring.
//!
//! Each record has a position, counted in octets from the first that was ever written; it is stored
//! at that position modulo the ring's length, behind the first page. Each write begins at a page,
//! so that a synced page is never written again while it counts. Records are numbered, and each
//! notes up to which point the ring had been synced when it was written; the mark file notes the
//! same after each sync. From these notes a reader tells damage from a record that a loss of power
//! has cut, which no client was told of (see [`scan`](super::scan)).

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::format::{self, CommitCounts, Generation, HEADER, Header, PAGE, RingPoint};

/// Id of a generation; each of its records begins with it.
pub(crate) type GenerationId = u64;

/// Longest file, in octets, that is read as a journal: we write none that is longer.
pub(super) const MAX_FILE: u64 = 1 << 28;

/// Least number of pages of a ring: with fewer, no message has room.
const MIN_PAGES: u64 = 4;

/// Paths of a journal and its mark file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    pub(crate) journal: PathBuf,
    /// Path of the mark file, which says how far the journal is synced. After its creation it is
    /// never synced: an update costs only a write to the kernel's memory, and survives the process.
    pub(crate) mark: PathBuf,
}

/// An open ring, and the records that are to be written next.
#[derive(Debug)]
pub(crate) struct Ring {
    file: File,
    mark: File,
    generation: Generation,
    /// Position before which the ring may be overwritten.
    tail: u64,
    /// Position at which `next` will be written.
    head: u64,
    next: Vec<u8>,
    /// Number of the next record.
    number: u64,
    /// Point before which everything is in the file.
    written: RingPoint,
    /// Point before which everything is on the disk.
    synced: RingPoint,
    /// True if it was logged that the mark file cannot be written.
    warned: bool,
}

impl Ring {
    /// Creates the file and allocates its space, so that no write to it finds the disk full.
    /// Records of an earlier generation do not count any more; a file that is also kept under
    /// another name is left unchanged. The caller syncs the directory.
    ///
    /// # Errors
    /// If the file system has no space, or cannot allocate it.
    pub(crate) fn create(paths: &Paths, length: u64, id: GenerationId) -> io::Result<Self> {
        let length = (length.min(MAX_FILE) / PAGE).saturating_sub(1) * PAGE;
        if length < MIN_PAGES * PAGE {
            return Err(io::Error::other("too little room is allowed for it"));
        }
        let generation = Generation { id, length };
        let file = open(&paths.journal)?;
        file.set_len(PAGE + length)?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, PAGE + length)?;
        file.write_all_at(&format::first_page(generation), 0)?;
        file.sync_all()?;
        let mark = open(&paths.mark)?;
        mark.write_all_at(&format::mark(id, RingPoint::default()), 0)?;
        mark.write_all_at(
            &format::commits(id, CommitCounts::default()),
            format::COMMIT_COUNTS_AT as u64,
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
            written: RingPoint::default(),
            synced: RingPoint::default(),
            warned: false,
        })
    }

    /// Appends a record that `write` fills, and returns its position; `None` if there is no room
    /// for so many octets.
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
            at: RingPoint {
                position,
                number: self.number,
            },
            synced: self.synced,
        };
        let header = header.encode(self.generation.id, payload);
        self.next[start..start + HEADER].copy_from_slice(&header);
        self.number += 1;
        Ok(Some(position))
    }

    /// Writes the appended records. They survive the end of the process then, but not yet a loss of
    /// power.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let whole = (self.next.len() as u64).next_multiple_of(PAGE) as usize;
        self.next.resize(whole, 0);
        let at = self.head % self.length();
        let (here, around) = (self.next).split_at(whole.min((self.length() - at) as usize));
        self.file.write_all_at(here, PAGE + at)?;
        self.file.write_all_at(around, PAGE)?;
        self.head += whole as u64;
        self.next.clear();
        self.written = RingPoint {
            position: self.head,
            number: self.number,
        };
        Ok(())
    }

    /// Makes everything written so far durable, and notes that in the mark file.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.synced = self.written;
        self.note(&format::mark(self.generation.id, self.synced), 0);
        Ok(())
    }

    /// Notes in the mark file how far the database has come.
    pub(crate) fn note_commits(&mut self, count: CommitCounts) {
        let commits = format::commits(self.generation.id, count);
        self.note(&commits, format::COMMIT_COUNTS_AT);
    }

    fn note(&mut self, octets: &[u8], at: usize) {
        if let Err(error) = self.mark.write_all_at(octets, at as u64)
            && !self.warned
        {
            // No mail is lost by that: the mark only helps to tell damage from a loss of power.
            self.warned = true;
            tracing::warn!(%error, "cannot note how far the spool's journal is synced");
        }
    }

    /// Returns the position after the last appended record.
    pub(crate) fn end(&self) -> u64 {
        self.head + self.next.len() as u64
    }

    /// Allows everything before a position to be overwritten.
    pub(crate) fn free_before(&mut self, position: u64) {
        self.tail = position;
    }

    /// Overwrites with zeros all that may be overwritten, durably. The records that count, and those
    /// that are not yet written, stay.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn overwrite_free(&mut self) -> io::Result<()> {
        /// Octets of one write.
        const CHUNK: u64 = 1 << 20;
        let zeros = vec![0; CHUNK as usize];
        // What counts begins within a page.
        let end = self.tail / PAGE * PAGE + self.length();
        let mut position = self.head;
        while position < end {
            let at = position % self.length();
            let octets = CHUNK.min(end - position).min(self.length() - at);
            self.file
                .write_all_at(&zeros[..octets as usize], PAGE + at)?;
            position += octets;
        }
        self.file.sync_data()
    }

    /// Returns the position of the first record that counts.
    pub(crate) fn tail(&self) -> u64 {
        self.tail
    }

    /// Returns the octets of the ring.
    pub(crate) fn length(&self) -> u64 {
        self.generation.length
    }

    /// Returns the generation of the file.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }
}

/// Opens a file for writing, readable for its owner only. Makes a new file if the old one is also
/// kept under another name. Moves away what is not a regular file.
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

    fn read(paths: &Paths, id: GenerationId, tail: u64) -> Scan {
        let generation = Generation {
            id,
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
    fn records_are_read_back_over_many_laps() {
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
    fn records_that_count_are_not_overwritten() {
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
    fn what_does_not_count_is_overwritten_and_the_rest_stays() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let mut ring = Ring::create(&paths, LENGTH, 7).unwrap();
        let holds = |word: &[u8]| {
            let file = fs::read(&paths.journal).unwrap();
            file.windows(word.len()).any(|part| part == word)
        };
        for lap in 0..5 {
            let gone = format!("gone {lap} {}", "x".repeat(3000));
            add(&mut ring, gone.as_bytes()).unwrap();
            ring.write().unwrap();
            let stays = format!("stays {lap} {}", "x".repeat(6000));
            let at = add(&mut ring, stays.as_bytes()).unwrap();
            ring.write().unwrap();
            ring.sync().unwrap();
            ring.free_before(at);
            assert!(holds(gone.as_bytes()));
            ring.overwrite_free().unwrap();
            assert!(!holds(format!("gone {lap}").as_bytes()));
            assert_eq!(records(&paths, at), [(at, stays.into_bytes())]);
        }
    }

    #[test]
    fn a_kept_file_is_not_overwritten() {
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
    fn records_of_another_generation_are_not_read() {
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
    fn a_ring_too_small_for_a_message_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Ring::create(&paths(&directory), 2 * PAGE, 7).is_err());
    }
}
