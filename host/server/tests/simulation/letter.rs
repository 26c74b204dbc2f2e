//! What travels.

use bytes::Bytes;
use gatepost_message::{Edit, FieldBody, FieldName, Message, Millis};

/// Who made a letter, in truth: whatever its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// A person; which of their letters.
    Agent(u32),
    /// An application, by itself; which letter of a person has set it off.
    Machine(u32),
}

impl Author {
    /// Who writes an answer that nobody asked for.
    pub fn answered(self) -> Self {
        let (Self::Agent(root) | Self::Machine(root)) = self;
        Self::Machine(root)
    }

    /// Whether a person wrote it.
    pub fn is_agent(self) -> bool {
        matches!(self, Self::Agent(_))
    }
}

/// A message on its way to one recipient.
#[derive(Debug, Clone)]
pub struct Letter {
    pub author: Author,
    /// The desk that wrote it: its domain.
    pub desk: String,
    /// The reverse-path; empty for the null sender.
    pub from: String,
    pub to: String,
    pub message: Message,
    /// How often it was handed over in vain.
    pub tries: u32,
}

/// What a desk writes.
#[derive(Debug, Default)]
pub struct Draft {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub body: String,
    /// The reverse-path is null.
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

/// The message with another field on top.
pub fn with(message: &Message, name: &str, value: &str) -> Message {
    let add = Edit::Add {
        name: FieldName::new(name).unwrap(),
        body: FieldBody::new(value).unwrap(),
    };
    message.edited(&[add])
}

/// The addresses between angle brackets in all fields of a name.
pub fn addresses(message: &Message, name: &str) -> Vec<String> {
    let fields = message.headers_named(name).join(",");
    let parts = fields.split('<').skip(1);
    parts
        .filter_map(|part| part.split_once('>'))
        .map(|(address, _)| address.to_owned())
        .collect()
}

/// The text of the body.
pub fn body(message: &Message) -> String {
    let octets = message.to_bytes().unwrap();
    let body = octets.slice(message.head().len()..);
    String::from_utf8_lossy(&body).into_owned()
}
