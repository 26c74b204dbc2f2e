//! The inbound webhook of Postmark: <https://postmarkapp.com/developer/webhooks/inbound-webhook>.

use std::io;

use gatepost_content::{MessageContent, NamedAddress};
use serde::Serialize;

use super::{JsonWithFiles, RequestForm, fields};
use crate::Letter;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PostmarkMessage<'a> {
    from_name: &'a str,
    message_stream: &'a str,
    from: &'a str,
    from_full: PostmarkAddress<'a>,
    to: String,
    to_full: Vec<PostmarkAddress<'a>>,
    cc: String,
    cc_full: Vec<PostmarkAddress<'a>>,
    bcc: &'a str,
    bcc_full: [PostmarkAddress<'a>; 0],
    original_recipient: &'a str,
    subject: &'a str,
    #[serde(rename = "MessageID")]
    message_id: String,
    reply_to: String,
    mailbox_hash: &'a str,
    date: String,
    text_body: &'a str,
    html_body: &'a str,
    stripped_text_reply: &'a str,
    tag: &'a str,
    headers: Vec<PostmarkHeader>,
    attachments: Vec<PostmarkAttachment<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PostmarkAddress<'a> {
    email: &'a str,
    name: &'a str,
    mailbox_hash: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PostmarkHeader {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PostmarkAttachment<'a> {
    name: &'a str,
    content: &'a str,
    content_type: &'a str,
    content_length: u64,
    #[serde(rename = "ContentID")]
    content_id: &'a str,
}

pub(super) fn form(letter: &Letter<'_>, content: &MessageContent) -> io::Result<RequestForm> {
    let json = JsonWithFiles::new()?;
    let recipient = letter
        .rcpt_to
        .first()
        .map_or("", |one| one.address.as_str());
    let sender = letter.mail_from.to_string();
    let nobody = NamedAddress {
        name: None,
        address: sender,
    };
    let from = content.from.first().unwrap_or(&nobody);
    let attachments = content.attachments.iter().map(|one| PostmarkAttachment {
        name: &one.name,
        content: &json.mark,
        content_type: &one.media_type,
        content_length: one.size,
        content_id: one.content_id.as_deref().unwrap_or_default(),
    });
    let headers = fields::all(letter.message).into_iter();
    let headers = headers.map(|(name, value)| PostmarkHeader { name, value });
    let message = PostmarkMessage {
        from_name: from.name.as_deref().unwrap_or_default(),
        message_stream: "inbound",
        from: &from.address,
        from_full: full(from),
        to: fields::list(&content.to),
        to_full: content.to.iter().map(full).collect(),
        cc: fields::list(&content.cc),
        cc_full: content.cc.iter().map(full).collect(),
        bcc: "",
        bcc_full: [],
        original_recipient: recipient,
        subject: content.subject.as_deref().unwrap_or_default(),
        message_id: letter.transaction.to_string(),
        reply_to: fields::list(&content.reply_to),
        mailbox_hash: fields::sub_address(recipient),
        date: letter.message.header("Date").unwrap_or_default(),
        text_body: content.text.as_deref().unwrap_or_default(),
        html_body: content.html.as_deref().unwrap_or_default(),
        stripped_text_reply: content.reply.as_deref().unwrap_or_default(),
        tag: "",
        headers: headers.collect(),
        attachments: attachments.collect(),
    };
    json.form(&message, &content.attachments)
}

fn full(one: &NamedAddress) -> PostmarkAddress<'_> {
    PostmarkAddress {
        email: &one.address,
        name: one.name.as_deref().unwrap_or_default(),
        mailbox_hash: fields::sub_address(&one.address),
    }
}
