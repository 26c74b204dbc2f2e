//! The message itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatepost_message::{Address, bare_message_id, domain_to_ascii};
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Mailbox;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};

use crate::{Composed, Draft, DraftError, DraftFile, DraftFileContent, DraftMailbox, Setting};

pub(crate) fn message(
    draft: &Draft,
    setting: &Setting,
    file: impl Fn(&str) -> Option<Bytes>,
) -> Result<Composed, DraftError> {
    let from = draft.from.as_ref();
    let from = from.ok_or_else(|| DraftError::new("from", "name an author"))?;
    let author = from.address().clone();
    let domain = domain_to_ascii(author.domain());
    let message_id = format!(
        "{}@{}",
        setting.id,
        domain.unwrap_or_else(|| author.domain().to_owned())
    );
    let seconds = i64::try_from(setting.at.0 / 1000).unwrap_or_default();
    let mut message = MessageBuilder::new()
        .from(mailboxes(std::slice::from_ref(from)))
        .subject(Text::new(draft.subject.as_str()))
        .date(Date::new(seconds))
        .message_id(message_id.as_str());
    for (name, of) in [
        ("To", &draft.to),
        ("Cc", &draft.cc),
        ("Reply-To", &draft.reply_to),
    ] {
        if !of.is_empty() {
            message = message.header(name, mailboxes(of));
        }
    }
    if let Some(id) = &draft.in_reply_to {
        message = message.in_reply_to(bare(id));
    }
    let references: Vec<&str> = match (draft.references.is_empty(), &draft.in_reply_to) {
        (true, answered) => answered.iter().map(|id| bare(id)).collect(),
        (false, _) => draft.references.iter().map(|id| bare(id)).collect(),
    };
    if !references.is_empty() {
        message = message.references(MessageId::new_list(references.into_iter()));
    }
    if let Some(trigger) = draft.trigger {
        message = message.header(setting.trigger.as_str(), Text::new(trigger.word()));
    }
    if let Some(metadata) = &draft.metadata {
        let raw = mail_builder::headers::raw::Raw::new(metadata.as_str());
        message = message.header(setting.metadata.as_str(), raw);
    }
    for (name, value) in &draft.headers {
        message = message.header(name.as_str(), Text::new(value.as_str()));
    }
    let octets = message.body(body(draft, file)?).write_to_vec();
    let octets = octets.map_err(|error| DraftError::new("files", error.to_string()))?;
    let mut recipients: Vec<Address> = Vec::new();
    for one in draft.recipients().map(DraftMailbox::address) {
        if !recipients.iter().any(|known| known.is_same_mailbox(one)) {
            recipients.push(one.clone());
        }
    }
    Ok(Composed {
        author,
        recipients,
        message_id,
        octets,
    })
}

/// Returns the body: alternatives, with what the HTML shows beside it, and all other files behind.
fn body(draft: &Draft, file: impl Fn(&str) -> Option<Bytes>) -> Result<MimePart<'_>, DraftError> {
    let mut shown = Vec::new();
    let mut attached = Vec::new();
    for (number, of) in draft.files.iter().enumerate() {
        let part = part(number, of, &file)?;
        match of.content_id.is_some() && draft.html.is_some() {
            true => shown.push(part),
            false => attached.push(part),
        }
    }
    let text = draft.text.as_deref();
    let text = text.map(|text| MimePart::new("text/plain", BodyPart::Text(text.into())));
    let html = draft.html.as_deref();
    let html = html.map(|html| MimePart::new("text/html", BodyPart::Text(html.into())));
    let html = html.map(|html| match shown.is_empty() {
        true => html,
        false => {
            let related = ContentType::new("multipart/related").attribute("type", "text/html");
            let parts: Vec<_> = std::iter::once(html).chain(shown).collect();
            MimePart::new(related, parts)
        }
    });
    let words = match (text, html) {
        (Some(text), Some(html)) => Some(MimePart::new("multipart/alternative", vec![text, html])),
        (text, html) => text.or(html),
    };
    Ok(match (words, attached.is_empty()) {
        (Some(words), true) => words,
        (words, _) => {
            let parts: Vec<_> = words.into_iter().chain(attached).collect();
            MimePart::new("multipart/mixed", parts)
        }
    })
}

fn part<'d>(
    number: usize,
    of: &'d DraftFile,
    file: impl Fn(&str) -> Option<Bytes>,
) -> Result<MimePart<'d>, DraftError> {
    let content = match &of.content {
        DraftFileContent::Base64(text) => STANDARD.decode(text).map_err(|error| {
            let problem = format!("it is no base64: {error}");
            DraftError::new(format!("files[{number}].base64"), problem)
        })?,
        DraftFileContent::Part(name) => match file(name) {
            Some(content) => content.to_vec(),
            None => {
                let problem = format!("the request has no part {name:?}");
                return Err(DraftError::new(format!("files[{number}].part"), problem));
            }
        },
    };
    let part = MimePart::new(of.media_type.as_str(), BodyPart::Binary(content.into()));
    let shown = of.content_id.as_deref();
    let disposition = match shown {
        Some(_) => "inline",
        None => "attachment",
    };
    let disposition = ContentType::new(disposition).attribute("filename", of.name.as_str());
    let part = part.header("Content-Disposition", disposition);
    Ok(match shown {
        Some(id) => part.cid(id),
        None => part,
    })
}

fn mailboxes(of: &[DraftMailbox]) -> Mailbox<'_> {
    let list = of.iter().map(|one| {
        let address = one.address().as_str();
        Mailbox::new_address(one.name(), address)
    });
    Mailbox::new_list(list.collect())
}

/// Returns a Message-ID without its angle brackets.
fn bare(id: &str) -> &str {
    bare_message_id(id).unwrap_or(id)
}
