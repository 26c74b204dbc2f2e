//! The delivery status notification (RFC 3464) that tells a sender what could not be delivered.
//!
//! One multipart/report (RFC 6522) for all recipients of a message that fail together: a part for
//! people, a part for machines, and the header section of the message. Seven-bit throughout, so
//! that it passes every hop.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_policy::{Session, Transaction};
use gatepost_smtp::{Reply, dsn};
use gatepost_spool::{Claim, InitialState, NewBody, NewMessage, NewRecipient};
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Mailbox;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::{Header, HeaderType};
use mail_builder::mime::{BodyPart, MimePart};

/// How much of a long header section is returned: enough to recognise the message by.
const RETURNED_HEADERS: usize = 64 * 1024;

/// How much of a reply is quoted; a server may send a hundred lines.
const QUOTED_REPLY: usize = 1000;

/// One recipient that the message will not reach.
#[derive(Debug)]
pub(crate) struct Failure<'a> {
    /// Who.
    pub(crate) recipient: &'a Address,
    /// Why: what becomes the Status field.
    pub(crate) reply: &'a Reply,
    /// The last thing that a server said of this recipient, and the server's name.
    pub(crate) remote: Option<(&'a str, &'a Reply)>,
}

/// What a bounce is made from, besides the message.
#[derive(Debug)]
pub(crate) struct Bounce<'a> {
    /// The relay's own name.
    pub(crate) hostname: &'a str,
    /// The bounce's own transaction.
    pub(crate) id: TransactionId,
    /// When the failures happened.
    pub(crate) now: Millis,
    /// At least one.
    pub(crate) failures: &'a [Failure<'a>],
}

/// The message that a bounce tells of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Original<'a> {
    pub(crate) transaction: &'a Transaction,
    pub(crate) message: &'a Message,
    pub(crate) received_at: Millis,
}

impl<'a> From<&'a Claim> for Original<'a> {
    fn from(claim: &'a Claim) -> Self {
        Self {
            transaction: &claim.transaction,
            message: &claim.message,
            received_at: claim.received_at,
        }
    }
}

/// The bounce of a message that is about to be taken, for those of its recipients that were
/// refused after its data ([`InitialState::Failed`]), at the time it was received. `None` where
/// there is none of these, or the sender is null (RFC 5321 section 4.5.5).
///
/// To be put into the spool by the caller; `hostname` is the relay's own name.
pub fn bounce_of_refused(hostname: &str, message: &NewMessage) -> Option<NewMessage> {
    let to = message.transaction.reverse_path.address()?;
    let failures: Vec<_> = (message.recipients.iter())
        .filter_map(|recipient| match &recipient.state {
            InitialState::Failed { reply } => Some(Failure {
                recipient: &recipient.address,
                reply,
                remote: None,
            }),
            _ => None,
        })
        .collect();
    if failures.is_empty() {
        return None;
    }
    let bounce = Bounce {
        hostname,
        id: TransactionId::new(),
        now: message.received_at,
        failures: &failures,
    };
    let original = Original {
        transaction: &message.transaction,
        // Of the message a bounce returns the header section only.
        message: &Message::from_bytes(message.head.clone()),
        received_at: message.received_at,
    };
    Some(bounce.for_spool(original, to, message.expires_at))
}

