//! What stands among the fields of a header section, or above them, and is none.

/// The longest line of an mbox that is known for one; it holds an address and a date.
const LONGEST: usize = 1000;

/// The most of such that are looked for; each server that stores a message in an mbox adds one line.
const MOST: u8 = 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// Looks at the beginnings of lines of a header section for what belongs to no field: a byte order
/// mark, which a script has read from a file with its template, and lines
/// `From ann@x.example Sat Jan …` of an mbox (RFC 4155), quoted with `>` or not, which a program has
/// handed on with the message. Servers on the way may have put their fields above them.
///
/// `From :` is a field (RFC 5322 section 4.5.1), and stays. Below the first line, a line of an mbox
/// is known by its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opening {
    found: u8,
    /// A line of the message itself has been seen.
    begun: bool,
    over: bool,
}

/// What a line of a header section begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// More octets are needed to tell.
    Unknown,
    /// A byte order mark of so many octets.
    ByteOrderMark(usize),
    /// A line of an mbox of so many octets, its end included.
    MboxLine(usize),
    /// Something of the message itself.
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

    /// Whether a line that begins with this octet is to be looked at.
    pub fn may_begin(&self, octet: u8) -> bool {
        !self.over && matches!(octet, 0xef | b'>' | b'F')
    }

    /// Looks at the beginning of a line, what was told of before being gone. `complete` says that
    /// no more octets come.
    pub fn look(&mut self, octets: &[u8], complete: bool) -> Begun {
        let found = match self.over {
            true => Begun::Message,
            false => self.find(octets, complete),
        };
        match found {
            Begun::Message => self.begun = true,
            Begun::Unknown => {}
            Begun::ByteOrderMark(_) | Begun::MboxLine(_) => {
                self.found += 1;
                self.over = self.found == MOST;
            }
        }
        found
    }

    /// A line that was not looked at belongs to the message.
    pub fn pass(&mut self) {
        self.begun = true;
    }

    fn find(&self, octets: &[u8], complete: bool) -> Begun {
        let undecided = match complete {
            true => Begun::Message,
            false => Begun::Unknown,
        };
        if octets.starts_with(BYTE_ORDER_MARK) {
            return Begun::ByteOrderMark(BYTE_ORDER_MARK.len());
        }
        if BYTE_ORDER_MARK.starts_with(octets) {
            return undecided;
        }
        let quotes = octets.iter().take_while(|octet| **octet == b'>').count();
        let word = octets.get(quotes..).unwrap_or_default();
        let Some(rest) = word.strip_prefix(b"From ") else {
            let may_become = b"From ".starts_with(word) && octets.len() <= LONGEST;
            return match may_become {
                true => undecided,
                false => Begun::Message,
            };
        };
        let mut line = rest.iter().take(LONGEST);
        let end = line.position(|octet| matches!(octet, b'\r' | b'\n' | 0));
        let Some(text) = end else {
            return match octets.len() > LONGEST {
                true => Begun::Message,
                false => undecided,
            };
        };
        let said = rest.get(..text).unwrap_or_default().trim_ascii_start();
        if said.is_empty() || said.starts_with(b":") || self.begun && !has_date(said) {
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

/// Whether a day of the week stands behind the address, as in `Sat Jan  3 10:00:00 2026`.
fn has_date(said: &[u8]) -> bool {
    let mut words = said.split(|octet| *octet == b' ');
    words.nth(1).is_some_and(|word| DAYS.contains(&word))
}
