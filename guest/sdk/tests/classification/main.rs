//! The classification against labelled mail, published decisions, and arbitrary input.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod decisions;
mod everyday;
mod evidence;
mod folder;
mod homemade;
mod kinds;
mod labels;
mod neighbours;
mod offices;
mod platforms;
mod properties;
mod senders;
mod services;
mod short;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use gatepost_message::Message;
use gatepost_sdk::classification::{Classification, classify};
use gatepost_sdk::{Flow, Session, Transaction};

/// Returns the folder of a public suite; reports the skip if it is absent.
fn conformance(suite: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GATEPOST_CONFORMANCE");
    let root = root.map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/conformance"
            ))
        },
        PathBuf::from,
    );
    let path = root.join(suite);
    if path.is_dir() {
        return Some(path);
    }
    println!(
        "SKIPPED: {} is not there (GATEPOST_CONFORMANCE)",
        path.display()
    );
    None
}

/// The words of all classes.
const CLASSES: [&str; 5] = ["human", "auto-replied", "auto-generated", "bounce", "list"];

/// Prints precision and recall of each class, from the numbers of messages by label and class.
fn print_scores<S: AsRef<str>>(pairs: &BTreeMap<(S, S), usize>) {
    for class in CLASSES {
        let of = |test: &dyn Fn(&str, &str) -> bool| -> usize {
            let pairs = pairs.iter();
            let counted = pairs.filter(|((label, given), _)| test(label.as_ref(), given.as_ref()));
            counted.map(|(_, count)| count).sum()
        };
        let right = of(&|label, given| label == class && given == class);
        let given = of(&|_, given| given == class);
        let labels = of(&|label, _| label == class);
        println!("{class}: precision {right}/{given}, recall {right}/{labels}");
    }
}

/// Classifies octets that came with this envelope.
fn classified(octets: &[u8], from: &str, to: &[&str]) -> Classification {
    let message = Message::from_bytes(Bytes::from(with_crlf(octets)));
    classify(&transaction(from, to), &Mail(message))
}

fn transaction(from: &str, to: &[&str]) -> Transaction {
    Transaction {
        id: "any".into(),
        session: Session {
            listener: "mx".into(),
            flow: Flow::Inbound,
            transport: gatepost_sdk::Transport::Smtp,
            client: Some(gatepost_sdk::ClientAddress {
                ip: "192.0.2.1".into(),
                port: 1025,
            }),
            helo: None,
            tls: None,
            user: None,
        },
        account: None,
        mail_from: from.into(),
        recipients: to.iter().map(|&to| to.into()).collect(),
    }
}

/// Returns the message in its form on the wire: lines end with CRLF, and no mbox line is in front.
fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut octets = octets;
    if octets.starts_with(b"From ")
        && let Some(end) = octets.iter().position(|&b| b == b'\n')
    {
        octets = &octets[end + 1..];
    }
    let mut message = Vec::with_capacity(octets.len() + 64);
    for &octet in octets {
        if octet == b'\n' && message.last() != Some(&b'\r') {
            message.push(b'\r');
        }
        message.push(octet);
    }
    message
}

/// A message as a policy sees it.
struct Mail(Message);

impl gatepost_sdk::Message for Mail {
    fn header(&self, name: &str) -> Option<String> {
        self.0.header(name)
    }
    fn headers_named(&self, name: &str) -> Vec<String> {
        self.0.headers_named(name)
    }
    fn count(&self, name: &str) -> u32 {
        self.0.count(name) as u32
    }
    fn headers(&self) -> Vec<(String, String)> {
        let field = |field: gatepost_message::Field<'_>| {
            let value = String::from_utf8_lossy(field.body_raw()).into_owned();
            (field.name().into_owned(), value)
        };
        self.0.fields().map(field).collect()
    }
    fn header_size(&self) -> u64 {
        self.0.head().len() as u64
    }
    fn body_size(&self) -> u64 {
        self.0.body().len()
    }
    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let mut chunk = vec![0; length as usize];
        let count = self.0.body().read_at(offset, &mut chunk).unwrap();
        chunk.truncate(count);
        chunk
    }
}
