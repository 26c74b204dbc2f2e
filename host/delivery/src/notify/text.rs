//! What a template can say: its placeholders and their values.

use gatepost_message::Millis;
use gatepost_spool::SenderProof;
use mail_parser::{HeaderName, MessageParser};
use serde::Serialize;

use super::reasons::Reasons;
use super::report::{quote, status};
use super::{Action, Cause, Original, Told};

/// How much of a subject is quoted, in characters.
const QUOTED_SUBJECT: usize = 120;

/// The values of a template. None holds a line break, so none can change the form of the text.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Values {
    /// The relay's own name.
    pub(super) hostname: String,
    /// Number of the transaction.
    pub(super) id: String,
    /// Who sent the message.
    pub(super) sender: String,
    /// Its subject; empty where it has none, or where its sender has not logged in: what a stranger
    /// wrote is not said in the relay's name.
    pub(super) subject: String,
    /// When it was received.
    pub(super) received: String,
    /// How long it will be tried.
    pub(super) until: String,
    /// What is attached: `header`, `message`, or `too-large` for the header of a message that is.
    pub(super) returned: &'static str,
    /// Of whom the notice tells.
    pub(super) recipients: Vec<Person>,
}

/// A recipient in a template.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Person {
    /// The address that the message was for in the end.
    pub(super) address: String,
    /// Whom the sender had addressed, where that is another, and the sender has logged in.
    pub(super) original: Option<String>,
    /// The enhanced code.
    pub(super) status: String,
    /// Why, in plain words.
    pub(super) why: String,
    /// What to do, in plain words.
    pub(super) advice: String,
    /// The server that answered; none where the relay itself did.
    pub(super) server: Option<String>,
    /// The answer.
    pub(super) reply: String,
}

impl Values {
    pub(super) fn of(
        original: Original<'_>,
        cause: Cause<'_>,
        reasons: &Reasons,
        returned: &'static str,
    ) -> Self {
        let known = original.sender == SenderProof::Authenticated;
        Self {
            hostname: cause.hostname.to_owned(),
            id: original.transaction.id.to_string(),
            sender: line(original.transaction.reverse_path.as_str()),
            subject: match known {
                true => About::of(original).subject,
                false => String::new(),
            },
            received: minute(original.received_at),
            until: minute(original.expires_at),
            returned,
            recipients: (cause.told.iter())
                .map(|told| Person::of(told, cause.action, reasons, known))
                .collect(),
        }
    }

    /// Values such as may come, to try templates with: the longest case and the shortest.
    pub(super) fn samples() -> Vec<Self> {
        let person = Person {
            address: "bob@b.example".to_owned(),
            original: Some("robert@b.example".to_owned()),
            status: "5.1.1".to_owned(),
            why: "Why.".to_owned(),
            advice: "Advice.".to_owned(),
            server: Some("mx.b.example".to_owned()),
            reply: "550 5.1.1 no".to_owned(),
        };
        let plain = Person {
            original: None,
            server: None,
            ..person.clone()
        };
        let full = Self {
            hostname: "relay.example".to_owned(),
            id: "01a20485-bcbb-73d1-ab86-9a97923ae8ee".to_owned(),
            sender: "ann@a.example".to_owned(),
            subject: "Hello".to_owned(),
            received: "2026-01-31 12:00 UTC".to_owned(),
            until: "2026-02-05 12:00 UTC".to_owned(),
            returned: "message",
            recipients: vec![person.clone(), plain.clone()],
        };
        let short = |returned| Self {
            subject: String::new(),
            returned,
            recipients: vec![plain.clone()],
            ..full.clone()
        };
        vec![full.clone(), short("header"), short("too-large")]
    }
}

impl Person {
    fn of(told: &Told<'_>, action: Action, reasons: &Reasons, known: bool) -> Self {
        let reason = reasons.of(told.reply);
        let original = told.dsn.original.as_ref().filter(|_| known);
        let original = original.map(|first| line(&first.address));
        let address = told.recipient.to_string();
        Self {
            original: original.filter(|first| !first.is_empty() && *first != address),
            address,
            status: status(action, told.reply),
            why: reason.why,
            advice: reason.advice,
            server: told.remote.map(|(server, _)| line(server)),
            reply: match action {
                // Nobody was told this in a reply.
                Action::Suppressed => line(&told.reply.text()),
                _ => line(&quote(told.remote.map_or(told.reply, |(_, reply)| reply))),
            },
        }
    }
}

/// What a notice takes from the header of the message.
#[derive(Debug, Default)]
pub(super) struct About {
    /// In one line and not too long.
    pub(super) subject: String,
    /// Without its angle brackets, where it is one that may stand in a field.
    pub(super) message_id: Option<String>,
}

impl About {
    pub(super) fn of(original: Original<'_>) -> Self {
        let head = original.message.head();
        let Some(parsed) = MessageParser::new()
            .header_text(HeaderName::Subject)
            .header_id(HeaderName::MessageId)
            .parse_headers(head.as_ref())
        else {
            return Self::default();
        };
        let mut subject: String = line(parsed.subject().unwrap_or_default());
        if let Some((end, _)) = subject.char_indices().nth(QUOTED_SUBJECT) {
            subject.truncate(end);
            subject.push('…');
        }
        let fits = |id: &&str| {
            id.contains('@')
                && id.len() <= 250
                && id
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"<>".contains(&b))
        };
        Self {
            subject,
            message_id: parsed.message_id().filter(fits).map(str::to_owned),
        }
    }
}

/// A text in one line: what is no graphic character becomes a space, and spaces one.
fn line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// To the minute, in a form that every language reads.
fn minute(time: Millis) -> String {
    let text = time.to_string();
    match text.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => text,
    }
}
