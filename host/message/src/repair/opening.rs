//! What may stand above the first field and belongs to no message.

/// The longest line of an mbox that is known for one; it holds an address and a date.
const LONGEST: usize = 1000;

/// The most such lines; each server that stores a message in an mbox adds one.
const MOST_LINES: u8 = 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Looks at the first octets of a message for what belongs to none: a byte order mark, which a
/// script has read from a file with its template, and lines `From ann@x.example Sat Jan …` of an
/// mbox (RFC 4155), quoted with `>` or not, which a program has handed on with the message.
///
/// `From :` is a field (RFC 5322 section 4.5.1), and stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opening {
    over: bool,
    /// A byte order mark or a line has been found.
    begun: bool,
    lines: u8,
}

/// What the first octets of a message are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// More octets are needed to tell.
    Unknown,
    /// A byte order mark of so many octets.
    ByteOrderMark(usize),
    /// A line of an mbox of so many octets, its end included.
    MboxLine(usize),
    /// The message itself; it stays at that.
    Message,
}

impl Opening {
    /// One that takes everything for the message itself.
    pub fn kept() -> Self {
        Self {
            over: true,
            ..Self::default()
        }
    }

    /// Whether the message itself has not begun.
    pub fn is_open(&self) -> bool {
        !self.over
    }

    /// Looks at the octets that are there, those that were told of before being gone. `complete`
    /// says that no more come.
    pub fn look(&mut self, octets: &[u8], complete: bool) -> Begun {
        let found = match self.over {
            true => Begun::Message,
            false => self.find(octets, complete),
        };
        match found {
            Begun::Message => self.over = true,
            Begun::Unknown => {}
            Begun::ByteOrderMark(_) => self.begun = true,
            Begun::MboxLine(_) => {
                self.begun = true;
                self.lines += 1;
                self.over = self.lines == MOST_LINES;
            }
        }
        found
    }

    fn find(&self, octets: &[u8], complete: bool) -> Begun {
        let undecided = match complete {
            true => Begun::Message,
            false => Begun::Unknown,
        };
        if !self.begun {
            if octets.starts_with(BYTE_ORDER_MARK) {
                return Begun::ByteOrderMark(BYTE_ORDER_MARK.len());
            }
            if BYTE_ORDER_MARK.starts_with(octets) {
                return undecided;
            }
        }
        let quotes = octets.iter().take_while(|octet| **octet == b'>').count();
        let word = octets.get(quotes..).unwrap_or_default();
        let Some(rest) = word.strip_prefix(b"From ") else {
            let may_become = b"From ".starts_with(word) && octets.len() <= LONGEST;
            return if may_become {
                undecided
            } else {
                Begun::Message
            };
        };
        let line = rest.iter().take(LONGEST);
        let end = line
            .enumerate()
            .find(|(_, octet)| matches!(**octet, b'\r' | b'\n' | 0));
        let Some((text, _)) = end else {
            let too_long = octets.len() > LONGEST;
            return if too_long { Begun::Message } else { undecided };
        };
        let said = rest.get(..text).unwrap_or_default().trim_ascii_start();
        if said.is_empty() || said.starts_with(b":") {
            return Begun::Message;
        }
        let begin = octets.len() - rest.len();
        let end = rest.get(text..).unwrap_or_default();
        let cr = end.iter().take_while(|octet| **octet == b'\r').count();
        match end.get(cr) {
            Some(b'\n') => Begun::MboxLine(begin + text + cr + 1),
            None if octets.len() <= LONGEST => undecided,
            _ => Begun::Message,
        }
    }
}
