//! Hands a message to the application without SMTP.
//!
//! [`Application::deliver`] takes a [`Letter`], the message with the facts about it, to a
//! [`Target`]: a Maildir, from which the application reads files, or a URL, to which the relay
//! posts each message. It returns an [`Outcome`] for each recipient, whose reply says as in SMTP
//! whether the recipient is delivered, waits or has failed. Retries, their times and expiry are the
//! caller's.
//!
//! - [`MaildirSettings`]: one file a recipient, durable before it is visible.
//! - [`HttpSettings`]: one request for a group of recipients, signed as Standard Webhooks
//!   prescribes.
#![forbid(unsafe_code)]

mod body;
mod forms;
mod http;
mod letter;
mod links;
mod maildir;
mod outcome;
mod pieces;
mod segments;
mod settings;
mod signature;

use gatepost_http_client::HttpClient;

pub use self::body::PieceBody;
pub use self::forms::taken_apart;
pub use self::letter::{Arrival, Letter, LetterRecipient, RecipientFacts, TagWithReasons};
pub use self::links::AttachmentLink;
pub use self::outcome::{Alarm, Outcome, Reach};
pub use self::settings::{
    AttachmentForm, HttpDraft, HttpForm, HttpSettings, MaildirSettings, Preset, PresetSettings,
    SettingsError, Target, Url, WebhookSecret,
};
pub use self::signature::{WebhookId, sign};

/// The way to the application, for any number of messages side by side.
#[derive(Debug, Clone)]
pub struct Application {
    client: HttpClient,
    hostname: String,
    links: Option<String>,
}

impl Application {
    /// Makes one for the relay of this name; the client decides which certificates and addresses it
    /// trusts.
    pub fn new(client: HttpClient, hostname: impl Into<String>) -> Self {
        Self {
            client,
            hostname: hostname.into(),
            links: None,
        }
    }

    /// Sets the URL below which the application reaches [links](AttachmentLink) to attachments.
    pub fn with_links(self, base: Option<String>) -> Self {
        Self {
            links: base,
            ..self
        }
    }

    /// Delivers a message to a target. Returns an outcome for each recipient, in their order.
    pub async fn deliver(&self, target: &Target, letter: &Letter<'_>) -> Vec<Outcome> {
        match target {
            Target::Maildir(maildir) => maildir::deliver(maildir, &self.hostname, letter).await,
            Target::Http(settings) => {
                let links = self.links.as_deref();
                http::deliver(&self.client, links, settings, letter).await
            }
        }
    }
}
