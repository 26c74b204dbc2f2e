//! The Inbound Parse webhook of SendGrid, parsed and with "Send Raw":
//! <https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook>.

use std::collections::BTreeMap;
use std::io;

use gatepost_content::MessageContent;
use serde_json::{Value, json};

use super::super::form_data::FormData;
use super::super::json_segment;
use super::{RequestForm, fields};
use crate::Letter;
use crate::segments::Segment;

/// Makes the form of the message taken apart.
pub(super) fn form(letter: &Letter<'_>, content: &MessageContent) -> io::Result<RequestForm> {
    let form = FormData::new()?
        .text("headers", fields::text(letter.message))
        .text("to", fields::list(&content.to))
        .text("cc", fields::list(&content.cc))
        .text("from", fields::list(&content.from))
        .text("subject", content.subject.clone().unwrap_or_default())
        .text("text", content.text.clone().unwrap_or_default())
        .text("html", content.html.clone().unwrap_or_default());
    // All of it is in UTF-8, whatever the message was in.
    let charsets = ["to", "cc", "from", "subject", "text", "html"].map(|name| (name, "UTF-8"));
    let charsets = json_segment(&BTreeMap::from(charsets))?;
    let files = content.attachments.iter().zip(1..);
    let mut form = with_facts(form, letter)?
        .text("charsets", charsets)
        .text("attachments", content.attachments.len().to_string());
    if !content.attachments.is_empty() {
        let info = files.clone().map(|(one, number)| {
            let mut info = json!({
                "filename": one.name,
                "name": one.name,
                "type": one.media_type,
            });
            if let Some(id) = &one.content_id {
                info["content-id"] = Value::from(id.as_str());
            }
            (name_of(number), info)
        });
        let info: BTreeMap<_, _> = info.collect();
        let ids = files.clone().filter_map(|(one, number)| {
            let id = one.content_id.clone()?;
            Some((id, name_of(number)))
        });
        let ids: BTreeMap<_, _> = ids.collect();
        form = form
            .text("attachment-info", json_segment(&info)?)
            .text("content-ids", json_segment(&ids)?);
    }
    for (one, number) in files {
        let segment = Segment::Attachment(one.clone());
        form = form.file(&name_of(number), &one.name, &one.media_type, segment);
    }
    form.end()
}

/// Makes the form of the whole message.
pub(super) fn raw(letter: &Letter<'_>) -> io::Result<RequestForm> {
    let header = |name| letter.message.header(name).unwrap_or_default();
    let form = FormData::new()?
        .text("to", header("To"))
        .text("from", header("From"))
        .text("subject", header("Subject"));
    with_facts(form, letter)?
        .field("email", Segment::Message)
        .end()
}

/// Adds the envelope and what message authentication found.
fn with_facts(form: FormData, letter: &Letter<'_>) -> io::Result<FormData> {
    let recipients: Vec<_> = letter
        .rcpt_to
        .iter()
        .map(|one| one.address.as_str())
        .collect();
    let envelope = json!({ "to": recipients, "from": letter.mail_from.to_string() });
    let result = |of: &Value| of["result"].as_str().unwrap_or("none").to_owned();
    let found = letter.authentication.unwrap_or(&Value::Null);
    let signatures = found["dkim"].as_array().into_iter().flatten();
    let signatures = signatures.map(|one| {
        let domain = one["domain"].as_str().unwrap_or_default();
        format!("@{domain} : {}", result(one))
    });
    let signatures: Vec<_> = signatures.collect();
    let dkim = match signatures.is_empty() {
        true => "none".to_owned(),
        false => format!("{{{}}}", signatures.join(", ")),
    };
    let client = letter.client.map(|client| client.to_string());
    Ok(form
        .text("envelope", json_segment(&envelope)?)
        .text("sender_ip", client.unwrap_or_default())
        .text("SPF", result(&found["spf"]["mailfrom"]))
        .text("dkim", dkim))
}

fn name_of(number: usize) -> String {
    format!("attachment{number}")
}
