//! Repair of a message as it arrives: line ends, NULs and what stands above the first field.
//!
//! Mail comes with line ends that are no CRLF, with NULs, and with a byte order mark or the `From `
//! line of an mbox above its first field. RFC 5321 section 2.3.8 forbids the first, and large
//! servers take all of it. What goes on from here must be sound all the same: one server that takes
//! a bare LF for a line end, and another that does not, see different messages in the same octets.
//! So the octets are repaired as they arrive, before anything reads them:
//!
//! - a bare LF and a bare CR become CRLF, as most readers show them;
//! - several CR before one LF are one line end: that is text converted twice;
//! - a NUL goes (RFC 5322 section 4 lets a reader drop it);
//! - a byte order mark and lines of an mbox, that begin with `From ` or `>From `, go from above and
//!   among the fields (see [`Opening`]).
//!
//! [`LineEnds`] does the first three and [`Opening`] the last; both work on any piece of a message,
//! and cost nothing where there is nothing to repair. [`Repairs`] is the record of it, from which
//! [`Repairs::original`] gives the message as it came: that is what signatures were made over.

mod line_ends;
mod opening;
mod original;

pub use line_ends::LineEnds;
pub use opening::{Begun, Opening};

use std::sync::Arc;

use bytes::Bytes;

use self::original::Original;
use crate::{Message, head_length};

/// The most places that are remembered. With more, it is not known any more what came.
const MOST_STEPS: usize = 32 * 1024;

/// What was repaired in a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repairs {
    /// Byte order marks in front of everything, or of a field.
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
    /// Octets of the longest line, where they are more than every server takes; it was not repaired.
    pub long_line: Option<usize>,
    steps: Vec<Step>,
    /// There were more than are remembered.
    forgotten: bool,
}

/// One repair: where in the repaired message, and what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    at: u32,
    was: Was,
}

/// What stood at a place that was repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Was {
    /// One octet where CRLF is now.
    LineEnd(u8),
    /// So many octets of this kind, where nothing is now.
    Gone(u8, u16),
}

impl Repairs {
    /// Whether there is nothing to put on record.
    pub fn is_empty(&self) -> bool {
        self.byte_order_marks == 0
            && self.mbox_lines == 0
            && self.long_line.is_none()
            && !self.has_other_octets()
    }

    /// Whether the octets of the message itself are others than those that came.
    fn has_other_octets(&self) -> bool {
        !self.steps.is_empty() || self.forgotten
    }

    /// What was repaired, or taken as it was, a sentence each, for the record.
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

    /// The message as it came, of which `repaired` was made, but for lines of an mbox, and a byte
    /// order mark in front of everything, below which nobody could have read a signature. `None` where no octet of it is another, and where there were
    /// so many repairs that they were not all remembered.
    pub fn original(&self, repaired: &Message) -> Option<Message> {
        if !self.has_other_octets() || self.forgotten {
            return None;
        }
        let length = repaired.head().len() as u64;
        let head: Arc<dyn crate::Body> = Arc::new(repaired.head().clone());
        let (above, below) = self.steps.split_at(self.steps.partition_point(|step| {
            // What was removed at the very end of the section stood in it.
            match step.was {
                Was::LineEnd(_) => u64::from(step.at) < length,
                Was::Gone(..) => u64::from(step.at) <= length,
            }
        }));
        let head = Original::new(head, 0, above).to_bytes()?;
        let body = Arc::new(Original::new(Arc::clone(repaired.body()), length, below));
        // With its own line ends the section may end elsewhere.
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

    /// Notes a byte order mark that stood at this place of the repaired message.
    pub fn byte_order_mark(&mut self, at: u64) {
        self.byte_order_marks += 1;
        if at > 0 {
            for octet in *b"\xef\xbb\xbf" {
                self.note(at, Was::Gone(octet, 1));
            }
        }
    }

    fn note(&mut self, at: u64, was: Was) {
        if self.forgotten {
            return;
        }
        if let (
            Some(Step {
                at: last,
                was: Was::Gone(octet, count),
            }),
            Was::Gone(more, 1),
        ) = (self.steps.last_mut(), was)
            && (u64::from(*last), *octet) == (at, more)
            && *count < u16::MAX
        {
            *count += 1;
            return;
        }
        match u32::try_from(at) {
            Ok(at) if self.steps.len() < MOST_STEPS => self.steps.push(Step { at, was }),
            _ => {
                self.steps = Vec::new();
                self.forgotten = true;
            }
        }
    }
}
