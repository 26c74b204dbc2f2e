//! Decoder of message octets: finds the end of DATA, removes stuffed dots, checks lines against the
//! limits and repairs them. A message in chunks (BDAT, RFC 3030) has no end marker and no stuffed
//! dots; its lines are checked and repaired alike.
//!
//! The end is CRLF `.` CRLF alone (RFC 5321 section 4.1.1.4); the CRLF of the DATA command counts
//! as the first. Servers that took anything else for it let one client smuggle a second message
//! past another server. A bare CR, a bare LF or a NUL inside the message (a stray octet) neither
//! ends the message nor unstuffs a dot. It is [repaired](gatepost_message::LineEnds) where the
//! limits say so; the message then has CRLF alone and can be stuffed anew. Otherwise the message is
//! read to its real end and refused.
//!
//! An end with a stray octet right before it, such as NUL CRLF `.` CRLF, is an end by the RFC. But
//! a server in front that sees no line end there has relayed it, and all that follows, as part of
//! a message. So the message is accepted, and the session reads nothing after it.
//!
//! Octets are moved only if a dot was removed before them in the same piece, and copied only if
//! something in the piece was repaired; otherwise the input is handed on as it is.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use gatepost_message::{LineEnds, LineStart, Opening, Repairs};
use memchr::memchr3;

use super::Limits;
use crate::reply::Reply;

/// Reason to refuse a message at its end. Of several, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    LineTooLong,
    HeaderTooLarge,
    MessageTooLarge,
    StrayOctet,
}

impl Fault {
    /// Returns the reply to the client.
    pub(super) fn reply(self, limits: &Limits) -> Reply {
        match self {
            Self::LineTooLong => Reply::new(
                500,
                "5.6.0",
                format!(
                    "A line is too long: at most {} octets, CRLF aside",
                    limits.line
                ),
            ),
            Self::HeaderTooLarge => Reply::new(
                552,
                "5.3.4",
                format!(
                    "Header section too large: at most {} octets",
                    limits.header_size
                ),
            ),
            Self::MessageTooLarge => Reply::new(
                552,
                "5.3.4",
                format!("Message too large: at most {} octets", limits.message_size),
            ),
            Self::StrayOctet => Reply::new(
                550,
                "5.6.0",
                "Message holds a bare CR, a bare LF or a NUL: end each line with CRLF",
            ),
        }
    }
}

/// Octets of a line, without CRLF, that every server accepts (RFC 5321 section 4.5.3.1.6).
const STANDARD_LINE: usize = 998;

/// Decoder of one message.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Octets of the message so far, unstuffed and repaired.
    pub(super) size: u64,
    /// Octets of the message as they came: an octet that is removed costs as much to read as one
    /// that stays.
    pub(super) received: u64,
    /// True if the message holds an octet outside ASCII.
    pub(super) eight_bit: bool,
    /// Reason to refuse the message. Once it is set, nothing more is handed on.
    pub(super) fault: Option<Fault>,
    /// Repairs so far. Boxed, because most messages need none.
    repairs: Option<Box<Repairs>>,
    opening: Opening,
    line_ends: LineEnds,
    /// True if the next octet is the first after CRLF.
    line_start: bool,
    /// True if the last octet was a stray one.
    after_stray: bool,
    /// True if a stray octet stood right before the last line end.
    pub(super) doubtful_end: bool,
    /// Octets of the current line so far.
    line: usize,
    /// Octets of the longest line.
    longest: usize,
    /// True once the empty line after the header section has come.
    in_body: bool,
    /// Undecided octets at the end of a chunk: a CR, or the start of a line that may be removed.
    held_back: BytesMut,
}

/// Output of one piece. It is written over the front of the input as long as it is no longer than
/// what was read, else to a buffer of its own.
struct Output<'i> {
    input: &'i mut BytesMut,
    read: usize,
    /// Octets of the message among those that were read.
    received: usize,
    written: usize,
    /// All that was written, in a buffer of its own. Set once something was repaired.
    repaired: Option<BytesMut>,
}

