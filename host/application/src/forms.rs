//! Forms of a request: its fields, and the segments of its body.

mod facts;
mod form_data;
mod json;
mod preset;
mod raw;

use std::io;

use bytes::Bytes;
use gatepost_content::MessageContent;
use gatepost_message::{Message, Millis};
use http::HeaderMap;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Semaphore;

use crate::segments::Segment;
use crate::signature::hex;
use crate::{AttachmentForm, HttpForm, HttpSettings, Letter};

/// Messages that are taken apart at once: each is in memory as a whole meanwhile.
static TAKING_APART: Semaphore = Semaphore::const_new(2);

/// Fields and body of a request.
#[derive(Debug, Default)]
pub(crate) struct RequestForm {
    pub(crate) fields: HeaderMap,
    pub(crate) segments: Vec<Segment>,
}

impl RequestForm {
    /// Makes the form of a letter, whose links to attachments stand below this URL.
    ///
    /// # Errors
    /// The message cannot be read, or the system gives no random octets for a boundary.
    pub(crate) async fn of(
        links: Option<&str>,
        settings: &HttpSettings,
        letter: &Letter<'_>,
    ) -> io::Result<Self> {
        if let Some(preset) = &settings.preset {
            return preset::form(preset, letter).await;
        }
        match settings.form {
            HttpForm::Raw => Ok(raw::form(letter)),
            HttpForm::Multipart => facts::form(letter),
            HttpForm::Json => {
                let content = taken_apart(letter.message).await?;
                let files = match settings.attachments {
                    AttachmentForm::Multipart => json::Files::Parts,
                    AttachmentForm::None => json::Files::None,
                    AttachmentForm::Url => {
                        let base = links.ok_or_else(|| io::Error::other("no URL for links"))?;
                        let until = Millis(Millis::now().0 + link_life(settings));
                        json::Files::Links { base, until }
                    }
                };
                json::form(files, letter, &content)
            }
        }
    }
}

/// Time for which a link outlives the request that it is in, in milliseconds: for clocks that differ,
/// and a download that begins late.
const LINK_MARGIN: u64 = 60_000;

/// Returns the life of links in milliseconds: the application fetches before it answers, because then
/// the relay has the message no more.
fn link_life(settings: &HttpSettings) -> u64 {
    u64::try_from(settings.timeout.as_millis()).unwrap_or(u64::MAX / 2) + LINK_MARGIN
}

/// Takes a message apart. Few are taken apart at once, and others wait.
///
/// # Errors
/// It cannot be read, or is not what was stored.
pub async fn taken_apart(message: &Message) -> io::Result<MessageContent> {
    let permit = TAKING_APART.acquire().await.map_err(io::Error::other)?;
    let message = message.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let octets = message.to_bytes()?;
        io::Result::Ok(MessageContent::of(&message, &octets))
    });
    let content = reading.await.map_err(io::Error::other)?;
    drop(permit);
    content
}

/// Returns a text that nobody who writes a message can guess.
///
/// # Errors
/// The system gives no random octets.
fn unguessable() -> io::Result<String> {
    let mut random = [0; 16];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| io::Error::other("no random octets"))?;
    Ok(format!("gatepost-{}", hex(&random)))
}

/// Returns a segment of JSON.
fn json_segment(value: &impl serde::Serialize) -> io::Result<Bytes> {
    Ok(serde_json::to_vec(value)?.into())
}
