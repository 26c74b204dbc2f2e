//! Index of the header section: its end, and the place of each field.
//!
//! Other software reads the same octets by other rules, and one reader obeys a field that another
//! overlooks. So the section is read generously: policies should see every field that any reader
//! might see.
//! - A line ends with LF, with or without CR before it. (The SMTP session admits CRLF alone.)
//! - A line that begins with white space continues the field above it (RFC 5322 section 2.2.3).
//!   With no field above, it belongs to none, and the section continues: some software skips such
//!   lines and reads the fields below.
//! - Any other line with a colon begins a field, even if RFC 5322 section 2.2 does not allow its
//!   name.
//! - The section ends after the first empty line, or before the first line that is none of these:
//!   that line and all after it are body. Otherwise it ends with the message.

use memchr::memchr;

/// The most octets of a header section; octets beyond are body, whatever they look like. Positions
/// in the index are 32 bits wide.
const LONGEST: usize = u32::MAX as usize;

/// Returns the length of the header section at the start of `prefix`, with the empty line that ends
/// it where there is one. `complete` says that nothing follows `prefix`; without it, `None` means
/// that more octets are needed to tell.
///
/// It reads all of `prefix`: a receiver that asks again and again keeps a [`HeadEnd`] instead.
pub fn head_length(prefix: &[u8], complete: bool) -> Option<usize> {
    HeadEnd::default().find(prefix, complete)
}

/// Finds the end of the header section while a message arrives, and reads each octet once.
#[derive(Debug, Clone, Default)]
pub struct HeadEnd {
    /// Start of the first line not judged yet.
    line: usize,
    /// End of the octets in which no line end was found after `line`.
    searched: usize,
}

impl HeadEnd {
    /// Returns the same as [`head_length`], for a `received` that has only grown since the last
    /// call.
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

/// End of a header section.
#[derive(Debug)]
struct Section {
    /// End of the last field.
    fields: usize,
    /// End of the section, with the empty line, if there is one.
    length: usize,
}

impl Section {
    fn new(fields: usize, length: usize) -> Self {
        Self { fields, length }
    }
}

/// Start of a field. Its end is the start of the next, so that a field costs eight octets, even in
/// a header section of the shortest fields.
#[derive(Debug, Clone, Copy)]
struct Start {
    name: u32,
    colon: u32,
}

impl Start {
    /// Creates a start; both positions are below [`LONGEST`].
    fn new(name: usize, colon: usize) -> Self {
        Self {
            name: name as u32,
            colon: colon as u32,
        }
    }
}

/// Index of the fields of a header section, made in one pass over it.
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

    /// Returns the length of the section, with the empty line that ends it.
    pub(crate) fn length(&self) -> usize {
        self.section.length
    }

    /// Returns the start of the first field, or of where it would be.
    pub(crate) fn start_of_fields(&self) -> usize {
        match self.starts.first() {
            Some(first) => first.name as usize,
            None => self.section.fields,
        }
    }

    /// Returns the end of the fields, at which the empty line begins, if there is one.
    pub(crate) fn end_of_fields(&self) -> usize {
        self.section.fields
    }

    /// Returns start, colon and end of each field in the octets that were read.
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
