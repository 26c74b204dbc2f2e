//! Placeholders of templates, and their values.

use gatepost_message::Millis;
use gatepost_spool::SenderProof;
use mail_parser::{HeaderName, MessageParser};
use serde::Serialize;

use super::reasons::Reasons;
use super::report::{quote, status};
use super::{Action, NoticeContext, Original, ReportedRecipient};

/// Most characters of a subject that are quoted.
const QUOTED_SUBJECT: usize = 120;

/// Values of a template. None holds a line break, so none can change the structure of the text.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Values {
    /// The relay's own name.
    pub(super) hostname: String,
    /// Transaction id of the message.
    pub(super) id: String,
    /// Reverse-path of the message.
    pub(super) sender: String,
    /// Subject of the message; empty if it has none, or if its sender has not logged in: a
    /// stranger's words are not said in the relay's name.
    pub(super) subject: String,
    /// Time of reception.
    pub(super) received: String,
    /// Time until which it will be tried.
    pub(super) until: String,
    /// Attached part: `header`, `message`, or `too-large` for the header of a message that is too
    /// large.
    pub(super) returned: &'static str,
    /// Recipients that the notice reports.
    pub(super) recipients: Vec<RecipientValues>,
}

/// A recipient in a template.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct RecipientValues {
    /// Address that the message was for in the end.
    pub(super) address: String,
    /// Original recipient (ORCPT), if it differs and the sender has logged in.
    pub(super) original: Option<String>,
    /// Enhanced code.
    pub(super) status: String,
    /// Reason, in plain words.
    pub(super) why: String,
    /// Advice, in plain words.
    pub(super) advice: String,
    /// Server that answered; `None` if the relay itself did.
    pub(super) server: Option<String>,
    /// Reply.
    pub(super) reply: String,
}

impl Values {
    pub(super) fn of(
        original: Original<'_>,
        context: NoticeContext<'_>,
        reasons: &Reasons,
        returned: &'static str,
    ) -> Self {
        let known = original.sender == SenderProof::Authenticated;
        Self {
            hostname: context.hostname.to_owned(),
            id: original.transaction.id.to_string(),
            sender: one_line(original.transaction.reverse_path.as_str()),
            subject: match known {
                true => HeaderExcerpt::of(original).subject,
                false => String::new(),
            },
            received: format_minute(original.received_at),
            until: format_minute(original.expires_at),
            returned,
            recipients: (context.reported.iter())
                .map(|reported| RecipientValues::of(reported, context.action, reasons, known))
                .collect(),
        }
    }

    /// Returns sample values, with which templates are tried: the longest case and the shortest.
    pub(super) fn samples() -> Vec<Self> {
        let person = RecipientValues {
            address: "bob@b.example".to_owned(),
            original: Some("robert@b.example".to_owned()),
            status: "5.1.1".to_owned(),
            why: "Why.".to_owned(),
            advice: "Advice.".to_owned(),
            server: Some("mx.b.example".to_owned()),
            reply: "550 5.1.1 no".to_owned(),
        };
        let plain = RecipientValues {
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

impl RecipientValues {
    fn of(
        reported: &ReportedRecipient<'_>,
        action: Action,
        reasons: &Reasons,
        known: bool,
    ) -> Self {
        let reason = reasons.of(reported.reply);
        let original = reported.dsn.original.as_ref().filter(|_| known);
        let original = original.map(|first| one_line(&first.address));
        let address = reported.recipient.to_string();
        Self {
            original: original.filter(|first| !first.is_empty() && *first != address),
            address,
            status: status(action, reported.reply),
            why: reason.why,
            advice: reason.advice,
            server: reported.remote.map(|(server, _)| one_line(server)),
            reply: match action {
                // A suppression is no reply to anybody.
                Action::Suppressed => one_line(&reported.reply.text()),
                _ => one_line(&quote(
                    reported.remote.map_or(reported.reply, |(_, reply)| reply),
                )),
            },
        }
    }
}

/// Values from the header section of the message.
#[derive(Debug, Default)]
pub(super) struct HeaderExcerpt {
    /// Subject, in one line and with a bounded length.
    pub(super) subject: String,
    /// Message-ID without its angle brackets, if it may be put into a field.
    pub(super) message_id: Option<String>,
}

impl HeaderExcerpt {
    pub(super) fn of(original: Original<'_>) -> Self {
        let head = original.message.head();
        let Some(parsed) = MessageParser::new()
            .header_text(HeaderName::Subject)
            .header_id(HeaderName::MessageId)
            .parse_headers(head.as_ref())
        else {
            return Self::default();
        };
        let mut subject: String = one_line(parsed.subject().unwrap_or_default());
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

/// Returns a text in one line: control characters become spaces, and repeated spaces one.
pub(super) fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Formats a time to the minute, in a form for every language.
pub(super) fn format_minute(time: Millis) -> String {
    let text = time.to_string();
    match text.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => text,
    }
}
