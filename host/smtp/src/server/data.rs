//! What follows DATA: finds its end, takes the stuffed dots out, watches its lines and repairs them.
//! A message in chunks (RFC 3030) has no end to be found and no dots, and its lines are watched and
//! repaired alike.
//!
//! The end is CRLF `.` CRLF alone (RFC 5321 section 4.1.1.4); the CRLF of the DATA command counts
//! as the first. Servers that took anything else for it let one client smuggle a second message
//! past another server. A bare CR, a bare LF or a NUL inside the message ends nothing and unstuffs
//! nothing here. It is [repaired](gatepost_message::LineEnds) where the limits say so, so that what
//! goes on has CRLF alone and can be stuffed anew; else the whole message is swallowed to its real
//! end and refused.
//!
//! An end with one of them right before it, such as NUL CRLF `.` CRLF, is an end by the letter. But a
//! server in front that does not see a line end there has passed it on as a part of a message, and
//! what follows with it. So the message is taken, and the session hears nothing more.
//!
//! Octets are moved only where a dot was taken out before them in the same piece, and copied only
//! where something was repaired in it; else what came in is handed on as it is.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use gatepost_message::{LineEnds, LineStart, Opening, Repairs};
use memchr::memchr3;

use super::Limits;
use crate::reply::Reply;

/// Why a message is refused at its end. The greatest of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    LineTooLong,
    HeaderTooLarge,
    MessageTooLarge,
    StrayOctet,
}

impl Fault {
    /// What the client is told.
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

/// The octets of a line that every server takes (RFC 5321 section 4.5.3.1.6).
const LINE: usize = 998;

/// Decodes one message.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Octets of the message so far, dots unstuffed and repaired.
    pub(super) size: u64,
    /// The same as they came, not repaired: what is taken out costs as much to read as what stays.
    pub(super) came: u64,
    /// Whether one of them is outside ASCII.
    pub(super) eight_bit: bool,
    /// What is wrong with it, if anything. Once it is set, nothing more is handed on.
    pub(super) fault: Option<Fault>,
    /// What was repaired. Boxed, because most messages need none.
    repairs: Option<Box<Repairs>>,
    opening: Opening,
    line_ends: LineEnds,
    /// Whether the next octet is the first of a line, as RFC 5321 has lines.
    line_start: bool,
    /// Whether the last octet was a bare CR, a bare LF or a NUL.
    after_stray: bool,
    /// Whether one of them stood right before the last line end.
    pub(super) doubtful_end: bool,
    /// Octets of the line so far.
    line: usize,
    /// Those of the longest line.
    longest: usize,
    /// Whether the empty line after the header section is behind.
    in_body: bool,
    /// What came of a chunk and cannot be told yet: a CR at its end, or the start of the first line.
    held: BytesMut,
}

/// Where the octets of a piece go: to the front of what came in, as long as there are no more of
/// them than were read.
struct Output<'i> {
    input: &'i mut BytesMut,
    read: usize,
    /// Octets of the message among those that were read.
    came: usize,
    written: usize,
    /// Set once something was repaired: all that was written, in a place of its own.
    repaired: Option<BytesMut>,
}

