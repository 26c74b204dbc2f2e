//! What senders are told of their messages, and in which words.

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_delivery::{Language, TemplateErrors, Templates, ToStrangers};
use serde::Deserialize;

use super::Config;

/// What senders are told of their messages, and in which words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Notifications {
    /// The language of notices to senders whose account has none.
    pub language: Language,
    /// Folder of templates that replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// Whether delay is told to senders who have not said when they want to hear.
    pub delay_unasked: bool,
    /// What senders are told where nothing proves that the reverse-path is theirs.
    pub unproved: ToStrangers,
    /// What is told where the domain of the reverse-path says that it is not theirs.
    pub spf_fail: ToStrangers,
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
        }
    }
}

impl Config {
    /// Everything about notices in the delivery's terms, the templates read and checked.
    ///
    /// # Errors
    /// What is wrong with the folder of templates.
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
            tags_field: self.headers.tags.0.as_str().to_owned(),
            reasons_field: {
                let written = self.headers.reasons.written();
                written.map(|name| name.as_str().to_owned())
            },
        }))
    }
}
