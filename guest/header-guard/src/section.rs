//! The header section: its fields, and its first fault.
//!
//! The relay reads a header section generously, so that policies see every field that any reader
//! might see. This module finds deviations from RFC 5322.

use std::rc::Rc;

use gatepost_sdk::{Message, bounds, header};

/// The fields of a header section.
pub struct Section {
    read: Rc<header::Section>,
    malformed: Option<String>,
}

/// One field.
#[derive(Clone, Copy)]
pub struct Field<'a>(header::Field<'a>);

impl Section {
    /// Reads the header section of a message.
    pub fn of(message: &dyn Message) -> Self {
        let read = message.section();
        let malformed = malformed(&read, message);
        Self { read, malformed }
    }

    /// Returns the first deviation from RFC 5322, if there is one.
    pub fn malformed(&self) -> Option<&str> {
        self.malformed.as_deref()
    }

    /// Returns true if the section was not read to its end.
    pub fn is_cut(&self) -> bool {
        self.read.is_cut()
    }

    /// Returns all fields, top to bottom.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.read.fields().map(Field)
    }

    /// Returns the fields of a name; case does not matter.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// Returns true if there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }
}

/// Returns the first fault of a section.
fn malformed(read: &header::Section, message: &dyn Message) -> Option<String> {
    let octets = read.octets();
    if matches!(octets, [b' ' | b'\t', ..]) {
        return Some("it begins with a continued line".to_owned());
    }
    for field in read.fields() {
        let name = field.name();
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            let shown = name.get(..40).unwrap_or(name).escape_ascii();
            return Some(format!(
                "\"{shown}\" is not a header's name (RFC 5322 section 2.2)"
            ));
        }
        if memchr::memchr(0, field.raw()).is_some() {
            return Some("it has a NUL (RFC 5322 section 2.2)".to_owned());
        }
    }
    let ended = octets == b"\r\n" || octets == b"\n" || ends_with_an_empty_line(octets);
    (!ended && !read.is_cut() && message.body_size() > 0)
        .then(|| "a line that is no header field ends it (RFC 5322 section 2.2)".to_owned())
}

fn ends_with_an_empty_line(octets: &[u8]) -> bool {
    octets.ends_with(b"\n\r\n") || octets.ends_with(b"\n\n")
}

impl<'a> Field<'a> {
    /// Returns true if it has this name; case does not matter.
    pub fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    /// Returns the name as it is spelt.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(self.0.name()).into_owned()
    }

    /// Returns the octets of name, colon and body, folds included.
    pub fn size(&self) -> usize {
        self.0.name().len() + 1 + self.body().len()
    }

    /// Returns the body, unfolded and trimmed, as far as it is read.
    pub fn value(&self) -> String {
        self.0.value()
    }

    /// Returns true if the body was not read to its end.
    pub fn is_cut(&self) -> bool {
        self.0.is_cut()
    }

    /// Returns true if its body has the same octets as that of another.
    pub fn repeats(&self, other: &Self) -> bool {
        self.body() == other.body()
    }

    fn body(&self) -> &'a [u8] {
        let body = self.0.body();
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        body.strip_suffix(b"\r").unwrap_or(body)
    }

    /// Returns the body in a form that can be written again, octet for octet except the white space
    /// in front; `None` if the relay would refuse to write it.
    pub fn rewritable(&self) -> Option<&'a str> {
        let body = str::from_utf8(self.body()).ok()?;
        let body = body.trim_start_matches([' ', '\t']);
        let odd = |c: char| c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}');
        let mut lines = body.split("\r\n");
        let first = lines
            .next()
            .is_none_or(|line| line.len() <= 900 && !line.contains(odd));
        let rest =
            lines.all(|line| line.len() <= 990 && !line.contains(odd) && !line.trim().is_empty());
        (first && rest && body.len() <= bounds::FIELD).then_some(body)
    }
}
