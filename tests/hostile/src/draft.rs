//! What a letter is made of.

use gatepost_model::Flow;

use crate::HEADER_SIZE;

/// One message with its envelope, as a session would hand it over.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Which way it goes.
    pub flow: Flow,
    /// The reverse-path; empty for the null sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// Header section and body.
    pub draft: Draft,
    /// What was found out about its origin.
    pub facts: Facts,
}

/// What the relay has found out about the origin of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facts {
    /// Nothing was there to be found.
    None,
    /// DMARC passes.
    Passes,
    /// DMARC fails, and the domain asks to reject.
    Fails,
    /// All of it is as long as it can be.
    Long,
}

/// A message being written.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Names and bodies, without line ends.
    pub fields: Vec<(String, Vec<u8>)>,
    /// What stands behind the empty line.
    pub body: Vec<u8>,
}

impl Draft {
    /// Adds a field.
    pub fn field(&mut self, name: &str, body: impl Into<Vec<u8>>) {
        self.fields.push((name.to_owned(), body.into()));
    }

    /// The whole message, with no more of its fields than a session takes, and no line that is too
    /// long: a longer one is folded at a space, or else is cut.
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        for (name, body) in &self.fields {
            let field = folded(name, body);
            if octets.len() + field.len() > HEADER_SIZE {
                break;
            }
            octets.extend_from_slice(&field);
        }
        octets.extend_from_slice(b"\r\n");
        octets.extend_from_slice(&self.body);
        octets
    }
}

/// A field as it is sent: no line has over 998 octets (RFC 5322 section 2.1.1).
fn folded(name: &str, body: &[u8]) -> Vec<u8> {
    const LINE: usize = 980;
    let mut field = format!("{name}: ").into_bytes();
    let mut line = field.len();
    for word in body.split_inclusive(|octet| *octet == b' ') {
        let mut word = word;
        if line + word.len() > LINE && line > 1 {
            field.extend_from_slice(b"\r\n ");
            line = 1;
        }
        while word.len() > LINE - 1 {
            let (part, rest) = word.split_at(LINE - 2);
            field.extend_from_slice(part);
            field.extend_from_slice(b"\r\n ");
            word = rest;
            line = 1;
        }
        field.extend_from_slice(word);
        line += word.len();
    }
    field.extend_from_slice(b"\r\n");
    field
}
