//! Where the header section ends, and where in it each field stands.
//!
//! Other software reads the same octets with other rules, and what one reader overlooks another
//! obeys. So the section is read generously: policies should see every field that anyone might.
//! - A line ends with LF, with or without CR before it. (The SMTP session admits CRLF alone.)
//! - A line that begins with white space continues the field above it (RFC 5322 section 2.2.3).
//!   With no field above it, it belongs to none, and the section goes on: there is software that
//!   skips such lines and reads the fields below.
//! - Any other line with a colon begins a field, even when its name is not one that RFC 5322
//!   section 2.2 allows.
//! - The section ends after the first empty line, or before the first line that is none of these:
//!   that line and all after it are body. Else it ends with the message.

use memchr::memchr;

/// Octets beyond this are body, whatever they look like: positions in the index are 32 bits wide.
const LONGEST: usize = u32::MAX as usize;

/// The length of the header section at the start of `prefix`, with the empty line that ends it
/// where there is one. `complete` says that nothing follows `prefix`; without it, `None` means
/// that more octets are needed to tell.
///
/// Looks at all of `prefix`: a receiver that asks again and again keeps a [`HeadEnd`] instead.
pub fn head_length(prefix: &[u8], complete: bool) -> Option<usize> {
    HeadEnd::default().find(prefix, complete)
}

/// Looks for the end of the header section while a message arrives, at each octet once.
#[derive(Debug, Clone, Default)]
pub struct HeadEnd {
    /// Start of the first line not judged yet.
    line: usize,
    /// No line end stands between `line` and here.
    searched: usize,
}

impl HeadEnd {
    /// As [`head_length`], for a `received` that has only grown since the last call.
    pub fn find(&mut self, received: &[u8], complete: bool) -> Option<usize> {
        self.scan(received, complete, |_| ())
            .map(|section| section.length)
    }

    fn scan(
        &mut self,
        received: &[u8],
        complete: bool,
        mut found: impl FnMut(Start),
    ) -> Option<Section> {
        let complete = complete || received.len() >= LONGEST;
        let received = &received[..received.len().min(LONGEST)];
        loop {
            let unseen = received.get(self.searched..).unwrap_or_default();
            let end = match memchr(b'\n', unseen) {
                Some(position) => self.searched + position + 1,
                None => {
                    self.searched = received.len();
                    if !complete {
                        return None;
                    }
                    if self.line >= received.len() {
                        return Some(Section::new(received.len(), received.len()));
                    }
                    received.len()
                }
            };
            let line = &received[self.line..end];
            match line {
                b"\r\n" | b"\n" => return Some(Section::new(self.line, end)),
                [b' ' | b'\t', ..] => {}
                _ => match memchr(b':', line) {
                    Some(colon) => found(Start::new(self.line, self.line + colon)),
                    None => return Some(Section::new(self.line, self.line)),
                },
            }
            self.line = end;
            self.searched = end;
        }
    }
}

/// Where a header section ends.
#[derive(Debug)]
struct Section {
    /// End of the last field.
    fields: usize,
    /// The same with the empty line, if there is one.
    length: usize,
}

impl Section {
    fn new(fields: usize, length: usize) -> Self {
        Self { fields, length }
    }
}

/// Where a field starts. It ends where the next one starts, so eight octets are all that even a
/// head of the shortest fields costs for each.
#[derive(Debug, Clone, Copy)]
struct Start {
    name: u32,
    colon: u32,
}

impl Start {
    /// Both below [`LONGEST`].
    fn new(name: usize, colon: usize) -> Self {
        Self {
            name: name as u32,
            colon: colon as u32,
        }
    }
}

/// The fields of a header section, made in one pass over it.
#[derive(Debug)]
pub(crate) struct Index {
    starts: Box<[Start]>,
    section: Section,
}

impl Index {
    /// Reads the header section at the start of `octets`, after which nothing follows.
    pub(crate) fn of(octets: &[u8]) -> Self {
        let mut starts = Vec::new();
        let section = HeadEnd::default()
            .scan(octets, true, |start| starts.push(start))
            .unwrap_or(Section::new(0, 0));
        Self {
            starts: starts.into_boxed_slice(),
            section,
        }
    }

    /// How long the section is, with the empty line that ends it.
    pub(crate) fn length(&self) -> usize {
        self.section.length
    }

    /// Where the first field begins, or would.
    pub(crate) fn start_of_fields(&self) -> usize {
        match self.starts.first() {
            Some(first) => first.name as usize,
            None => self.section.fields,
        }
    }

    /// Where the fields end and the empty line, if there is one, begins.
    pub(crate) fn end_of_fields(&self) -> usize {
        self.section.fields
    }

    /// Start, colon and end of each field in the octets that were read.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (usize, usize, usize)> + Clone {
        self.starts.iter().enumerate().map(|(position, start)| {
            let end = match self.starts.get(position + 1) {
                Some(next) => next.name as usize,
                None => self.section.fields,
            };
            (start.name as usize, start.colon as usize, end)
        })
    }
}
