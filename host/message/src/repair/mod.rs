//! Repair of a message as it arrives: line ends, NULs and lines above the first field.
//!
//! Some mail has line ends that are not CRLF, NULs, or a byte order mark or the `From ` line of an
//! mbox above its first field. RFC 5321 section 2.3.8 forbids such line ends, but large servers
//! accept all of this. The message that we relay must be sound all the same: one server that takes
//! a bare LF for a line end, and another that does not, see different messages in the same octets.
//! So the octets are repaired as they arrive, before anything reads them:
//!
//! - a bare LF and a bare CR become CRLF, as most readers show them;
//! - several CR before one LF become one line end: the text was converted twice;
//! - a NUL is removed (RFC 5322 section 4 lets a reader drop it);
//! - a byte order mark, and lines of an mbox that begin with `From ` or `>From `, are removed from
//!   above and among the fields (see [`Opening`]).
//!
//! [`LineEnds`] does the first three and [`Opening`] the last; both work on any piece of a message,
//! and cost nothing where there is nothing to repair. [`Repairs`] is the record, from which
//! [`Repairs::original`] restores the message as it came, over which signatures were made.

mod line_ends;
mod opening;
mod original;

pub use line_ends::LineEnds;
pub use opening::{LineStart, Opening};

use std::sync::Arc;

use bytes::Bytes;

use self::original::Original;
use crate::{Message, head_length};

/// The most repairs that are remembered. With more, the original cannot be restored.
const MAX_REMEMBERED: usize = 32 * 1024;

/// Repairs made in a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repairs {
    /// Byte order marks in front of the message, or of a field.
    pub byte_order_marks: u32,
    /// Lines of an mbox above or among the fields.
    pub mbox_lines: u32,
    /// LF without CR.
    pub bare_lf: u64,
    /// CR without LF.
    pub bare_cr: u64,
    /// CR before a CRLF.
    pub doubled_cr: u64,
    /// NULs.
    pub nul: u64,
    /// Octets of the longest line, if not every server accepts it; it was not repaired.
    pub long_line: Option<usize>,
    list: Vec<Repair>,
    /// True if there were more repairs than are remembered.
    overflowed: bool,
}

/// One repair: its place in the repaired message, and the octets that stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Repair {
    at: u32,
    was: Removed,
}

/// Octets that a repair replaced or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Removed {
    /// One octet that became CRLF.
    LineEnd(u8),
    /// Octet that was removed, and how often in a row.
    Octets(u8, u16),
}

impl Repairs {
    /// Returns true if there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.byte_order_marks == 0
            && self.mbox_lines == 0
            && self.long_line.is_none()
            && !self.changed_octets()
    }

    /// Returns true if octets of the message itself differ from those that came.
    fn changed_octets(&self) -> bool {
        !self.list.is_empty() || self.overflowed
    }

    /// Returns a sentence for each kind of repair, and for a long line, for the record.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for (count, what) in [
            (
                u64::from(self.byte_order_marks),
                "byte order marks before fields removed",
            ),
            (
                u64::from(self.mbox_lines),
                "mbox lines among the fields removed",
            ),
            (self.bare_lf, "bare LF became CRLF"),
            (self.bare_cr, "bare CR became CRLF"),
            (self.doubled_cr, "CR before CRLF removed"),
            (self.nul, "NUL octets removed"),
        ] {
            if count > 0 {
                reasons.push(format!("repaired: {what} ({count})"));
            }
        }
        if let Some(length) = self.long_line {
            reasons.push(format!("taken as it is: a line of {length} octets"));
        }
        reasons
    }

    /// Restores the message as it came from the `repaired` one, but without lines of an mbox and
    /// without a byte order mark in front of everything, below which nobody could have read a
    /// signature. Returns `None` if no octet differs, or if not all repairs are remembered.
    pub fn original(&self, repaired: &Message) -> Option<Message> {
        if !self.changed_octets() || self.overflowed {
            return None;
        }
        let length = repaired.head().len() as u64;
        let head: Arc<dyn crate::Body> = Arc::new(repaired.head().clone());
        let (above, below) = self.list.split_at(self.list.partition_point(|repair| {
            // Octets removed at the very end of the section belonged to it.
            match repair.was {
                Removed::LineEnd(_) => u64::from(repair.at) < length,
                Removed::Octets(..) => u64::from(repair.at) <= length,
            }
        }));
        let head = Original::new(head, 0, above).to_bytes()?;
        let body = Arc::new(Original::new(Arc::clone(repaired.body()), length, below));
        // With the original line ends the section may end elsewhere.
        let end = head_length(&head, true).unwrap_or(head.len());
        match end == head.len() {
            true => Some(Message::from_parts(head, body)),
            false => {
                let rest: Bytes = head.slice(end..);
                let body = Arc::new(original::Joined::new(rest, body));
                Some(Message::from_parts(head.slice(..end), body))
            }
        }
    }

    /// Notes a byte order mark removed at this place of the repaired message.
    pub fn byte_order_mark(&mut self, at: u64) {
        self.byte_order_marks += 1;
        if at > 0 {
            for octet in *b"\xef\xbb\xbf" {
                self.note(at, Removed::Octets(octet, 1));
            }
        }
    }

    fn note(&mut self, at: u64, was: Removed) {
        if self.overflowed {
            return;
        }
        if let (
            Some(Repair {
                at: last,
                was: Removed::Octets(octet, count),
            }),
            Removed::Octets(more, 1),
        ) = (self.list.last_mut(), was)
            && (u64::from(*last), *octet) == (at, more)
            && *count < u16::MAX
        {
            *count += 1;
            return;
        }
        match u32::try_from(at) {
            Ok(at) if self.list.len() < MAX_REMEMBERED => self.list.push(Repair { at, was }),
            _ => {
                self.list = Vec::new();
                self.overflowed = true;
            }
        }
    }
}
