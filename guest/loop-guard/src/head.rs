//! Header fields that the policy reads, found in one pass over the [section](Section) that the
//! classification reads as well.

use std::cell::OnceCell;
use std::rc::Rc;

use gatepost_sdk::header::{Header, Section};
use gatepost_sdk::{Message, bounds};

use crate::Settings;

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
    EmailId,
    AccountId,
    Trigger,
}

/// Bytes of a field in which the first of several addresses is looked for.
const ADDRESS_BYTES: usize = 4 << 10;

/// Message with its header section at hand.
pub struct Head<'a> {
    message: &'a dyn Message,
    section: Rc<Section>,
    /// Fields that are read, each with its number in the section.
    found: Vec<(Field, usize)>,
    received: u32,
    text: OnceCell<Vec<u8>>,
}

impl<'a> Head<'a> {
    /// Reads the header section.
    pub fn of(message: &'a dyn Message, settings: &Settings) -> Self {
        let section = message.section();
        let mut found = Vec::with_capacity(12);
        let mut received = 0;
        for (number, field) in section.fields().enumerate() {
            let name = field.name();
            if name.eq_ignore_ascii_case(b"received") {
                received += 1;
            } else if let Some(of) = field_named(name, settings) {
                found.push((of, number));
            }
        }
        Self {
            message,
            section,
            found,
            received,
            text: OnceCell::new(),
        }
    }

    /// Returns the number of Received fields.
    pub fn received(&self) -> u32 {
        self.received
    }

    /// Returns all fields of a name, top to bottom, unfolded and trimmed.
    pub fn all(&self, field: Field) -> impl Iterator<Item = String> {
        let of = self.found.iter().filter(move |(of, _)| *of == field);
        of.filter_map(|(_, number)| Some(self.section.field(*number)?.value()))
    }

    /// Returns the first field of a name that is not empty.
    pub fn first(&self, field: Field) -> Option<String> {
        self.all(field).find(|value| !value.is_empty())
    }

    /// Parses the first field of a name; none if that fails.
    pub fn read<H: Header>(&self, field: Field) -> Option<H> {
        H::parse(&self.first(field)?)
    }

    /// Parses the beginning of the first field of a name, where only the first of several addresses
    /// is wanted.
    pub fn read_beginning<H: Header>(&self, field: Field) -> Option<H> {
        H::parse(bounds::list(&self.first(field)?, ADDRESS_BYTES))
    }

    /// Returns the beginning of the body, at most 4 KiB.
    pub fn beginning(&self) -> &[u8] {
        self.text
            .get_or_init(|| self.message.body_chunk(0, 4 << 10))
    }
}

fn field_named(name: &[u8], settings: &Settings) -> Option<Field> {
    const NAMES: [(&str, Field); 6] = [
        ("from", Field::From),
        ("reply-to", Field::ReplyTo),
        ("subject", Field::Subject),
        ("message-id", Field::MessageId),
        ("in-reply-to", Field::InReplyTo),
        ("references", Field::References),
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

/// Hands the header section to the classification without reading it again; all else is the
/// message's.
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
    fn section(&self) -> Rc<Section> {
        Rc::clone(&self.section)
    }
    fn header_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        self.message.header_chunk(offset, length)
    }
    fn header_size(&self) -> u64 {
        self.message.header_size()
    }
    fn body_size(&self) -> u64 {
        self.message.body_size()
    }
    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        self.message.body_chunk(offset, length)
    }
}
