//! Routes of Mailgun with `forward()`:
//! <https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http>.
//!
//! The form is signed in its own way: HMAC-SHA256 over `timestamp` and `token`.

use std::collections::BTreeMap;
use std::io;

use gatepost_content::MessageContent;
use gatepost_message::Millis;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::super::form_data::FormData;
use super::super::json_segment;
use super::{RequestForm, fields};
use crate::Letter;
use crate::segments::Segment;
use crate::signature::hex;

/// Fields of the message that have fields of the form.
const FIELDS: [&str; 8] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-Id",
    "In-Reply-To",
    "References",
];

pub(super) fn form(
    key: &str,
    letter: &Letter<'_>,
    content: &MessageContent,
) -> io::Result<RequestForm> {
    let recipient = letter
        .rcpt_to
        .first()
        .map_or("", |one| one.address.as_str());
    let mut form = FormData::new()?
        .text("recipient", recipient.to_owned())
        .text("sender", letter.mail_from.to_string())
        .text("from", fields::list(&content.from))
        .text("subject", content.subject.clone().unwrap_or_default())
        .text("body-plain", content.text.clone().unwrap_or_default())
        .text("stripped-text", content.reply.clone().unwrap_or_default());
    if let Some(html) = &content.html {
        form = form.text("body-html", html.clone());
    }
    for name in FIELDS {
        if let Some(value) = letter.message.header(name) {
            form = form.text(name, value);
        }
    }
    let headers = json_segment(&fields::all(letter.message))?;
    form = form.text("message-headers", headers);
    let files = content.attachments.iter().zip(1..);
    if !content.attachments.is_empty() {
        form = form.text("attachment-count", content.attachments.len().to_string());
        let ids = files.clone().filter_map(|(one, number)| {
            let id = one.content_id.as_ref()?;
            Some((format!("<{id}>"), format!("attachment-{number}")))
        });
        let ids: BTreeMap<_, _> = ids.collect();
        form = form.text("content-id-map", json_segment(&ids)?);
    }
    for (one, number) in files {
        let segment = Segment::Attachment(one.clone());
        form = form.file(
            &format!("attachment-{number}"),
            &one.name,
            &one.media_type,
            segment,
        );
    }
    let mut random = [0; 25];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| io::Error::other("no random octets"))?;
    let (timestamp, token) = ((Millis::now().0 / 1000).to_string(), hex(&random));
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let signature = hmac::sign(&key, format!("{timestamp}{token}").as_bytes());
    form.text("timestamp", timestamp)
        .text("token", token)
        .text("signature", hex(signature.as_ref()))
        .end()
}
