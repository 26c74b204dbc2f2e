//! The header section, read once: what fields there are, and what is malformed about it.
//!
//! The relay reads a header section generously, so that policies see every field that anyone might.
//! What of it is no header section by RFC 5322 is told here.

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
    /// Reads that of a message.
    pub fn of(message: &dyn Message) -> Self {
        let read = message.section();
        let malformed = malformed(&read, message);
        Self { read, malformed }
    }

    /// What of it is not as RFC 5322 says, if anything.
    pub fn malformed(&self) -> Option<&str> {
        self.malformed.as_deref()
    }

    /// Whether something may stand there that was not read.
    pub fn is_cut(&self) -> bool {
        self.read.is_cut()
    }

    /// All fields, top to bottom.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.read.fields().map(Field)
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

/// The first thing that is wrong with a section.
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
    /// Whether it has this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    /// The name as it is spelt.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(self.0.name()).into_owned()
    }

    /// Octets of name, colon and body, folds and all.
    pub fn size(&self) -> usize {
        self.0.name().len() + 1 + self.body().len()
    }

    /// What it says, unfolded and trimmed, as far as it is read.
    pub fn value(&self) -> String {
        self.0.value()
    }

    /// Whether it says more than that.
    pub fn is_cut(&self) -> bool {
        self.0.is_cut()
    }

    fn body(&self) -> &'a [u8] {
        let body = self.0.body();
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        body.strip_suffix(b"\r").unwrap_or(body)
    }

    /// The body as it could be written again, octet for octet but for the white space in front;
    /// `None` where the relay would not write such a one.
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
