//! Tickets of Zammad by its REST API, `POST /api/v1/tickets`:
//! <https://docs.zammad.org/en/latest/api/ticket/index.html> and, for the article,
//! <https://docs.zammad.org/en/latest/api/ticket/articles.html>.

use std::io;

use gatepost_content::MessageContent;
use serde::Serialize;

use super::{JsonWithFiles, RequestForm, fields};
use crate::Letter;

#[derive(Serialize)]
struct ZammadTicket<'a> {
    title: &'a str,
    group: &'a str,
    /// With `guess:`, Zammad makes a customer whom it does not know.
    customer_id: String,
    article: ZammadArticle<'a>,
}

#[derive(Serialize)]
struct ZammadArticle<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    /// A customer's article of the type `email` came in; an agent's would be sent.
    sender: &'a str,
    internal: bool,
    from: String,
    to: String,
    cc: String,
    reply_to: String,
    subject: &'a str,
    content_type: &'a str,
    body: &'a str,
    message_id: &'a str,
    in_reply_to: &'a str,
    attachments: Vec<ZammadFile<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ZammadFile<'a> {
    filename: &'a str,
    data: &'a str,
    mime_type: &'a str,
}

/// Title of a ticket without a subject, and body of one without text: Zammad wants both.
const NOTHING: &str = "-";

pub(super) fn form(
    group: &str,
    letter: &Letter<'_>,
    content: &MessageContent,
) -> io::Result<RequestForm> {
    let json = JsonWithFiles::new()?;
    let subject = content.subject.as_deref().filter(|text| !text.is_empty());
    let text = content
        .text
        .as_deref()
        .filter(|text| !text.trim().is_empty());
    let files = content.attachments.iter().map(|one| ZammadFile {
        filename: &one.name,
        data: &json.mark,
        mime_type: &one.media_type,
    });
    let ticket = ZammadTicket {
        title: subject.unwrap_or(NOTHING),
        group,
        customer_id: format!("guess:{}", customer(letter, content)),
        article: ZammadArticle {
            kind: "email",
            sender: "Customer",
            internal: false,
            from: fields::list(&content.from),
            to: fields::list(&content.to),
            cc: fields::list(&content.cc),
            reply_to: fields::list(&content.reply_to),
            subject: subject.unwrap_or_default(),
            content_type: "text/plain",
            body: text.unwrap_or(NOTHING),
            message_id: letter.message_id.unwrap_or_default(),
            in_reply_to: content.in_reply_to.first().map_or("", String::as_str),
            attachments: files.collect(),
        },
    };
    json.form(&ticket, &content.attachments)
}

/// Returns the address of the person who asks: the requester, else the author, else the sender. Of
/// mail that has none of these, it is the recipient: Zammad takes no ticket without a customer.
fn customer(letter: &Letter<'_>, content: &MessageContent) -> String {
    let author = content.from.first().map(|from| from.address.clone());
    let requester = letter.requester.map(ToOwned::to_owned);
    let sender = letter.mail_from.address().map(ToString::to_string);
    let recipient = letter.rcpt_to.first().map(|one| one.address.to_string());
    let known = requester.or(author).or(sender).or(recipient);
    known.unwrap_or_default()
}