impl<'i> Output<'i> {
    fn over(input: &'i mut BytesMut) -> Self {
        Self {
            input,
            read: 0,
            received: 0,
            written: 0,
            repaired: None,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.input[self.read..]
    }

    /// Reads the next octets and writes them as they are.
    fn keep(&mut self, length: usize) {
        let (from, to) = (self.read, self.read + length);
        match &mut self.repaired {
            Some(repaired) => repaired.put_slice(&self.input[from..to]),
            None if self.written != from => self.input.copy_within(from..to, self.written),
            None => {}
        }
        self.written += length;
        self.read = to;
        self.received += length;
    }

    /// Reads octets of the message without writing them.
    fn drop(&mut self, length: usize) {
        self.skip(length);
        self.received += length;
    }

    /// Reads octets that do not belong to the message: stuffed dots and the end.
    fn skip(&mut self, length: usize) {
        self.read += length;
    }

    /// Writes by the given function; returns the number of octets written.
    fn repair(&mut self, write: impl FnOnce(&mut BytesMut)) -> usize {
        let repaired = self.repaired.get_or_insert_with(|| {
            let mut repaired = BytesMut::with_capacity(self.input.len() + self.input.len() / 16);
            repaired.put_slice(&self.input[..self.written]);
            repaired
        });
        let before = repaired.len();
        write(repaired);
        let more = repaired.len() - before;
        self.written += more;
        more
    }

    /// Removes the octets that were read from the input; returns those that were written.
    fn finish(self) -> Bytes {
        match self.repaired {
            Some(repaired) => {
                self.input.advance(self.read);
                repaired.freeze()
            }
            None => {
                let piece = self.input.split_to(self.written).freeze();
                self.input.advance(self.read - self.written);
                piece
            }
        }
    }
}

impl Decoder {
    pub(super) fn new(limits: &Limits) -> Self {
        let opening = match limits.repair_opening {
            true => Opening::default(),
            false => Opening::disabled(),
        };
        Self {
            size: 0,
            received: 0,
            eight_bit: false,
            fault: None,
            repairs: None,
            opening,
            line_ends: LineEnds::default(),
            line_start: true,
            after_stray: false,
            doubtful_end: false,
            line: 0,
            longest: 0,
            in_body: false,
            held_back: BytesMut::new(),
        }
    }

    /// Returns the repairs, and the longest line where it is too long for some servers, for the
    /// record.
    pub(super) fn repairs(&mut self) -> Option<Box<Repairs>> {
        if self.longest > STANDARD_LINE {
            self.repairs.get_or_insert_default().long_line = Some(self.longest);
        }
        self.repairs.take().filter(|repairs| !repairs.is_empty())
    }

    /// Decodes octets that follow DATA. Returns the next piece of the message, which may be empty,
    /// and true if it was the last. Undecided octets stay in the input until more come: a dot, a CR
    /// or both, or the start of a line that may [belong to no message](Opening).
    pub(super) fn decode(&mut self, input: &mut BytesMut, limits: &Limits) -> (Bytes, bool) {
        let mut output = Output::over(input);
        let mut ended = false;
        while let Some(first) = output.rest().first() {
            if self.line_start && *first == b'.' {
                match output.rest()[1..] {
                    [] | [b'\r'] => break,
                    [b'\r', b'\n', ..] => {
                        output.skip(3);
                        ended = true;
                        break;
                    }
                    _ => {
                        // A stuffed dot counts in no size (RFC 1870 section 5).
                        output.skip(1);
                        self.line_start = false;
                        continue;
                    }
                }
            }
            match self.remove_prefix(&mut output, false, limits) {
                Prefix::Removed => {}
                Prefix::Undecided => break,
                Prefix::None if self.decode_line(&mut output, limits) => {}
                Prefix::None => break,
            }
        }
        (self.finish_piece(output, limits), ended)
    }

