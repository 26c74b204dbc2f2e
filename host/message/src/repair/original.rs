//! Original octets of a repaired message, restored as they are read.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::{Removed, Repair};
use crate::Body;

/// The octets of a part of a message before they were repaired.
#[derive(Debug)]
pub(super) struct Original {
    repaired: Arc<dyn Body>,
    /// Start of the part in the repaired message.
    begin: u64,
    repairs: Vec<Repair>,
    /// Start of the unrepaired octets before each repair, and of those after the last.
    begins: Vec<u64>,
    length: u64,
}

/// A run of octets: unchanged ones of the repaired message, or those that a repair removed.
enum Piece {
    Same { from: u64, length: u64 },
    Octets { octet: u8, count: u64 },
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Same { length, .. } => *length,
            Self::Octets { count, .. } => *count,
        }
    }
}

impl Original {
    /// Creates the original of a part that begins at `begin` of the repaired message, with the
    /// repairs in it.
    pub(super) fn new(repaired: Arc<dyn Body>, begin: u64, repairs: &[Repair]) -> Self {
        let mut original = Self {
            repaired,
            begin,
            repairs: repairs.to_vec(),
            begins: Vec::with_capacity(repairs.len() + 1),
            length: 0,
        };
        let (mut length, mut begins) = (0, std::mem::take(&mut original.begins));
        for piece in original.pieces(0) {
            if matches!(piece, Piece::Same { .. }) {
                begins.push(length);
            }
            length += piece.length();
        }
        (original.length, original.begins) = (length, begins);
        original
    }

    /// Reads all octets into memory; returns `None` if they cannot be read.
    pub(super) fn to_bytes(&self) -> Option<Bytes> {
        let mut octets = vec![0; usize::try_from(self.length).ok()?];
        let mut filled = 0;
        while let Some(rest @ [_, ..]) = octets.get_mut(filled..) {
            match self.read_at(filled as u64, rest).ok()? {
                0 => return None,
                read => filled += read,
            }
        }
        Some(octets.into())
    }

    /// Returns the start of a repair in this part, and the end of the octets that it wrote.
    fn place(&self, repair: &Repair) -> (u64, u64) {
        let to = u64::from(repair.at).saturating_sub(self.begin);
        match repair.was {
            Removed::LineEnd(_) => (to, to + 2),
            Removed::Octets(..) => (to, to),
        }
    }

    /// Returns the pieces, from the unchanged octets before the repair of that number on.
    fn pieces(&self, first: usize) -> impl Iterator<Item = Piece> {
        let (before, behind) = self.repairs.split_at(first);
        let mut at = before.last().map_or(0, |repair| self.place(repair).1);
        let mut repairs = behind.iter();
        let mut due = None;
        let mut ended = false;
        std::iter::from_fn(move || {
            if let Some(octets) = due.take() {
                return Some(octets);
            }
            if ended {
                return None;
            }
            let from = at;
            let to = match repairs.next() {
                Some(repair) => {
                    let (octet, count) = match repair.was {
                        Removed::LineEnd(octet) => (octet, 1),
                        Removed::Octets(octet, count) => (octet, u64::from(count)),
                    };
                    due = Some(Piece::Octets { octet, count });
                    let (to, behind) = self.place(repair);
                    at = behind;
                    to
                }
                None => {
                    ended = true;
                    self.repaired.len()
                }
            };
            let length = to.saturating_sub(from);
            Some(Piece::Same { from, length })
        })
    }
}

impl Body for Original {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        // Do not start at the front each time: a stranger decides how many pieces there are.
        let behind = self.begins.partition_point(|begin| *begin <= offset);
        let first = behind.saturating_sub(1);
        let mut begin = self.begins.get(first).copied().unwrap_or_default();
        let mut filled = 0;
        for piece in self.pieces(first) {
            let end = begin + piece.length();
            let wanted = offset + filled as u64;
            if wanted < end && filled < buf.len() {
                let within = wanted - begin;
                let left = usize::try_from(end - wanted).unwrap_or(usize::MAX);
                let room = &mut buf[filled..];
                let room_length = room.len().min(left);
                let room = &mut room[..room_length];
                match piece {
                    Piece::Octets { octet, .. } => room.fill(octet),
                    Piece::Same { from, .. } => {
                        let read = self.repaired.read_at(from + within, room)?;
                        if read < room.len() {
                            return Ok(filled + read);
                        }
                    }
                }
                filled += room_length;
            }
            if filled == buf.len() {
                break;
            }
            begin = end;
        }
        Ok(filled)
    }
}

/// A body of octets in memory followed by another body.
#[derive(Debug)]
pub(super) struct Joined {
    front: Bytes,
    rest: Arc<dyn Body>,
}

impl Joined {
    pub(super) fn new(front: Bytes, rest: Arc<dyn Body>) -> Self {
        Self { front, rest }
    }
}

impl Body for Joined {
    fn len(&self) -> u64 {
        self.front.len() as u64 + self.rest.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        match offset.checked_sub(self.front.len() as u64) {
            Some(behind) => self.rest.read_at(behind, buf),
            None => self.front.read_at(offset, buf),
        }
    }
}
