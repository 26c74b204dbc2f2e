//! Octets of the journal's file: its first page, and the header of each record.
//!
//! The first page says what the file is: which [generation](Generation) of which length. Behind it
//! lies the ring. All numbers are little-endian.

use super::ring::Salt;

/// Of the disk and of the kernel's memory for files.
pub(super) const PAGE: u64 = 4096;

/// Octets of a record before its payload: salt (8), length of the payload (4), checksum (4),
/// position (8), number (8), and up to where everything had been synced: position (8), number (8).
pub(super) const HEADER: usize = 48;

/// What the file begins with.
const MAGIC: &[u8; 16] = b"gatepost journal";

/// The version of this form. The first one, which had no first page, is read by
/// [`super::earlier`].
const FORM: u32 = 2;

/// Octets of the first page that say something: magic (16), form (4), checksum (4), salt (8),
/// length of the ring (8).
const FIRST: usize = 40;

/// A place in the ring: the position, and the number of the record that stands there or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extent {
    pub(super) position: u64,
    pub(super) number: u64,
}

/// One life of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation {
    /// New for each: what an earlier one left behind is told by it.
    pub(crate) salt: Salt,
    /// Octets of the ring.
    pub(crate) length: u64,
}

/// The first page of a file.
pub(super) fn first_page(generation: Generation) -> Vec<u8> {
    let mut page = Vec::with_capacity(PAGE as usize);
    page.extend_from_slice(MAGIC);
    page.extend_from_slice(&FORM.to_le_bytes());
    let mut rest = generation.salt.to_le_bytes().to_vec();
    rest.extend_from_slice(&generation.length.to_le_bytes());
    page.extend_from_slice(&crc32fast::hash(&rest).to_le_bytes());
    page.extend_from_slice(&rest);
    page.resize(PAGE as usize, 0);
    page
}

/// Whether a file begins as one of this generation does.
pub(super) fn begins(file: &[u8], generation: Generation) -> bool {
    file.get(..FIRST) == Some(&first_page(generation)[..FIRST])
}

/// What stands in a record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) at: Extent,
    /// Everything before had been synced when this was written.
    pub(super) synced: Extent,
}

impl Header {
    /// The octets for a payload.
    pub(super) fn encode(&self, salt: Salt, payload: &[u8]) -> [u8; HEADER] {
        let mut octets = [0; HEADER];
        let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
        put(0, &salt.to_le_bytes());
        put(8, &(payload.len() as u32).to_le_bytes());
        put(16, &self.at.position.to_le_bytes());
        put(24, &self.at.number.to_le_bytes());
        put(32, &self.synced.position.to_le_bytes());
        put(40, &self.synced.number.to_le_bytes());
        let checksum = checksum(&octets, payload);
        octets[12..16].copy_from_slice(&checksum.to_le_bytes());
        octets
    }

    /// The record at the beginning of `octets`, which stand at that position of the ring, and its
    /// payload; `None` if there is no whole one.
    pub(super) fn read(octets: &[u8], salt: Salt, position: u64) -> Option<(Self, &[u8])> {
        let header = octets.first_chunk::<HEADER>()?;
        // The cheap questions first: an earlier lap leaves headers, too.
        if number(header, 0) != salt || number(header, 16) != position {
            return None;
        }
        let length = u32::from_le_bytes(*header[8..].first_chunk()?) as usize;
        let said = u32::from_le_bytes(*header[12..].first_chunk()?);
        let payload = octets.get(HEADER..HEADER.checked_add(length)?)?;
        let extent = |at| Extent {
            position: number(header, at),
            number: number(header, at + 8),
        };
        let header_read = Self {
            at: extent(16),
            synced: extent(32),
        };
        (checksum(header, payload) == said).then_some((header_read, payload))
    }
}

/// Of everything but the checksum itself.
fn checksum(header: &[u8; HEADER], payload: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&header[..12]);
    checksum.update(&header[16..]);
    checksum.update(payload);
    checksum.finalize()
}

/// Octets of a [`mark`].
pub(super) const MARK: usize = 28;

/// Up to where a generation is synced, as it stands in the file beside the journal.
pub(super) fn mark(salt: Salt, synced: Extent) -> [u8; MARK] {
    let mut octets = [0; MARK];
    octets[..8].copy_from_slice(&salt.to_le_bytes());
    octets[8..16].copy_from_slice(&synced.position.to_le_bytes());
    octets[16..24].copy_from_slice(&synced.number.to_le_bytes());
    let checksum = crc32fast::hash(&octets[..24]);
    octets[24..].copy_from_slice(&checksum.to_le_bytes());
    octets
}

/// What a mark says of this generation; `None` if it is none, or another's.
pub(super) fn read_mark(octets: &[u8], salt: Salt) -> Option<Extent> {
    let synced = Extent {
        position: number(octets.get(..MARK)?, 8),
        number: number(octets, 16),
    };
    (octets[..MARK] == mark(salt, synced)).then_some(synced)
}

/// Where in the file beside the journal it stands how far the database has come.
pub(super) const COMMITS_AT: usize = 32;

/// Octets of it: salt, the three numbers, and a checksum.
const COMMITS: usize = 36;

/// How far a database has come in a generation, counted in its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Commits {
    /// That are in its log, or were.
    pub(crate) made: u64,
    /// Up to where the log was being written to the database.
    pub(crate) begun: u64,
    /// Up to where it has been, durably.
    pub(crate) written: u64,
}

/// How far the database has come, as it stands in the file beside the journal.
pub(super) fn commits(salt: Salt, count: Commits) -> [u8; COMMITS] {
    let mut octets = [0; COMMITS];
    octets[..8].copy_from_slice(&salt.to_le_bytes());
    octets[8..16].copy_from_slice(&count.made.to_le_bytes());
    octets[16..24].copy_from_slice(&count.begun.to_le_bytes());
    octets[24..32].copy_from_slice(&count.written.to_le_bytes());
    let checksum = crc32fast::hash(&octets[..32]);
    octets[32..].copy_from_slice(&checksum.to_le_bytes());
    octets
}

/// What the file beside the journal says of that for this generation; `None` where it says nothing,
/// or something of another's.
pub(super) fn read_commits(file: &[u8], salt: Salt) -> Option<Commits> {
    let octets = file.get(COMMITS_AT..COMMITS_AT + COMMITS)?;
    let count = Commits {
        made: number(octets, 8),
        begun: number(octets, 16),
        written: number(octets, 24),
    };
    (octets == commits(salt, count)).then_some(count)
}

/// Whether a mark, of whatever generation, tells of anything that was written.
pub(super) fn tells_of_mail(file: &[u8]) -> bool {
    let Some(salt) = file.get(..8) else {
        return false;
    };
    let salt = number(salt, 0);
    let synced = read_mark(file, salt).is_some_and(|synced| synced.position > 0);
    synced || read_commits(file, salt).is_some_and(|count| count.made > 0)
}

fn number(octets: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&octets[at..at + 8]);
    u64::from_le_bytes(number)
}