    /// Decodes octets of a chunk (RFC 3030), all of which belong to the message. Returns the next
    /// pieces of the message, which may be empty.
    pub(super) fn chunk(&mut self, mut octets: BytesMut, limits: &Limits) -> [Bytes; 2] {
        let mut first = Bytes::new();
        if !self.held_back.is_empty() {
            if self.held_back[..] == b"\r"[..] && octets.starts_with(b"\n") {
                // A CRLF split across two reads: nothing need be moved for it.
                octets.advance(1);
                self.held_back.put_u8(b'\n');
                let mut held = self.held_back.split();
                first = self.decode_unstuffed(&mut held, limits);
            } else {
                let mut held = self.held_back.split();
                held.extend_from_slice(&octets);
                octets = held;
            }
        }
        let second = self.decode_unstuffed(&mut octets, limits);
        // A CR, or the start of a line that may belong to no message.
        self.held_back = octets;
        [first, second]
    }

    /// Returns the number of undecided octets of the chunks so far.
    pub(super) fn held_back_len(&self) -> u64 {
        self.held_back.len() as u64
    }

    /// Ends the message after its last chunk; returns the last piece.
    pub(super) fn end(&mut self, limits: &Limits) -> Bytes {
        let mut held = self.held_back.split();
        let mut output = Output::over(&mut held);
        while !output.rest().is_empty() {
            if self.remove_prefix(&mut output, true, limits) == Prefix::None
                && !self.decode_line(&mut output, limits)
            {
                // A lone CR is left, and nothing will follow it.
                self.stray(b'\r', &mut output, limits);
            }
        }
        if !self.line_ends.is_clear() {
            self.repair(&mut output, limits, LineEnds::text);
        }
        self.finish_piece(output, limits)
    }

    /// Decodes octets without dot-stuffing; leaves undecided octets at their end.
    fn decode_unstuffed(&mut self, octets: &mut BytesMut, limits: &Limits) -> Bytes {
        let mut output = Output::over(octets);
        while !output.rest().is_empty() {
            match self.remove_prefix(&mut output, false, limits) {
                Prefix::Removed => {}
                Prefix::Undecided => break,
                Prefix::None if self.decode_line(&mut output, limits) => {}
                Prefix::None => break,
            }
        }
        self.finish_piece(output, limits)
    }

    /// Returns the octets written, or nothing once the message has a fault.
    fn finish_piece(&mut self, output: Output<'_>, limits: &Limits) -> Bytes {
        self.received += output.received as u64;
        self.check_limits(limits);
        let piece = output.finish();
        if self.fault.is_some() {
            return Bytes::new();
        }
        self.eight_bit |= !piece.is_ascii();
        piece
    }

    /// Removes a byte order mark or an mbox line at the start of a line of the header section.
    /// With `complete`, no more octets will come.
    fn remove_prefix(
        &mut self,
        output: &mut Output<'_>,
        complete: bool,
        limits: &Limits,
    ) -> Prefix {
        let at_line = self.line == 0 && !self.in_body && self.line_ends.is_clear();
        let first = output.rest().first().copied();
        if !at_line || !first.is_some_and(|first| self.opening.may_begin(first)) {
            self.opening.message_line();
            return Prefix::None;
        }
        match self.opening.inspect(output.rest(), complete) {
            LineStart::Unknown => Prefix::Undecided,
            LineStart::Message => Prefix::None,
            LineStart::ByteOrderMark(length) => {
                // To a server in front the line begins with the mark: it stuffs no dot after it,
                // and none there ends the message.
                self.line_start = false;
                output.drop(length);
                let repairs = self.repairs.get_or_insert_default();
                repairs.byte_order_mark(self.size);
                Prefix::Removed
            }
            LineStart::MboxLine(length) => {
                let line = &output.rest()[..length];
                // A dot after a bare LF does not end the message, after an mbox line either.
                self.line_start = line.ends_with(b"\r\n");
                self.doubtful_end = line.ends_with(b"\r\r\n");
                let is_stray = !self.line_start || self.doubtful_end;
                if is_stray && !limits.repair_line_ends {
                    self.set_fault(Fault::StrayOctet);
                }
                output.drop(length);
                self.repairs.get_or_insert_default().mbox_lines += 1;
                Prefix::Removed
            }
        }
    }

