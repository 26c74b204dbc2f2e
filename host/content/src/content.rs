//! A message taken apart.

use bytes::Bytes;
use gatepost_message::Message;
use gatepost_reply_text::{reply, reply_of_html, text_of_html};
use mail_parser::{MessageParser, MessagePart, PartType};

use crate::addresses::{NamedAddress, addresses, message_ids, one_line};
use crate::attachment::Attachment;
use crate::bounds::{LONGEST_SUBJECT, MOST_ATTACHMENTS, MOST_TEXT, are_kept, beginning};

/// Content of a message.
#[derive(Debug, Clone, Default)]
pub struct MessageContent {
    /// Subject, decoded, on one line; at most 2,000 octets.
    pub subject: Option<String>,
    /// Time of the field Date (RFC 3339).
    pub date: Option<String>,
    /// Authors, as readers see them.
    pub from: Vec<NamedAddress>,
    /// Addresses of the field To.
    pub to: Vec<NamedAddress>,
    /// Addresses of the field Cc.
    pub cc: Vec<NamedAddress>,
    /// Addresses that answers are to go to.
    pub reply_to: Vec<NamedAddress>,
    /// Message-IDs of In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// Message-IDs of References, the oldest first.
    pub references: Vec<String>,
    /// Text; that of the HTML where the message has no other. At most a mebibyte.
    pub text: Option<String>,
    /// HTML as it was written: **it may hold anything**. At most a mebibyte.
    pub html: Option<String>,
    /// Part of the text that its author has just written.
    pub reply: Option<String>,
    /// Attachments, in the order of the message.
    pub attachments: Vec<Attachment>,
    /// False if something was left out: the text or the HTML is longer, or the message is beyond the
    /// bounds and its only attachment is itself.
    pub is_complete: bool,
}

impl MessageContent {
    /// Takes a message apart. `octets` are [all of its](Message::to_bytes).
    pub fn of(message: &Message, octets: &Bytes) -> Self {
        let head = Self::of_head(message);
        if !are_kept(octets) {
            return head.beyond(octets);
        }
        let Some(parsed) = MessageParser::default().parse(&octets[..]) else {
            return head.beyond(octets);
        };
        if parsed.attachments.len() > MOST_ATTACHMENTS {
            return head.beyond(octets);
        }
        let of = |id: &u32| parsed.parts.get(*id as usize);
        let plain = parsed.text_body.iter().filter_map(of).filter_map(plain);
        let html = parsed.html_body.iter().filter_map(of).filter_map(html);
        let (plain, html) = (joined(plain), joined(html));
        let has_plain = plain.as_ref().is_some_and(|text| !text.trim().is_empty());
        let (text, reply) = match (&plain, &html) {
            (Some(plain), _) if has_plain => (Some(plain.clone()), Some(reply(plain))),
            (_, Some(html)) => (Some(text_of_html(html)), Some(reply_of_html(html))),
            (plain, None) => (plain.clone(), plain.as_deref().map(reply)),
        };
        let attachments = parsed.attachments.iter().filter_map(of).zip(1..);
        let attachments = attachments.map(|(part, number)| Attachment::of(part, octets, number));
        let is_whole =
            |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= MOST_TEXT);
        let cut = |text: Option<String>| text.map(|text| beginning(&text, MOST_TEXT).to_owned());
        Self {
            subject: parsed.subject().map(|text| one_line(text, LONGEST_SUBJECT)),
            date: parsed
                .date()
                .filter(|date| date.is_valid())
                .map(mail_parser::DateTime::to_rfc3339),
            is_complete: is_whole(&plain) && is_whole(&html) && is_whole(&text),
            text: cut(text),
            html: cut(html),
            reply: cut(reply),
            attachments: attachments.collect(),
            ..head
        }
    }

    /// Reads the addresses and Message-IDs of the header section.
    fn of_head(message: &Message) -> Self {
        let addresses = |field| addresses(message, field);
        Self {
            from: addresses("From"),
            to: addresses("To"),
            cc: addresses("Cc"),
            reply_to: addresses("Reply-To"),
            in_reply_to: message_ids(message, "In-Reply-To"),
            references: message_ids(message, "References"),
            ..Self::default()
        }
    }

    /// Returns the content of a message that is not taken apart.
    fn beyond(self, octets: &Bytes) -> Self {
        Self {
            attachments: vec![Attachment::whole(octets)],
            is_complete: false,
            ..self
        }
    }
}

fn plain<'a>(part: &'a MessagePart<'_>) -> Option<&'a str> {
    match &part.body {
        PartType::Text(text) => Some(text),
        _ => None,
    }
}

fn html<'a>(part: &'a MessagePart<'_>) -> Option<&'a str> {
    match &part.body {
        PartType::Html(html) => Some(html),
        _ => None,
    }
}

/// Joins the texts of parts, each from a new line on.
fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}
