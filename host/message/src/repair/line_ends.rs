//! Repair of line ends and NULs as octets arrive.

use bytes::{BufMut, BytesMut};

use super::{Removed, Repairs};

/// The most CR in a row that are held back for one line end; if more come, those held become line
/// ends of their own.
const MOST_CR: u64 = 64;

/// Repairs line ends and NULs. The receiver calls it for each thing that it meets, in order; it
/// writes the replacement and notes the repair.
///
/// Its output holds CR and LF as CRLF alone, and no NUL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEnds {
    /// Number of CRs that have come, after which an LF may come.
    held: u64,
}

impl LineEnds {
    /// Returns true if no CR is held back, so that text and CRLF can be passed on as they are.
    pub fn is_clear(&self) -> bool {
        self.held == 0
    }

    /// Handles a CR after which no LF has come yet.
    pub fn cr(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        if self.held == MOST_CR {
            self.text(at, repairs, out);
        }
        self.held += 1;
    }

    /// Handles text, or the end: each CR held back was a line end.
    pub fn text(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        for index in 0..self.held {
            repairs.note(at + index * 2, Removed::LineEnd(b'\r'));
            repairs.bare_cr += 1;
            out.put_slice(b"\r\n");
        }
        self.held = 0;
    }

    /// Handles CRLF, or an LF whose CR is held back: writes CRLF.
    pub fn crlf(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        for _ in 0..self.held {
            repairs.note(at, Removed::Octets(b'\r', 1));
            repairs.doubled_cr += 1;
        }
        self.held = 0;
        out.put_slice(b"\r\n");
    }

    /// Handles an LF. With a CR held back the two are a line end; alone it becomes CRLF.
    pub fn lf(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        if self.held > 0 {
            self.held -= 1;
            return self.crlf(at, repairs, out);
        }
        repairs.note(at, Removed::LineEnd(b'\n'));
        repairs.bare_lf += 1;
        out.put_slice(b"\r\n");
    }

    /// Handles a NUL, which is removed.
    pub fn nul(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        let before = out.len();
        self.text(at, repairs, out);
        repairs.note(at + (out.len() - before) as u64, Removed::Octets(0, 1));
        repairs.nul += 1;
    }
}
