//! Notices to senders: when they are sent, and in which words.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_delivery::{Language, TemplateErrors, Templates, ToStrangers};
use serde::Deserialize;

use super::Config;
use super::units::duration;

/// Settings of notices to senders.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Notifications {
    /// Language of notices to senders whose account sets none.
    pub language: Language,
    /// Folder of templates that replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// True if senders who did not ask for delay notices get them.
    pub delay_unasked: bool,
    /// Notices to a sender whose reverse-path is not proved.
    pub unproved: ToStrangers,
    /// Notices to a sender whose reverse-path fails SPF.
    pub spf_fail: ToStrangers,
    /// Time in which the administrators of an account are alerted once of one kind and item.
    #[serde(deserialize_with = "duration")]
    pub alerts_every: Duration,
}

impl Default for Notifications {
    fn default() -> Self {
        let notifications = gatepost_delivery::Notifications::default();
        Self {
            language: notifications.language,
            templates: None,
            delay_unasked: notifications.delay_unasked,
            unproved: notifications.unproved,
            spf_fail: notifications.spf_fail,
            alerts_every: notifications.alerts_every,
        }
    }
}

impl Config {
    /// Returns the settings of notices in the terms of delivery, with the templates read and
    /// checked.
    ///
    /// # Errors
    /// The folder of templates cannot be used.
    pub fn notices(&self) -> Result<Arc<gatepost_delivery::Notifications>, TemplateErrors> {
        let templates = match &self.notifications.templates {
            Some(folder) => Templates::load(folder)?,
            None => Templates::builtin(),
        };
        let languages = self.accounts.iter();
        let languages = languages
            .filter_map(|account| Some((account.id.clone(), account.language?)))
            .collect();
        Ok(Arc::new(gatepost_delivery::Notifications {
            language: self.notifications.language,
            languages,
            templates: Arc::new(templates),
            delay: self.delivery.delay_notice,
            delay_unasked: self.notifications.delay_unasked,
            unproved: self.notifications.unproved,
            spf_fail: self.notifications.spf_fail,
            alerts_every: self.notifications.alerts_every,
            tags_field: self.headers.tags.0.as_str().to_owned(),
            reasons_field: {
                let written = self.headers.reasons.written();
                written.map(|name| name.as_str().to_owned())
            },
        }))
    }
}
