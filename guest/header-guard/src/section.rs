//! The header section, read once: what fields there are, and what is malformed about it.
//!
//! The relay reads a header section generously, so that policies see every field that anyone might.
//! What of it is no header section by RFC 5322 is told here.

use std::ops::Range;

use gatepost_sdk::Message;

/// Octets that are asked for at a time; most header sections are whole with the first.
const CHUNK: u32 = 64 << 10;

/// The fields of a header section.
pub struct Section {
    octets: Vec<u8>,
    fields: Vec<Place>,
    malformed: Option<String>,
}

/// Where a field stands.
struct Place {
    name: Range<usize>,
    /// Behind the colon, without the line end.
    body: Range<usize>,
}

/// One field.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    name: &'a [u8],
    body: &'a [u8],
}

impl Section {
    /// Reads that of a message.
    pub fn of(message: &dyn Message) -> Self {
        let mut octets = message.header_chunk(0, CHUNK);
        let mut last = octets.len();
        while last >= CHUNK as usize {
            let more = message.header_chunk(octets.len() as u64, CHUNK);
            last = more.len();
            octets.extend_from_slice(&more);
        }
        let mut section = Self {
            fields: Vec::with_capacity(octets.len() / 40),
            octets,
            malformed: None,
        };
        let ended = section.read();
        if !ended && section.malformed.is_none() && message.body_size() > 0 {
            section.malformed =
                Some("a line that is no header field ends it (RFC 5322 section 2.2)".into());
        }
        section
    }

    /// Finds the fields; says whether an empty line ends them.
    fn read(&mut self) -> bool {
        let mut begin = 0;
        while begin < self.octets.len() {
            let end = line_end(&self.octets, begin);
            let line = &self.octets[begin..end];
            let mut problem = None;
            match line {
                b"\r\n" | b"\n" => return true,
                [b' ' | b'\t', ..] => match self.fields.last_mut() {
                    Some(field) => field.body.end = begin + without_line_end(line).len(),
                    None => problem = Some("it begins with a continued line".to_owned()),
                },
                _ => {
                    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
                    let name = line[..colon].trim_ascii_end();
                    if name.is_empty() || !name.iter().all(|octet| octet.is_ascii_graphic()) {
                        let shown = name.get(..40).unwrap_or(name).escape_ascii();
                        problem = Some(format!(
                            "\"{shown}\" is not a header's name (RFC 5322 section 2.2)"
                        ));
                    }
                    let last = begin + without_line_end(line).len();
                    self.fields.push(Place {
                        name: begin..begin + name.len(),
                        body: (begin + colon + 1).min(last)..last,
                    });
                }
            }
            if problem.is_none() && memchr::memchr(0, line).is_some() {
                problem = Some("it has a NUL (RFC 5322 section 2.2)".to_owned());
            }
            if self.malformed.is_none() {
                self.malformed = problem;
            }
            begin = end;
        }
        false
    }

    /// What of it is not as RFC 5322 says, if anything.
    pub fn malformed(&self) -> Option<&str> {
        self.malformed.as_deref()
    }

    /// All fields, top to bottom.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().map(|place| Field {
            name: &self.octets[place.name.clone()],
            body: &self.octets[place.body.clone()],
        })
    }

    /// The fields of a name, in any case.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// Whether there is one of that name.
    pub fn has(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }
}

impl<'a> Field<'a> {
    /// Whether it has this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The name as it is spelt.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(self.name).into_owned()
    }

    /// Octets of name, colon and body, folds and all.
    pub fn size(&self) -> usize {
        self.name.len() + 1 + self.body.len()
    }

    /// What it says, unfolded and trimmed.
    pub fn value(&self) -> String {
        let text = String::from_utf8_lossy(self.body);
        let unfolded: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        unfolded.trim().to_owned()
    }

    /// The body as it could be written again, octet for octet but for the white space in front;
    /// `None` where the relay would not write such a one.
    pub fn rewritable(&self) -> Option<&'a str> {
        let body = str::from_utf8(self.body).ok()?;
        let body = body.trim_start_matches([' ', '\t']);
        let odd = |c: char| c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}');
        let mut lines = body.split("\r\n");
        let first = lines
            .next()
            .is_none_or(|line| line.len() <= 900 && !line.contains(odd));
        let rest =
            lines.all(|line| line.len() <= 998 && !line.contains(odd) && !line.trim().is_empty());
        (first && rest && body.len() <= 64 << 10).then_some(body)
    }
}

fn line_end(octets: &[u8], begin: usize) -> usize {
    let line = memchr::memchr(b'\n', &octets[begin..]);
    line.map_or(octets.len(), |length| begin + length + 1)
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
