//! Layout of the journal's file: its first page, the header of each record, and the mark file.
//!
//! The first page identifies the file: its [generation](Generation) and length. The ring follows.
//! All numbers are little-endian.

use super::ring::GenerationId;

/// Page size of the disk and of the kernel's page cache, in octets.
pub(super) const PAGE: u64 = 4096;

/// Octets of a record before its payload: generation id (8), length of the payload (4), checksum
/// (4), position (8), number (8), and the point up to which the ring had been synced: position (8),
/// number (8).
pub(super) const HEADER: usize = 48;

/// First octets of the file.
const MAGIC: &[u8; 16] = b"gatepost journal";

/// Version of this format. The first one, which had no first page, is read by [`super::earlier`].
const FORMAT: u32 = 2;

/// Used octets of the first page: magic (16), format (4), checksum (4), generation id (8), length
/// of the ring (8).
const FIRST_PAGE_USED: usize = 40;

/// A point in the ring: a position, and the number of the record there, written or to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RingPoint {
    pub(super) position: u64,
    pub(super) number: u64,
}

/// One life of the journal's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation {
    /// Id, new for each generation; it tells its records from older ones.
    pub(crate) id: GenerationId,
    /// Octets of the ring.
    pub(crate) length: u64,
}

/// Returns the first page of a file.
pub(super) fn first_page(generation: Generation) -> Vec<u8> {
    let mut page = Vec::with_capacity(PAGE as usize);
    page.extend_from_slice(MAGIC);
    page.extend_from_slice(&FORMAT.to_le_bytes());
    let mut rest = generation.id.to_le_bytes().to_vec();
    rest.extend_from_slice(&generation.length.to_le_bytes());
    page.extend_from_slice(&crc32fast::hash(&rest).to_le_bytes());
    page.extend_from_slice(&rest);
    page.resize(PAGE as usize, 0);
    page
}

/// Returns true if the file begins with the first page of this generation.
pub(super) fn begins(file: &[u8], generation: Generation) -> bool {
    file.get(..FIRST_PAGE_USED) == Some(&first_page(generation)[..FIRST_PAGE_USED])
}

/// Header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) at: RingPoint,
    /// Point before which everything had been synced when this was written.
    pub(super) synced: RingPoint,
}

impl Header {
    /// Encodes the header for a payload.
    pub(super) fn encode(&self, id: GenerationId, payload: &[u8]) -> [u8; HEADER] {
        let mut octets = [0; HEADER];
        let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
        put(0, &id.to_le_bytes());
        put(8, &(payload.len() as u32).to_le_bytes());
        put(16, &self.at.position.to_le_bytes());
        put(24, &self.at.number.to_le_bytes());
        put(32, &self.synced.position.to_le_bytes());
        put(40, &self.synced.number.to_le_bytes());
        let checksum = checksum(&octets, payload);
        octets[12..16].copy_from_slice(&checksum.to_le_bytes());
        octets
    }

    /// Reads the record at the start of `octets`, which is at `position` of the ring, with its
    /// payload; `None` if there is no whole one.
    pub(super) fn read(octets: &[u8], id: GenerationId, position: u64) -> Option<(Self, &[u8])> {
        let header = octets.first_chunk::<HEADER>()?;
        // The cheap checks come first: an earlier lap leaves headers, too.
        if number(header, 0) != id || number(header, 16) != position {
            return None;
        }
        let length = u32::from_le_bytes(*header[8..].first_chunk()?) as usize;
        let said = u32::from_le_bytes(*header[12..].first_chunk()?);
        let payload = octets.get(HEADER..HEADER.checked_add(length)?)?;
        let point = |at| RingPoint {
            position: number(header, at),
            number: number(header, at + 8),
        };
        let header_read = Self {
            at: point(16),
            synced: point(32),
        };
        (checksum(header, payload) == said).then_some((header_read, payload))
    }
}

/// Returns the checksum of everything but the checksum itself.
fn checksum(header: &[u8; HEADER], payload: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&header[..12]);
    checksum.update(&header[16..]);
    checksum.update(payload);
    checksum.finalize()
}

/// Octets of a [`mark`].
pub(super) const MARK: usize = 28;

/// Encodes the point up to which a generation is synced, for the mark file.
pub(super) fn mark(id: GenerationId, synced: RingPoint) -> [u8; MARK] {
    let mut octets = [0; MARK];
    octets[..8].copy_from_slice(&id.to_le_bytes());
    octets[8..16].copy_from_slice(&synced.position.to_le_bytes());
    octets[16..24].copy_from_slice(&synced.number.to_le_bytes());
    let checksum = crc32fast::hash(&octets[..24]);
    octets[24..].copy_from_slice(&checksum.to_le_bytes());
    octets
}

/// Reads the synced point of this generation; `None` if there is none, or another generation's.
pub(super) fn read_mark(octets: &[u8], id: GenerationId) -> Option<RingPoint> {
    let synced = RingPoint {
        position: number(octets.get(..MARK)?, 8),
        number: number(octets, 16),
    };
    (octets[..MARK] == mark(id, synced)).then_some(synced)
}

/// Offset of the commit counts in the mark file.
pub(super) const COMMIT_COUNTS_AT: usize = 32;

/// Octets of the commit counts: generation id, three numbers and a checksum.
const COMMIT_COUNTS: usize = 36;

/// Numbers of the database's commits in a generation of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CommitCounts {
    /// CommitCounts that were written to the WAL.
    pub(crate) made: u64,
    /// CommitCounts up to which copying the WAL into the database was begun.
    pub(crate) begun: u64,
    /// CommitCounts up to which the WAL is in the database file, durably.
    pub(crate) written: u64,
}

/// Encodes the commit counts for the mark file.
pub(super) fn commits(id: GenerationId, count: CommitCounts) -> [u8; COMMIT_COUNTS] {
    let mut octets = [0; COMMIT_COUNTS];
    octets[..8].copy_from_slice(&id.to_le_bytes());
    octets[8..16].copy_from_slice(&count.made.to_le_bytes());
    octets[16..24].copy_from_slice(&count.begun.to_le_bytes());
    octets[24..32].copy_from_slice(&count.written.to_le_bytes());
    let checksum = crc32fast::hash(&octets[..32]);
    octets[32..].copy_from_slice(&checksum.to_le_bytes());
    octets
}

/// Reads the commit counts of this generation from the mark file; `None` if there are none, or
/// another generation's.
pub(super) fn read_commits(file: &[u8], id: GenerationId) -> Option<CommitCounts> {
    let octets = file.get(COMMIT_COUNTS_AT..COMMIT_COUNTS_AT + COMMIT_COUNTS)?;
    let count = CommitCounts {
        made: number(octets, 8),
        begun: number(octets, 16),
        written: number(octets, 24),
    };
    (octets == commits(id, count)).then_some(count)
}

/// Returns true if a mark file, of any generation, says that anything was written.
pub(super) fn tells_of_mail(file: &[u8]) -> bool {
    let Some(id) = file.get(..8) else {
        return false;
    };
    let id = number(id, 0);
    let synced = read_mark(file, id).is_some_and(|synced| synced.position > 0);
    synced || read_commits(file, id).is_some_and(|count| count.made > 0)
}

fn number(octets: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&octets[at..at + 8]);
    u64::from_le_bytes(number)
}
