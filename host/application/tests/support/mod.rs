//! A message and its letter.

use std::sync::Arc;

use gatepost_application::{Application, Arrival, Letter, LetterRecipient, RecipientFacts};
use gatepost_http_client::HttpClient;
use gatepost_message::{Address, Body, Message, Millis, ReversePath, TransactionId};

pub const HEAD: &str = "Return-Path: <forged@x.example>\r\nSubject: hello\r\n\r\n";

/// A message with its envelope, from which letters are made.
pub struct Mail {
    pub transaction: TransactionId,
    pub from: ReversePath,
    pub to: Vec<(Address, Option<Address>)>,
    pub message: Message,
}

impl Mail {
    pub fn new(to: &[&str], body: Arc<dyn Body>) -> Self {
        let to = to.iter().map(|to| (Address::parse(to).unwrap(), None));
        Self {
            transaction: TransactionId::new(),
            from: ReversePath::parse("ann@a.example").unwrap(),
            to: to.collect(),
            message: Message::from_parts(HEAD.into(), body),
        }
    }

    pub fn recipients(&self) -> Vec<LetterRecipient<'_>> {
        let each = self.to.iter().map(|(address, original)| LetterRecipient {
            address,
            original: original.as_ref(),
            arrival: Arrival::Direct,
            owner: RecipientFacts::default(),
        });
        each.collect()
    }

    pub fn letter<'a>(&'a self, rcpt_to: &'a [LetterRecipient<'a>]) -> Letter<'a> {
        Letter {
            transaction: self.transaction,
            message_id: None,
            account: Some("acme"),
            received: Millis(1_700_000_000_123),
            mail_from: &self.from,
            rcpt_to,
            requester: None,
            class: None,
            tags: &[],
            authentication: None,
            thread: None,
            client: None,
            message: &self.message,
        }
    }
}

pub fn application() -> Application {
    Application::new(HttpClient::plaintext().unwrap(), "mx.desk.example")
}
