//! What the policy reads of the header section, found in one pass: one look at all fields for the
//! price of a copy, where a question for each name would cost a call.

use std::cell::OnceCell;
use std::ops::Range;

use gatepost_sdk::Message;
use gatepost_sdk::header::Header;

use crate::Settings;

/// Octets that are asked for at a time; most header sections are whole with the first.
const CHUNK: u32 = 64 << 10;

/// Fields that the policy reads; the last three have the names of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields' own names")]
pub enum Field {
    From,
    ReplyTo,
    Subject,
    MessageId,
    InReplyTo,
    References,
    DeliveredTo,
    EmailId,
    AccountId,
    Trigger,
}

/// A message with its header section at hand.
pub struct Head<'a> {
    message: &'a dyn Message,
    section: Vec<u8>,
    found: Vec<(Field, Range<usize>)>,
    received: u32,
    text: OnceCell<Vec<u8>>,
}

impl<'a> Head<'a> {
    /// Reads the header section.
    pub fn of(message: &'a dyn Message, settings: &Settings) -> Self {
        let section = section(message);
        let mut found = Vec::with_capacity(12);
        let mut received = 0;
        let mut begin = 0;
        while let Some(rest) = section.get(begin..).filter(|rest| !rest.is_empty()) {
            let length = field_length(rest);
            let field = rest.get(..length).unwrap_or_default();
            if let Some(colon) = memchr::memchr(b':', field) {
                let name = field.get(..colon).unwrap_or_default().trim_ascii_end();
                if name.eq_ignore_ascii_case(b"received") {
                    received += 1;
                } else if let Some(of) = known(name, settings) {
                    found.push((of, begin + colon + 1..begin + length));
                }
            }
            begin += length;
        }
        Self {
            message,
            section,
            found,
            received,
            text: OnceCell::new(),
        }
    }

    /// How many Received fields there are.
    pub fn received(&self) -> u32 {
        self.received
    }

    /// All fields of that kind, top to bottom, unfolded and trimmed.
    pub fn all(&self, field: Field) -> impl Iterator<Item = String> {
        let of = self.found.iter().filter(move |(of, _)| *of == field);
        of.map(|(_, at)| unfolded(self.section.get(at.clone()).unwrap_or_default()))
    }

    /// The first of that kind that is not empty.
    pub fn first(&self, field: Field) -> Option<String> {
        self.all(field).find(|value| !value.is_empty())
    }

    /// What the first of that kind says; nothing where it cannot be understood.
    pub fn read<H: Header>(&self, field: Field) -> Option<H> {
        H::parse(&self.first(field)?)
    }

    /// The beginning of the body, at most 4 KiB.
    pub fn beginning(&self) -> &[u8] {
        self.text
            .get_or_init(|| self.message.body_chunk(0, 4 << 10))
    }
}

/// The whole header section.
fn section(message: &dyn Message) -> Vec<u8> {
    let mut section = message.header_chunk(0, CHUNK);
    let mut last = section.len();
    while last >= CHUNK as usize {
        let more = message.header_chunk(section.len() as u64, CHUNK);
        last = more.len();
        section.extend_from_slice(&more);
    }
    section
}

/// Octets of the first field with its continuation lines.
fn field_length(octets: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let rest = octets.get(end..).unwrap_or_default();
        let Some(line) = memchr::memchr(b'\n', rest) else {
            return octets.len();
        };
        end += line + 1;
        if !matches!(octets.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

fn known(name: &[u8], settings: &Settings) -> Option<Field> {
    const NAMES: [(&str, Field); 7] = [
        ("from", Field::From),
        ("reply-to", Field::ReplyTo),
        ("subject", Field::Subject),
        ("message-id", Field::MessageId),
        ("in-reply-to", Field::InReplyTo),
        ("references", Field::References),
        ("delivered-to", Field::DeliveredTo),
    ];
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let ours = || {
        let named = [
            (&settings.email_id_header, Field::EmailId),
            (&settings.account_id_header, Field::AccountId),
            (&settings.trigger_header, Field::Trigger),
        ];
        named
            .into_iter()
            .find(|(known, _)| is(known))
            .map(|of| of.1)
    };
    let usual = NAMES.iter().find(|(known, _)| is(known)).map(|of| of.1);
    usual.or_else(ours)
}

fn unfolded(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let text = match text.contains(['\r', '\n']) {
        true => text.replace(['\r', '\n'], ""),
        false => text.into_owned(),
    };
    text.trim().to_owned()
}

/// The classification asks for the header section, which is here; what else it wants is with the
/// message.
impl Message for Head<'_> {
    fn header(&self, name: &str) -> Option<String> {
        self.message.header(name)
    }
    fn headers_named(&self, name: &str) -> Vec<String> {
        self.message.headers_named(name)
    }
    fn count(&self, name: &str) -> u32 {
        self.message.count(name)
    }
    fn headers(&self) -> Vec<(String, String)> {
        self.message.headers()
    }
    fn header_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let rest = usize::try_from(offset).ok();
        let rest = rest
            .and_then(|at| self.section.get(at..))
            .unwrap_or_default();
        let end = rest.len().min(length as usize);
        rest.get(..end).unwrap_or_default().to_vec()
    }
    fn header_size(&self) -> u64 {
        self.section.len() as u64
    }
    fn body_size(&self) -> u64 {
        self.message.body_size()
    }
    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        self.message.body_chunk(offset, length)
    }
}