    /// Decodes up to and with the next line end or stray octet. Returns false if more octets are
    /// needed.
    fn decode_line(&mut self, output: &mut Output<'_>, limits: &Limits) -> bool {
        let (text, stop) = text_run(output.rest());
        if text > 0 && !self.line_ends.is_clear() {
            self.repair(output, limits, LineEnds::text);
        }
        let is_end = stop == Stop::LineEnd;
        // The usual case: a whole line, handed on as it is.
        let passes = is_end && self.line_ends.is_clear();
        let length = if passes { text + 2 } else { text };
        if length > 0 {
            output.keep(length);
            self.size += length as u64;
            self.line += text;
            self.longest = self.longest.max(self.line);
            if self.line > limits.line {
                self.set_fault(Fault::LineTooLong);
            }
            self.line_start = false;
            self.after_stray &= text == 0;
        }
        if passes {
            self.line_ended();
        }
        self.check_limits(limits);
        match stop {
            Stop::More => return text > 0,
            Stop::Stray(octet) => self.stray(octet, output, limits),
            Stop::LineEnd => {
                if !passes {
                    self.repair(output, limits, LineEnds::crlf);
                    output.drop(2);
                }
                self.line_start = true;
                self.doubtful_end = std::mem::take(&mut self.after_stray);
            }
        }
        true
    }

    /// Repairs a bare CR, a bare LF or a NUL, or records it as a fault.
    fn stray(&mut self, octet: u8, output: &mut Output<'_>, limits: &Limits) {
        self.line_start = false;
        self.after_stray = true;
        if !limits.repair_line_ends {
            output.drop(1);
            self.size += 1;
            self.set_fault(Fault::StrayOctet);
            return self.check_limits(limits);
        }
        let write = match octet {
            b'\r' => LineEnds::cr,
            b'\n' => LineEnds::lf,
            _ => LineEnds::nul,
        };
        self.repair(output, limits, write);
        output.drop(1);
    }

    /// Writes the replacement of stray octets: CRLFs or nothing.
    fn repair(
        &mut self,
        output: &mut Output<'_>,
        limits: &Limits,
        write: impl FnOnce(&mut LineEnds, u64, &mut Repairs, &mut BytesMut),
    ) {
        let (line_ends, at) = (&mut self.line_ends, self.size);
        let repairs = self.repairs.get_or_insert_default();
        let written = output.repair(|out| write(line_ends, at, repairs, out));
        for _ in 0..written / 2 {
            self.line_ended();
        }
        self.size += written as u64;
        self.check_limits(limits);
    }

    fn line_ended(&mut self) {
        self.in_body |= self.line == 0;
        self.line = 0;
    }

    /// Checks the octets so far against the limits on header section and message.
    fn check_limits(&mut self, limits: &Limits) {
        if !self.in_body && self.size > limits.header_size {
            self.set_fault(Fault::HeaderTooLarge);
        }
        if self.size.max(self.received) > limits.message_size {
            self.set_fault(Fault::MessageTooLarge);
        }
    }

    fn set_fault(&mut self, fault: Fault) {
        self.fault = self.fault.max(Some(fault));
    }
}

/// Result of looking for a foreign prefix at the start of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    /// There is none: the line belongs to the message.
    None,
    /// One was removed.
    Removed,
    /// More octets are needed to tell.
    Undecided,
}

/// End of a run of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// CRLF.
    LineEnd,
    /// A bare CR, a bare LF or a NUL.
    Stray(u8),
    /// None found: the line goes on.
    More,
}

/// Returns the number of octets up to the next CRLF or stray octet, and which of them follows. A
/// CR at the very end is neither: it may be half of a CRLF.
fn text_run(rest: &[u8]) -> (usize, Stop) {
    let Some(at) = memchr3(b'\r', b'\n', 0, rest) else {
        return (rest.len(), Stop::More);
    };
    let stop = match rest[at..] {
        [b'\r', b'\n', ..] => Stop::LineEnd,
        [b'\r'] => Stop::More,
        [octet, ..] => Stop::Stray(octet),
        [] => Stop::More,
    };
    (at, stop)
}