impl<'i> Output<'i> {
    fn over(input: &'i mut BytesMut) -> Self {
        Self {
            input,
            read: 0,
            came: 0,
            written: 0,
            repaired: None,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.input[self.read..]
    }

    /// Passes the next octets on.
    fn keep(&mut self, length: usize) {
        let (from, to) = (self.read, self.read + length);
        match &mut self.repaired {
            Some(repaired) => repaired.put_slice(&self.input[from..to]),
            None if self.written != from => self.input.copy_within(from..to, self.written),
            None => {}
        }
        self.written += length;
        self.read = to;
        self.came += length;
    }

    /// Takes out octets of the message.
    fn drop(&mut self, length: usize) {
        self.skip(length);
        self.came += length;
    }

    /// Leaves out octets that are none of the message's.
    fn skip(&mut self, length: usize) {
        self.read += length;
    }

    /// Writes something else; gives how much that was.
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

    /// Takes what was read off the input, and gives what was written.
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
            came: 0,
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
            held: BytesMut::new(),
        }
    }

    /// What there is to put on record of it, if anything.
    pub(super) fn repairs(&mut self) -> Option<Box<Repairs>> {
        if self.longest > LINE {
            self.repairs.get_or_insert_default().long_line = Some(self.longest);
        }
        self.repairs.take().filter(|repairs| !repairs.is_empty())
    }

    /// Takes what it can off the input. Returns the next piece of the message, which may be
    /// empty, and whether it was the last. What is left when more is needed is at most two octets,
    /// a dot or a CR of which it is not clear yet what they are, or the beginning of a first line
    /// that may [belong to no message](Opening).
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
            match self.above(&mut output, false, limits) {
                Above::Gone => {}
                Above::Unknown => break,
                Above::Nothing if self.run(&mut output, limits) => {}
                Above::Nothing => break,
            }
        }
        (self.hand_on(output, limits), ended)
    }

    /// Takes octets of a chunk (RFC 3030), all of which belong to the message; gives what can be
    /// handed on of it, in pieces.
    pub(super) fn chunk(&mut self, mut octets: BytesMut, limits: &Limits) -> [Bytes; 2] {
        let mut first = Bytes::new();
        if !self.held.is_empty() {
            if self.held[..] == b"\r"[..] && octets.starts_with(b"\n") {
                // A CRLF that was parted, as will happen: nothing need be moved for it.
                octets.advance(1);
                self.held.put_u8(b'\n');
                let mut held = self.held.split();
                first = self.pass(&mut held, limits);
            } else {
                let mut held = self.held.split();
                held.extend_from_slice(&octets);
                octets = held;
            }
        }
        let second = self.pass(&mut octets, limits);
        // A CR, or the start of a line that may belong to no message.
        self.held = octets;
        [first, second]
    }

    /// Octets of the chunks so far of which it cannot be told yet what they are.
    pub(super) fn held(&self) -> u64 {
        self.held.len() as u64
    }

    /// The last chunk has come; gives what was held back.
    pub(super) fn end(&mut self, limits: &Limits) -> Bytes {
        let mut held = self.held.split();
        let mut output = Output::over(&mut held);
        while !output.rest().is_empty() {
            if self.above(&mut output, true, limits) == Above::Nothing
                && !self.run(&mut output, limits)
            {
                // Nothing but a CR at the end needs more, and there is no more.
                self.stray(b'\r', &mut output, limits);
            }
        }
        if !self.line_ends.is_clear() {
            self.repair(&mut output, limits, LineEnds::text);
        }
        self.hand_on(output, limits)
    }

    /// Takes octets among which there are no stuffed dots; leaves a CR at their end.
    fn pass(&mut self, octets: &mut BytesMut, limits: &Limits) -> Bytes {
        let mut output = Output::over(octets);
        while !output.rest().is_empty() {
            match self.above(&mut output, false, limits) {
                Above::Gone => {}
                Above::Unknown => break,
                Above::Nothing if self.run(&mut output, limits) => {}
                Above::Nothing => break,
            }
        }
        self.hand_on(output, limits)
    }

    /// What was written, where the message is sound so far.
    fn hand_on(&mut self, output: Output<'_>, limits: &Limits) -> Bytes {
        self.came += output.came as u64;
        self.hold(limits);
        let piece = output.finish();
        if self.fault.is_some() {
            return Bytes::new();
        }
        self.eight_bit |= !piece.is_ascii();
        piece
    }

    /// Takes off what stands at the beginning of a line of the header section and belongs to no
    /// message.
    fn above(&mut self, output: &mut Output<'_>, complete: bool, limits: &Limits) -> Above {
        let at_line = self.line == 0 && !self.in_body && self.line_ends.is_clear();
        let first = output.rest().first().copied();
        if !at_line || !first.is_some_and(|first| self.opening.may_begin(first)) {
            self.opening.message_line();
            return Above::Nothing;
        }
        match self.opening.inspect(output.rest(), complete) {
            LineStart::Unknown => Above::Unknown,
            LineStart::Message => Above::Nothing,
            LineStart::ByteOrderMark(length) => {
                // For a server in front the line begins with it: no dot behind it is stuffed, and
                // none ends the message.
                self.line_start = false;
                output.drop(length);
                let repairs = self.repairs.get_or_insert_default();
                repairs.byte_order_mark(self.size);
                Above::Gone
            }
            LineStart::MboxLine(length) => {
                let line = &output.rest()[..length];
                // No dot behind a bare LF is the end of the message, behind this line as well.
                self.line_start = line.ends_with(b"\r\n");
                self.doubtful_end = line.ends_with(b"\r\r\n");
                let is_stray = !self.line_start || self.doubtful_end;
                if is_stray && !limits.repair_line_ends {
                    self.spoil(Fault::StrayOctet);
                }
                output.drop(length);
                self.repairs.get_or_insert_default().mbox_lines += 1;
                Above::Gone
            }
        }
    }

    /// Takes the next octets up to and with the next line end or stray octet; false where more
    /// octets are needed to tell what they are.
    fn run(&mut self, output: &mut Output<'_>, limits: &Limits) -> bool {
        let (text, stop) = run(output.rest());
        if text > 0 && !self.line_ends.is_clear() {
            self.repair(output, limits, LineEnds::text);
        }
        let is_end = stop == Stop::LineEnd;
        // Nearly always a whole line, which is passed on as it is.
        let passes = is_end && self.line_ends.is_clear();
        let length = if passes { text + 2 } else { text };
        if length > 0 {
            output.keep(length);
            self.size += length as u64;
            self.line += text;
            self.longest = self.longest.max(self.line);
            if self.line > limits.line {
                self.spoil(Fault::LineTooLong);
            }
            self.line_start = false;
            self.after_stray &= text == 0;
        }
        if passes {
            self.line_ended();
        }
        self.hold(limits);
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

    /// Takes a bare CR, a bare LF or a NUL.
    fn stray(&mut self, octet: u8, output: &mut Output<'_>, limits: &Limits) {
        self.line_start = false;
        self.after_stray = true;
        if !limits.repair_line_ends {
            output.drop(1);
            self.size += 1;
            self.spoil(Fault::StrayOctet);
            return self.hold(limits);
        }
        let write = match octet {
            b'\r' => LineEnds::cr,
            b'\n' => LineEnds::lf,
            _ => LineEnds::nul,
        };
        self.repair(output, limits, write);
        output.drop(1);
    }

    /// Writes what takes the place of stray octets, which is CRLF or nothing.
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
        self.hold(limits);
    }

    fn line_ended(&mut self) {
        self.in_body |= self.line == 0;
        self.line = 0;
    }

    /// Holds what has come against the limits on sections.
    fn hold(&mut self, limits: &Limits) {
        if !self.in_body && self.size > limits.header_size {
            self.spoil(Fault::HeaderTooLarge);
        }
        if self.size.max(self.came) > limits.message_size {
            self.spoil(Fault::MessageTooLarge);
        }
    }

    fn spoil(&mut self, fault: Fault) {
        self.fault = self.fault.max(Some(fault));
    }
}

/// What was found at the beginning of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Above {
    /// The message's own line.
    Nothing,
    /// Something that has been taken off.
    Gone,
    /// More octets are needed to tell.
    Unknown,
}

/// What a run of text ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// CRLF.
    LineEnd,
    /// A bare CR, a bare LF or a NUL.
    Stray(u8),
    /// Nothing of the kind: the line goes on.
    More,
}

/// The octets of text up to the next CRLF or stray octet, and which of them follows. A CR at the
/// very end is neither: it may be half of a CRLF.
fn run(rest: &[u8]) -> (usize, Stop) {
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
