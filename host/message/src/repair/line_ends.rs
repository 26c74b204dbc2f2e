//! Line ends, repaired as octets arrive.

use bytes::{BufMut, BytesMut};

use super::{Repairs, Was};

/// So many CR in a row may belong to one line end; what comes behind them is a line of its own.
const MOST_CR: u64 = 64;

/// Writes octets in which a receiver has found something other than text and CRLF. The receiver
/// tells it what it meets, in order; it writes what takes its place and notes it.
///
/// What is written holds CR and LF as CRLF alone, and no NUL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineEnds {
    /// CR that have come, of which it is not known yet whether an LF ends them.
    held: u64,
}

impl LineEnds {
    /// Whether nothing is held back, so that text and CRLF can be passed on as they are.
    pub fn is_clear(&self) -> bool {
        self.held == 0
    }

    /// A CR that no LF follows, as far as is known.
    pub fn cr(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        if self.held == MOST_CR {
            self.text(at, repairs, out);
        }
        self.held += 1;
    }

    /// Text follows, or nothing more: what is held back were line ends.
    pub fn text(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        for index in 0..self.held {
            repairs.note(at + index * 2, Was::LineEnd(b'\r'));
            repairs.bare_cr += 1;
            out.put_slice(b"\r\n");
        }
        self.held = 0;
    }

    /// CRLF follows, or an LF of which the CR is held: writes it.
    pub fn crlf(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        for _ in 0..self.held {
            repairs.note(at, Was::Gone(b'\r', 1));
            repairs.doubled_cr += 1;
        }
        self.held = 0;
        out.put_slice(b"\r\n");
    }

    /// An LF follows. With a CR held it ends a line with that; alone it becomes CRLF.
    pub fn lf(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        if self.held > 0 {
            self.held -= 1;
            return self.crlf(at, repairs, out);
        }
        repairs.note(at, Was::LineEnd(b'\n'));
        repairs.bare_lf += 1;
        out.put_slice(b"\r\n");
    }

    /// A NUL follows, and goes.
    pub fn nul(&mut self, at: u64, repairs: &mut Repairs, out: &mut BytesMut) {
        let before = out.len();
        self.text(at, repairs, out);
        repairs.note(at + (out.len() - before) as u64, Was::Gone(0, 1));
        repairs.nul += 1;
    }
}
