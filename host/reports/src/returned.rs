//! The message that a report returns: its header section, mostly.

use gatepost_message::{Address, Message};

use crate::bounds::{LONGEST_TEXT, MOST_RETURNED, text};

/// Most addresses of To that are read.
const MOST_TO: usize = 16;

/// Header section of the message that a report is about.
#[derive(Debug, Clone, Default)]
pub struct Returned {
    /// The header section, with whatever of the body came with it.
    pub message: Option<Message>,
    /// Message-ID of the message where the report itself says it.
    named: Option<String>,
}

impl Returned {
    /// Makes it of the octets of a message or of its header section.
    pub(crate) fn of(octets: &[u8]) -> Self {
        let octets = octets.get(..MOST_RETURNED).unwrap_or(octets);
        Self {
            message: Some(Message::from_stored(octets)),
            named: None,
        }
    }

    /// Adds the Message-ID that the report says, with its angle brackets.
    pub(crate) fn with_id(mut self, id: &str) -> Self {
        let id = text(id.trim(), LONGEST_TEXT);
        if id.starts_with('<') && id.ends_with('>') && !id.contains(char::is_whitespace) {
            self.named = Some(id.to_owned());
        }
        self
    }

    /// Returns the Message-ID, with its angle brackets.
    pub fn message_id(&self) -> Option<String> {
        let field = |message: &Message| {
            let id = message.header("Message-ID")?;
            let id = id.split_whitespace().next()?;
            (id.len() <= LONGEST_TEXT).then(|| id.to_owned())
        };
        let found = self.message.as_ref().and_then(field);
        found.or_else(|| self.named.clone())
    }

    /// Returns the addresses of a field.
    fn addresses(&self, name: &str) -> Vec<Address> {
        let field = self.message.as_ref().and_then(|of| of.header(name));
        let listed = gatepost_mailboxes::mailboxes(field.unwrap_or_default());
        let parsed = listed.into_iter().take(MOST_TO);
        let parsed = parsed.filter_map(|of| Address::parse(&of.address?.to_string()).ok());
        parsed.collect()
    }

    /// Returns the recipients in To.
    pub fn to(&self) -> Vec<Address> {
        self.addresses("To")
    }

    /// Returns the authors in From.
    pub(crate) fn from(&self) -> Vec<Address> {
        self.addresses("From")
    }
}
