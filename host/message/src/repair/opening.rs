//! Byte order marks and mbox lines among or above the fields of a header section.

/// The most octets of a line that is recognised as an mbox line; it holds an address and a date.
const MAX_MBOX_LINE: usize = 1000;

/// The most marks and lines that are removed; each server that stores a message in an mbox adds one
/// line.
const MAX_REMOVED: u8 = 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// Recognises lines of a header section that begin with something foreign: a byte order mark, which
/// a script has read from its template file, or an mbox line `From ann@x.example Sat Jan …`
/// (RFC 4155), quoted with `>` or not, which a program has handed on with the message. Servers on
/// the way may have put their fields above them.
///
/// `From :` is a field (RFC 5322 section 4.5.1), and stays. Below the first line, only a line with
/// a date is taken for an mbox line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opening {
    found: u8,
    /// True once a line of the message itself was seen.
    begun: bool,
    /// True if no more lines are inspected.
    over: bool,
}

/// First octets of a line of a header section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStart {
    /// More octets are needed to tell.
    Unknown,
    /// A byte order mark; its length in octets.
    ByteOrderMark(usize),
    /// An mbox line; its length in octets, with the line end.
    MboxLine(usize),
    /// A line of the message itself.
    Message,
}

impl Opening {
    /// Returns an `Opening` that takes every line for one of the message itself.
    pub fn disabled() -> Self {
        Self {
            over: true,
            ..Self::default()
        }
    }

    /// Returns true if a line that begins with this octet has to be inspected.
    pub fn may_begin(&self, octet: u8) -> bool {
        !self.over && matches!(octet, 0xef | b'>' | b'F')
    }

    /// Inspects the beginning of a line, from which earlier finds were removed. `complete` says
    /// that no more octets come.
    pub fn inspect(&mut self, octets: &[u8], complete: bool) -> LineStart {
        let found = match self.over {
            true => LineStart::Message,
            false => self.find(octets, complete),
        };
        match found {
            LineStart::Message => self.begun = true,
            LineStart::Unknown => {}
            LineStart::ByteOrderMark(_) | LineStart::MboxLine(_) => {
                self.found += 1;
                self.over = self.found == MAX_REMOVED;
            }
        }
        found
    }

    /// Notes a line that was not inspected, and so belongs to the message.
    pub fn message_line(&mut self) {
        self.begun = true;
    }

    fn find(&self, octets: &[u8], complete: bool) -> LineStart {
        let undecided = match complete {
            true => LineStart::Message,
            false => LineStart::Unknown,
        };
        if octets.starts_with(BYTE_ORDER_MARK) {
            return LineStart::ByteOrderMark(BYTE_ORDER_MARK.len());
        }
        if BYTE_ORDER_MARK.starts_with(octets) {
            return undecided;
        }
        let quotes = octets.iter().take_while(|octet| **octet == b'>').count();
        let word = octets.get(quotes..).unwrap_or_default();
        let Some(rest) = word.strip_prefix(b"From ") else {
            let may_become = b"From ".starts_with(word) && octets.len() <= MAX_MBOX_LINE;
            return match may_become {
                true => undecided,
                false => LineStart::Message,
            };
        };
        let mut line = rest.iter().take(MAX_MBOX_LINE);
        let end = line.position(|octet| matches!(octet, b'\r' | b'\n' | 0));
        let Some(text) = end else {
            return match octets.len() > MAX_MBOX_LINE {
                true => LineStart::Message,
                false => undecided,
            };
        };
        let after_from = rest.get(..text).unwrap_or_default().trim_ascii_start();
        if after_from.is_empty()
            || after_from.starts_with(b":")
            || self.begun && !has_date(after_from)
        {
            return LineStart::Message;
        }
        let begin = octets.len() - rest.len();
        let end = rest.get(text..).unwrap_or_default();
        let cr = end.iter().take_while(|octet| **octet == b'\r').count();
        match end.get(cr) {
            Some(b'\n') => LineStart::MboxLine(begin + text + cr + 1),
            None if octets.len() <= MAX_MBOX_LINE => undecided,
            _ => LineStart::Message,
        }
    }
}

/// Returns true if a day of the week follows the address, as in `Sat Jan  3 10:00:00 2026`.
fn has_date(text: &[u8]) -> bool {
    let mut words = text.split(|octet| *octet == b' ');
    words.nth(1).is_some_and(|word| DAYS.contains(&word))
}
