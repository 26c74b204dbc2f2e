//! Addresses and Message-IDs of header fields.

use gatepost_mailboxes::{ListedMailbox, mailboxes};
use gatepost_message::{Message, bare_message_id};
use mail_parser::parsers::MessageStream;
use serde::Serialize;

use crate::bounds::{LONGEST_NAME, MOST_IDS, beginning};

/// Address of a field, with the name that stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedAddress {
    /// Name, decoded; at most 200 octets.
    pub name: Option<String>,
    /// Address as it was written.
    pub address: String,
}

/// Returns the addresses of all fields of a name.
pub(crate) fn addresses(message: &Message, field: &str) -> Vec<NamedAddress> {
    let fields = message.headers_named(field);
    let found = fields.iter().flat_map(mailboxes).filter_map(named);
    found.take(gatepost_mailboxes::ADDRESS_LIMIT).collect()
}

fn named(mailbox: ListedMailbox) -> Option<NamedAddress> {
    let address = mailbox.address?.to_string();
    let name = decoded(&mailbox.name);
    let name = (!name.is_empty()).then_some(name);
    Some(NamedAddress { name, address })
}

/// Decodes the encoded words of a text (RFC 2047), and returns it on one line.
pub(crate) fn decoded(text: &str) -> String {
    let field = format!("{text}\r\n");
    let decoded = MessageStream::new(field.as_bytes()).parse_unstructured();
    let decoded = decoded.as_text().unwrap_or_default();
    one_line(decoded, LONGEST_NAME)
}

/// Returns a text on one line, without control characters, of at most so many octets.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let text = beginning(text, 4 * most);
    let visible = |sign: char| !sign.is_control() || sign.is_whitespace();
    let text: String = text.chars().filter(|sign| visible(*sign)).collect();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    beginning(&words, most).trim_end().to_owned()
}

/// Returns the Message-IDs of all fields of a name, in their order and with angle brackets.
pub(crate) fn message_ids(message: &Message, field: &str) -> Vec<String> {
    let fields = message.headers_named(field);
    let words = fields.iter().flat_map(|field| field.split_whitespace());
    let ids = words.filter(|word| word.starts_with('<'));
    let ids = ids.filter_map(bare_message_id).map(|id| format!("<{id}>"));
    ids.take(MOST_IDS).collect()
}
