//! Messages between desks, and drafts of them.

use bytes::Bytes;
use gatepost_message::{Edit, FieldBody, FieldName, Message, Millis};

/// True author of a letter, whatever its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Person, with the number of the letter.
    Agent(u32),
    /// Application by itself, with the number of the person's letter that set it off.
    Machine(u32),
}

impl Author {
    /// Returns the author of an automatic answer to this one.
    pub fn answering(self) -> Self {
        let (Self::Agent(root) | Self::Machine(root)) = self;
        Self::Machine(root)
    }

    /// Returns true if a person wrote it.
    pub fn is_agent(self) -> bool {
        matches!(self, Self::Agent(_))
    }
}

/// Message on its way to one recipient.
#[derive(Debug, Clone)]
pub struct Letter {
    pub author: Author,
    /// Domain of the desk that wrote it.
    pub desk: String,
    /// Reverse-path; empty if it is null.
    pub from: String,
    pub to: String,
    pub message: Message,
    /// Number of failed attempts.
    pub tries: u32,
}

/// Message that a desk is about to submit.
#[derive(Debug, Default)]
pub struct Draft {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub body: String,
    /// True if the reverse-path is null.
    pub null_path: bool,
    /// Further fields.
    pub fields: Vec<(&'static str, String)>,
}

impl Draft {
    pub fn written(&self, now: Millis) -> Message {
        let mut text = format!(
            "From: <{}>\r\nTo: <{}>\r\nSubject: {}\r\nMessage-ID: {}\r\nDate: {}\r\n",
            self.from,
            self.to.join(">, <"),
            self.subject,
            self.message_id,
            now.rfc5322(),
        );
        if let Some(id) = &self.in_reply_to {
            text += &format!("In-Reply-To: {id}\r\nReferences: {id}\r\n");
        }
        for (name, value) in &self.fields {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!(
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
            self.body
        );
        Message::from_bytes(Bytes::from(text))
    }
}

/// Returns the message with another field on top.
pub fn with(message: &Message, name: &str, value: &str) -> Message {
    let add = Edit::Add {
        name: FieldName::new(name).unwrap(),
        body: FieldBody::new(value).unwrap(),
    };
    message.edited(&[add])
}

/// Returns the addresses between angle brackets in all fields of a name.
pub fn addresses(message: &Message, name: &str) -> Vec<String> {
    let fields = message.headers_named(name).join(",");
    let parts = fields.split('<').skip(1);
    parts
        .filter_map(|part| part.split_once('>'))
        .map(|(address, _)| address.to_owned())
        .collect()
}

/// Returns the text of the body.
pub fn body(message: &Message) -> String {
    let octets = message.to_bytes().unwrap();
    let body = octets.slice(message.head().len()..);
    String::from_utf8_lossy(&body).into_owned()
}
