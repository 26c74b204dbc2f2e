//! Shapes that existing applications take from mail services and from their own tools.

mod action_mailbox;
mod fields;
mod mailgun;
mod osticket;
mod postmark;
mod sendgrid;
mod zammad;

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{RequestForm, taken_apart, unguessable};
use crate::Letter;
use crate::segments::Segment;
use crate::settings::{Preset, PresetSettings};

/// Makes the form of a letter in the shape of a preset.
///
/// # Errors
/// The message cannot be read, or the key is none that a field can carry.
pub(super) async fn form(
    settings: &PresetSettings,
    letter: &Letter<'_>,
) -> io::Result<RequestForm> {
    let mut form = match settings.preset {
        Preset::ActionMailbox => action_mailbox::form(letter),
        Preset::Osticket => osticket::form(letter),
        Preset::SendgridRaw => sendgrid::raw(letter)?,
        Preset::Postmark => postmark::form(letter, &taken_apart(letter.message).await?)?,
        Preset::Sendgrid => sendgrid::form(letter, &taken_apart(letter.message).await?)?,
        Preset::Mailgun => {
            let key = settings.key.as_ref().map_or("", |key| key.reveal());
            mailgun::form(key, letter, &taken_apart(letter.message).await?)?
        }
        Preset::Zammad => {
            let group = settings.group.as_deref().unwrap_or_default();
            zammad::form(group, letter, &taken_apart(letter.message).await?)?
        }
    };
    if let Some((name, value)) = credentials(settings)? {
        form.fields.insert(name, value);
    }
    Ok(form)
}

/// Returns the field by which the application knows the relay.
fn credentials(settings: &PresetSettings) -> io::Result<Option<(HeaderName, HeaderValue)>> {
    let Some(key) = &settings.key else {
        return Ok(None);
    };
    let (name, value) = match settings.preset {
        // Its key signs, and is not sent.
        Preset::Mailgun => return Ok(None),
        Preset::ActionMailbox | Preset::Postmark | Preset::Sendgrid | Preset::SendgridRaw => {
            let pair = Zeroizing::new(format!("{}:{}", settings.user, key.reveal()));
            (
                AUTHORIZATION,
                format!("Basic {}", STANDARD.encode(pair.as_bytes())),
            )
        }
        Preset::Osticket => (
            HeaderName::from_static("x-api-key"),
            key.reveal().to_owned(),
        ),
        Preset::Zammad => (AUTHORIZATION, format!("Token token={}", key.reveal())),
    };
    let mut value = HeaderValue::try_from(value).map_err(io::Error::other)?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// Makes a form of the message alone, with a field for each recipient on top of it.
fn message_below(field: &str, letter: &Letter<'_>) -> RequestForm {
    let recipients = letter.rcpt_to.iter();
    let fields: String = recipients
        .map(|one| format!("{field}: {}\r\n", one.address))
        .collect();
    let kind = HeaderValue::from_static("message/rfc822");
    RequestForm {
        fields: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
        segments: vec![Segment::Octets(fields.into()), Segment::Message],
    }
}

/// JSON that has attachments in base64, which are encoded as they are sent.
struct JsonWithFiles {
    /// Text that stands for the next attachment; nobody who writes a message knows it.
    mark: String,
}

impl JsonWithFiles {
    fn new() -> io::Result<Self> {
        Ok(Self {
            mark: unguessable()?,
        })
    }

    /// Makes the form of a value in which the mark stands for each of these attachments, in order.
    fn form(
        &self,
        value: &impl Serialize,
        attachments: &[gatepost_content::Attachment],
    ) -> io::Result<RequestForm> {
        let json = serde_json::to_string(value)?;
        let mut pieces = json.split(&self.mark);
        let first = pieces.next().unwrap_or_default().to_owned();
        let mut segments = vec![Segment::Octets(first.into())];
        for (piece, attachment) in pieces.zip(attachments) {
            segments.push(Segment::Base64(attachment.clone()));
            segments.push(Segment::Octets(piece.to_owned().into()));
        }
        let kind = HeaderValue::from_static("application/json");
        Ok(RequestForm {
            fields: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
            segments,
        })
    }
}
