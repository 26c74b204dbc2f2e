//! Presets: which existing application a URL is of, and what it wants to know of the relay.

use gatepost_connections::Secret;
use serde::Deserialize;

use super::{HttpDraft, SettingsError};

/// Application, or service in whose place the relay is, that gives a request its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Relay ingress of Rails' Action Mailbox.
    ActionMailbox,
    /// Inbound webhook of Postmark.
    Postmark,
    /// Routes of Mailgun with `forward()`.
    Mailgun,
    /// Inbound Parse of SendGrid.
    Sendgrid,
    /// Inbound Parse of SendGrid with "Send Raw".
    SendgridRaw,
    /// E-mail API of osTicket.
    Osticket,
    /// REST API of Zammad.
    Zammad,
}

/// Settings of a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetSettings {
    /// The preset.
    pub preset: Preset,
    /// User of HTTP authentication, where the preset has one.
    pub user: String,
    /// Password, key or token by which the application knows the relay.
    pub key: Option<Secret>,
    /// Group of Zammad that gets the tickets.
    pub group: Option<String>,
}

/// User that Action Mailbox demands.
const ACTION_MAILBOX: &str = "actionmailbox";

/// Longest user, key and group.
const LONGEST: usize = 512;

impl Preset {
    /// Returns the most recipients of one request: what the shape has room for.
    pub(super) fn most_recipients(self) -> usize {
        match self {
            Self::ActionMailbox | Self::Osticket | Self::Sendgrid | Self::SendgridRaw => 50,
            Self::Postmark | Self::Mailgun | Self::Zammad => 1,
        }
    }

    fn has_user(self) -> bool {
        matches!(
            self,
            Self::ActionMailbox | Self::Postmark | Self::Sendgrid | Self::SendgridRaw
        )
    }

    fn wants_key(self) -> bool {
        matches!(
            self,
            Self::ActionMailbox | Self::Mailgun | Self::Osticket | Self::Zammad
        )
    }
}

impl PresetSettings {
    /// Returns the settings of a draft with this key; `None` if it has no preset.
    ///
    /// # Errors
    /// A setting is missing, without effect, or none that a request can carry.
    pub(super) fn of<S, C>(
        draft: &HttpDraft<S, C>,
        key: Option<Secret>,
    ) -> Result<Option<Self>, SettingsError> {
        let refused = |key, message| Err(SettingsError::Preset(key, message));
        let Some(preset) = draft.preset else {
            return match (&draft.user, &key, &draft.group) {
                (None, None, None) => Ok(None),
                (Some(_), _, _) => refused("user", "`user` is of a `preset`"),
                (_, Some(_), _) => refused(
                    "api-key",
                    "`api-key` is of a `preset`: `secrets` sign the forms",
                ),
                (_, _, Some(_)) => refused("group", "`group` is of `preset = \"zammad\"`"),
            };
        };
        if draft.form.is_some() {
            return refused(
                "form",
                "write `preset` or `form`: a preset has a form of its own",
            );
        }
        if draft.user.is_some() && !preset.has_user() {
            return refused("user", "the preset has no user");
        }
        if key.is_none() && preset.wants_key() {
            return refused(
                "api-key",
                "the preset wants an `api-key`: docs/application.md says which",
            );
        }
        let is_sent = |text: &str| {
            (1..=LONGEST).contains(&text.len())
                && text.bytes().all(|octet| octet.is_ascii_graphic())
        };
        if key.as_ref().is_some_and(|key| !is_sent(key.reveal())) {
            return refused(
                "api-key",
                "write a key of 1 to 512 visible ASCII characters",
            );
        }
        let user = draft.user.as_deref().unwrap_or(ACTION_MAILBOX);
        if !is_sent(user) || user.contains(':') {
            return refused(
                "user",
                "write a user of visible ASCII characters, without a colon",
            );
        }
        let group = draft.group.as_deref();
        match (preset, group) {
            (Preset::Zammad, Some(group)) if !group.trim().is_empty() && group.len() <= LONGEST => {
            }
            (Preset::Zammad, _) => {
                return refused(
                    "group",
                    "the preset wants the `group` that gets the tickets",
                );
            }
            (_, Some(_)) => return refused("group", "`group` is of `preset = \"zammad\"`"),
            (_, None) => {}
        }
        Ok(Some(Self {
            preset,
            user: user.to_owned(),
            key,
            group: draft.group.clone(),
        }))
    }
}
