//! The form `json`: the message taken apart.

use std::io;

use gatepost_content::{Attachment, MessageContent, NamedAddress};
use gatepost_message::{Millis, TransactionId};
use gatepost_model::MessageClass;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use super::form_data::FormData;
use super::{RequestForm, json_segment};
use crate::segments::Segment;
use crate::{Arrival, AttachmentLink, Letter, TagWithReasons};

/// Version of the form: it changes when a key changes its meaning, and not when one is added.
const VERSION: u32 = 1;

/// The message as the application gets it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct InboundJson<'a> {
    version: u32,
    transaction: TransactionId,
    account: Option<&'a str>,
    received: Millis,
    envelope: EnvelopeJson<'a>,
    message_id: Option<&'a str>,
    in_reply_to: &'a [String],
    references: &'a [String],
    thread: Option<TransactionId>,
    from: &'a [NamedAddress],
    to: &'a [NamedAddress],
    cc: &'a [NamedAddress],
    reply_to: &'a [NamedAddress],
    subject: Option<&'a str>,
    date: Option<&'a str>,
    requester: Option<&'a str>,
    class: Option<MessageClass>,
    tags: &'a [TagWithReasons<'a>],
    authentication: Option<&'a Value>,
    text: Option<&'a str>,
    html: Option<&'a str>,
    reply: Option<&'a str>,
    attachments: Vec<AttachmentJson<'a>>,
    complete: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct EnvelopeJson<'a> {
    mail_from: String,
    rcpt_to: Vec<RecipientJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RecipientJson<'a> {
    address: &'a str,
    original: Option<&'a str>,
    arrival: Arrival,
    support_address: Option<&'a str>,
    brand: Option<&'a str>,
    connector: Option<&'a str>,
}

#[derive(Serialize)]
struct AttachmentJson<'a> {
    #[serde(flatten)]
    attachment: &'a Attachment,
    /// Name of the part that has its octets.
    part: Option<String>,
    /// URL that has its octets until then, in milliseconds since 1970.
    url: Option<String>,
    expires: Option<Millis>,
}

/// Way of the octets of attachments.
#[derive(Debug, Clone, Copy)]
pub(super) enum Files<'a> {
    /// Parts beside the JSON.
    Parts,
    /// Links below a URL, until this time.
    Links { base: &'a str, until: Millis },
    /// None.
    None,
}

impl Files<'_> {
    /// Describes the attachment of this number.
    fn describe<'a>(
        self,
        letter: &Letter<'_>,
        attachment: &'a Attachment,
        number: usize,
    ) -> io::Result<AttachmentJson<'a>> {
        let mut described = AttachmentJson {
            attachment,
            part: None,
            url: None,
            expires: None,
        };
        match self {
            Self::None => {}
            Self::Parts => described.part = Some(part(number)),
            Self::Links { base, until } => {
                let link = AttachmentLink {
                    transaction: letter.transaction,
                    number,
                    until,
                };
                described.url = Some(format!("{base}{}", link.path()?));
                described.expires = Some(until);
            }
        }
        Ok(described)
    }
}

/// Makes the form.
pub(super) fn form(
    files: Files<'_>,
    letter: &Letter<'_>,
    content: &MessageContent,
) -> io::Result<RequestForm> {
    let attachments = content.attachments.iter().zip(1..);
    let attachments = attachments.map(|(one, number)| files.describe(letter, one, number));
    let attachments = attachments.collect::<io::Result<_>>()?;
    let json = json_segment(&inbound(attachments, letter, content))?;
    if !matches!(files, Files::Parts) {
        let kind = HeaderValue::from_static("application/json");
        return Ok(RequestForm {
            fields: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
            segments: vec![Segment::Octets(json)],
        });
    }
    let mut form = FormData::new()?.value("message", "application/json", json);
    for (attachment, number) in content.attachments.iter().zip(1..) {
        let segment = Segment::Attachment(attachment.clone());
        form = form.file(
            &part(number),
            &attachment.name,
            &attachment.media_type,
            segment,
        );
    }
    form.end()
}

fn part(number: usize) -> String {
    format!("attachment-{number}")
}

fn inbound<'a>(
    attachments: Vec<AttachmentJson<'a>>,
    letter: &Letter<'a>,
    content: &'a MessageContent,
) -> InboundJson<'a> {
    let recipients = letter.rcpt_to.iter().map(|one| RecipientJson {
        address: one.address.as_str(),
        original: one.original.map(gatepost_message::Address::as_str),
        arrival: one.arrival,
        support_address: one.owner.support_address,
        brand: one.owner.brand,
        connector: one.owner.connector,
    });
    InboundJson {
        version: VERSION,
        transaction: letter.transaction,
        account: letter.account,
        received: letter.received,
        envelope: EnvelopeJson {
            mail_from: letter.mail_from.to_string(),
            rcpt_to: recipients.collect(),
        },
        message_id: letter.message_id,
        in_reply_to: &content.in_reply_to,
        references: &content.references,
        thread: letter.thread,
        from: &content.from,
        to: &content.to,
        cc: &content.cc,
        reply_to: &content.reply_to,
        subject: content.subject.as_deref(),
        date: content.date.as_deref(),
        requester: letter.requester,
        class: letter.class,
        tags: letter.tags,
        authentication: letter.authentication,
        text: content.text.as_deref(),
        html: content.html.as_deref(),
        reply: content.reply.as_deref(),
        attachments,
        complete: content.is_complete,
    }
}