impl Bounce<'_> {
    /// The bounce of this message, for its sender.
    ///
    /// It belongs to the account and flow of the message, so that it finds its route among the
    /// same policies; its session is the relay's own, from the unspecified address.
    pub(crate) fn for_spool(
        &self,
        original: Original<'_>,
        to: &Address,
        expires_at: Millis,
    ) -> NewMessage {
        let raw = Bytes::from(self.compose(original, to));
        let head = Message::from_bytes(raw.clone()).head().clone();
        let body = raw.slice(head.len()..);
        let session = &original.transaction.session;
        NewMessage {
            transaction: Transaction {
                id: self.id,
                time: self.now,
                session: Session {
                    listener: session.listener.clone(),
                    flow: session.flow,
                    client: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                    helo: Some(self.hostname.to_owned()),
                    tls: None,
                    user: None,
                },
                account: original.transaction.account.clone(),
                reverse_path: ReversePath::Null,
                recipients: vec![to.clone()],
            },
            recipients: vec![NewRecipient {
                address: to.clone(),
                dsn: dsn::RecipientRequest::default(),
                state: InitialState::Queued {
                    next_attempt: self.now,
                },
            }],
            smtputf8: false,
            dsn: dsn::MessageRequest::default(),
            head,
            body: NewBody::Inline(body),
            tags: Vec::new(),
            classification: None,
            judgements: Vec::new(),
            effects: Vec::new(),
            quarantine: None,
            received_at: self.now,
            expires_at,
        }
    }

    /// The message itself.
    fn compose(&self, original: Original<'_>, to: &Address) -> Vec<u8> {
        let daemon = format!("MAILER-DAEMON@{}", self.hostname);
        let seconds = i64::try_from(self.now.0 / 1000).unwrap_or(i64::MAX);
        let report =
            ContentType::new("multipart/report").attribute("report-type", "delivery-status");
        let parts = vec![
            MimePart::new("text/plain", ascii(&self.for_people(original))),
            seven_bit("message/delivery-status", self.for_machines(original)),
            MimePart::new(
                "text/rfc822-headers",
                BodyPart::Binary(header_section(original.message).into()),
            ),
        ];
        let mut raw = Vec::new();
        MessageBuilder::new()
            .from(Mailbox::new_address(Some("Mail Delivery System"), daemon))
            .to(Mailbox::new_address(None::<&str>, to.as_str()))
            .subject("Undelivered mail returned to sender")
            .date(Date::new(seconds))
            .message_id(format!("{}@{}", self.id, self.hostname))
            // RFC 3834 section 5: so that nothing answers it.
            .header("Auto-Submitted", Raw::new("auto-replied"))
            .body(MimePart::new(report, parts))
            .serialize(&mut raw);
        raw
    }

    /// The part for people.
    fn for_people(&self, original: Original<'_>) -> String {
        let mut text = format!(
            "This is the mail relay at {}.\r\n\
             \r\n\
             The message that you sent on {} could not be delivered to\r\n\
             the recipients below, and will not be tried again.\r\n",
            self.hostname,
            original.received_at.rfc5322(),
        );
        for failure in self.failures {
            // Writing to a String cannot fail.
            let _ = write!(text, "\r\n<{}>\r\n", failure.recipient);
            match failure.remote {
                Some((server, reply)) if reply == failure.reply => {
                    let _ = write!(text, "    {server} said:\r\n");
                    indent(&mut text, &quote(reply));
                }
                _ => indent(&mut text, &quote(failure.reply)),
            }
        }
        let _ = write!(
            text,
            "\r\nThe header of the message is attached. For the postmaster: it was\r\n\
             accepted as {}.\r\n",
            original.transaction.id,
        );
        text
    }

    /// The part for machines (RFC 3464 section 2): one block for the message, one for each
    /// recipient. There is no Original-Recipient, because no sender could give one without the
    /// DSN extension (section 2.3.1).
    fn for_machines(&self, original: Original<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        field(
            &mut out,
            "Reporting-MTA",
            &format!("dns; {}", self.hostname),
        );
        field(
            &mut out,
            "X-Gatepost-Transaction",
            &original.transaction.id.to_string(),
        );
        field(&mut out, "Arrival-Date", &original.received_at.rfc5322());
        for failure in self.failures {
            out.extend_from_slice(b"\r\n");
            field(
                &mut out,
                "Final-Recipient",
                &format!("rfc822; {}", failure.recipient),
            );
            field(&mut out, "Action", "failed");
            field(&mut out, "Status", &status(failure.reply));
            if let Some((server, reply)) = failure.remote {
                field(&mut out, "Remote-MTA", &format!("dns; {server}"));
                field(
                    &mut out,
                    "Diagnostic-Code",
                    &format!("smtp; {}", quote(reply)),
                );
            } else {
                // Not what a server said, so of no registered type (section 2.3.6).
                field(
                    &mut out,
                    "Diagnostic-Code",
                    &format!("x-gatepost; {}", quote(failure.reply)),
                );
            }
            field(&mut out, "Last-Attempt-Date", &self.now.rfc5322());
        }
        out
    }
}

/// The Status of a failure: the enhanced code, or the class alone where the server gave none
/// (RFC 3463 section 3.1).
fn status(reply: &Reply) -> String {
    match reply.enhanced() {
        Some(code) if code.class() == 5 => code.to_string(),
        _ => "5.0.0".to_owned(),
    }
}

/// One field, folded.
fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    Raw::new(ascii(value)).write_header(out, name.len() + 2);
}

/// A reply, in one line and not too long.
fn quote(reply: &Reply) -> String {
    let mut text = reply.to_string();
    text.truncate(text.floor_char_boundary(QUOTED_REPLY));
    text
}

/// The text in lines of at most 70 columns where its words allow, each set in by four.
fn indent(out: &mut String, text: &str) {
    let mut column = 0;
    for word in text.split_whitespace() {
        if column == 0 || column + 1 + word.len() > 70 {
            out.push_str(if column == 0 { "    " } else { "\r\n    " });
            column = 4;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push_str("\r\n");
}

/// What a server wrote outside ASCII becomes `?`: message/delivery-status has no other charset.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii() { c } else { '?' })
        .collect()
}

/// A part whose octets are in order as they are.
fn seven_bit<'x>(kind: &'static str, octets: Vec<u8>) -> MimePart<'x> {
    MimePart {
        headers: vec![
            (
                "Content-Type".into(),
                HeaderType::ContentType(ContentType::new(kind)),
            ),
            ("Content-Transfer-Encoding".into(), Raw::new("7bit").into()),
        ],
        contents: BodyPart::Binary(octets.into()),
    }
}

/// The header section, cut between two fields if it is very long.
fn header_section(message: &Message) -> Vec<u8> {
    let mut section = Vec::new();
    for field in message.fields() {
        if section.len() + field.raw().len() > RETURNED_HEADERS {
            break;
        }
        section.extend_from_slice(field.raw());
    }
    section
}
