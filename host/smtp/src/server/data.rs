//! What follows DATA: finds its end, takes the stuffed dots out, and watches its lines. A message in
//! chunks (RFC 3030) has no end to be found and no dots, and its lines are watched alike.
//!
//! The end is CRLF `.` CRLF alone (RFC 5321 section 4.1.1.4); the CRLF of the DATA command counts
//! as the first. Servers that took anything else for it let one client smuggle a second message
//! past another server, and so a bare CR, a bare LF or a NUL spoils the whole message here: it is
//! swallowed to its real end and refused.
//!
//! Octets are moved only where a dot was taken out before them in the same piece; else what came
//! in is handed on as it is.

use std::mem;

use bytes::{Buf, Bytes, BytesMut};
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

/// Decodes one message.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Octets of the message so far, dots unstuffed.
    pub(super) size: u64,
    /// Whether one of them is outside ASCII.
    pub(super) eight_bit: bool,
    /// What is wrong with it, if anything. Once it is set, nothing more is handed on.
    pub(super) fault: Option<Fault>,
    /// Whether the next octet is the first of a line.
    line_start: bool,
    /// Octets of the line so far.
    line: usize,
    /// Whether the empty line after the header section is behind.
    in_body: bool,
    /// Whether the last octet of the last chunk was a CR.
    after_cr: bool,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            size: 0,
            eight_bit: false,
            fault: None,
            line_start: true,
            line: 0,
            in_body: false,
            after_cr: false,
        }
    }

    /// Takes what it can off the input. Returns the next piece of the message, which may be
    /// empty, and whether it was the last. At most two octets are left when more is needed: a
    /// dot or a CR of which it is not clear yet what they are.
    pub(super) fn decode(&mut self, input: &mut BytesMut, limits: &Limits) -> (Bytes, bool) {
        let (mut read, mut write) = (0, 0);
        let mut ended = false;
        while read < input.len() {
            let rest = &input[read..];
            if self.line_start && rest[0] == b'.' {
                match rest[1..] {
                    [] | [b'\r'] => break,
                    [b'\r', b'\n', ..] => {
                        read += 3;
                        ended = true;
                        break;
                    }
                    _ => {
                        read += 1;
                        self.line_start = false;
                        continue;
                    }
                }
            }
            let (length, stop) = run(rest);
            if length == 0 {
                break;
            }
            if write != read {
                input.copy_within(read..read + length, write);
            }
            read += length;
            write += length;
            self.account(length, stop.text(length), stop, limits);
        }
        if self.fault.is_some() {
            input.advance(read);
            return (Bytes::new(), ended);
        }
        let piece = input.split_to(write).freeze();
        input.advance(read - write);
        self.eight_bit |= !piece.is_ascii();
        (piece, ended)
    }

    /// Looks at octets of a chunk (RFC 3030), all of which belong to the message.
    pub(super) fn inspect(&mut self, octets: &[u8], limits: &Limits) {
        self.eight_bit |= !octets.is_ascii();
        let mut rest = octets;
        while let Some(first) = rest.first() {
            if mem::take(&mut self.after_cr) {
                match first {
                    b'\n' => {
                        self.account(1, 0, Stop::LineEnd, limits);
                        rest = &rest[1..];
                    }
                    _ => self.account(0, 1, Stop::Stray, limits),
                }
                continue;
            }
            let (length, stop) = run(rest);
            if length == 0 {
                self.account(1, 0, Stop::More, limits);
                self.after_cr = true;
                return;
            }
            self.account(length, stop.text(length), stop, limits);
            rest = &rest[length..];
        }
    }

    /// The last chunk has come.
    pub(super) fn end(&mut self) {
        if self.after_cr {
            self.spoil(Fault::StrayOctet);
        }
    }

    /// Counts a run of so many octets, so many of which are a line's text, and holds it against
    /// the limits.
    fn account(&mut self, length: usize, text: usize, stop: Stop, limits: &Limits) {
        self.size += length as u64;
        self.line += text;
        match stop {
            Stop::LineEnd => self.in_body |= self.line == 0,
            Stop::More => {}
            Stop::Stray => self.spoil(Fault::StrayOctet),
        }
        if self.line > limits.line {
            self.spoil(Fault::LineTooLong);
        }
        if !self.in_body && self.size > limits.header_size {
            self.spoil(Fault::HeaderTooLarge);
        }
        if self.size > limits.message_size {
            self.spoil(Fault::MessageTooLarge);
        }
        self.line_start = stop == Stop::LineEnd;
        if self.line_start {
            self.line = 0;
        }
    }

    fn spoil(&mut self, fault: Fault) {
        self.fault = self.fault.max(Some(fault));
    }
}

/// What a run of octets ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// CRLF.
    LineEnd,
    /// A bare CR, a bare LF or a NUL.
    Stray,
    /// Nothing of the kind: the line goes on.
    More,
}

impl Stop {
    /// How many octets of a run that ends so are text.
    fn text(self, length: usize) -> usize {
        match self {
            Self::LineEnd => length - 2,
            Self::Stray | Self::More => length,
        }
    }
}

/// The octets up to and with the next CRLF or stray octet. A CR at the very end is left out: it
/// may be half of a CRLF.
fn run(rest: &[u8]) -> (usize, Stop) {
    match memchr3(b'\r', b'\n', 0, rest) {
        None => (rest.len(), Stop::More),
        Some(at) if rest[at] != b'\r' => (at + 1, Stop::Stray),
        Some(at) => match rest.get(at + 1) {
            Some(b'\n') => (at + 2, Stop::LineEnd),
            Some(_) => (at + 1, Stop::Stray),
            None => (at, Stop::More),
        },
    }
}
