//! Parts of a message in a case.

use gatepost_model::Flow;

use crate::HEADER_SIZE;

/// One message with its envelope, as a session would hand it over.
#[derive(Debug, Clone)]
pub struct CaseMessage {
    /// Direction.
    pub flow: Flow,
    /// Reverse-path; empty for the null one.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// Header section and body.
    pub draft: Draft,
    /// Authentication facts.
    pub facts: Facts,
}

/// Authentication facts about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facts {
    /// Nothing was found.
    None,
    /// DMARC passes.
    Passes,
    /// DMARC fails, and the domain asks to reject.
    Fails,
    /// Everything is as long as it can be.
    Long,
}

/// A message being written.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Names and bodies, without line ends.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Bytes behind the empty line.
    pub body: Vec<u8>,
}

impl Draft {
    /// Adds a field.
    pub fn field(&mut self, name: &str, body: impl Into<Vec<u8>>) {
        self.fields.push((name.to_owned(), body.into()));
    }

    /// Returns the whole message, with no more fields than a session accepts, and no line that is
    /// too long: a longer one is folded at a space, or cut.
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

/// Returns a field as it is sent: no line has over 998 octets (RFC 5322 section 2.1.1).
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
