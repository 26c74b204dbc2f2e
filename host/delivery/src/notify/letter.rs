//! Letters to the administrators of an account: alerts, and the codes with which they prove their
//! addresses.
//!
//! A letter comes from the postmaster of the account's native domain, with the null reverse-path: it
//! belongs to the account, passes no policy, and leaves by the default route of the site.

use bytes::Bytes;
use gatepost_message::{Address, Domain, Millis, ReversePath, TransactionId};
use gatepost_model::{Alert, AlertKind, Effect, Scope};
use gatepost_spool::{NewMessage, OwnMail};
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Mailbox;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use serde::Serialize;

use super::compose::{TAG, part_for_people};
use super::flowed::flowed;
use super::templates::TemplateKind;
use super::text::{format_minute, one_line};
use super::{Language, Notifications};

/// Name that stands in the place of a listener in the transaction of a letter.
pub const LETTERS: &str = "administrators";

/// Letter to an administrator of an account.
#[derive(Debug, Clone)]
pub struct AdministratorLetter<'a> {
    /// Id of the account.
    pub account: String,
    /// Name of the account's product.
    pub product: &'a str,
    /// Native domain of the account, from whose postmaster the letter comes.
    pub native_domain: &'a Domain,
    /// Name of the administrator; empty if it is not known.
    pub name: &'a str,
    /// Address of the administrator.
    pub to: &'a Address,
    /// Language of the letter.
    pub language: Language,
    /// Text.
    pub text: LetterText<'a>,
    /// Time of the letter.
    pub now: Millis,
    /// Time at which it is given up.
    pub expires_at: Millis,
}

/// Text of a letter.
#[derive(Debug, Clone, Copy)]
pub enum LetterText<'a> {
    /// Alert, with the time at which it was found.
    Alert(&'a Alert, Millis),
    /// Code that proves the address, and the time until which it does.
    Code(&'a str, Millis),
}

/// Values of the template of an alert. None holds a line break.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct AlertValues {
    /// Name of the administrator.
    pub(super) name: String,
    /// Kind of the alert, by its word.
    pub(super) kind: &'static str,
    /// Item that the alert is about.
    pub(super) about: String,
    /// Detail, in the words of whoever found it; empty if there is none.
    pub(super) detail: String,
    /// Name of the product.
    pub(super) product: String,
    /// Native domain of the account.
    pub(super) domain: String,
    /// Time at which it was found.
    pub(super) time: String,
}

impl AlertValues {
    /// Returns sample values of every kind, with a detail and without.
    pub(super) fn samples() -> Vec<Self> {
        let kinds = AlertKind::ALL.into_iter();
        let details = ["535 5.7.8 no", ""];
        let samples = kinds.flat_map(|kind| details.map(|detail| (kind, detail)));
        let samples = samples.map(|(kind, detail)| Self {
            name: "Ann".to_owned(),
            kind: kind.word(),
            about: "The item".to_owned(),
            detail: detail.to_owned(),
            product: "Acme Desk".to_owned(),
            domain: "acme.desk.example".to_owned(),
            time: "2026-01-31 12:00 UTC".to_owned(),
        });
        samples.collect()
    }
}

/// Values of the template of a code.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct CodeValues {
    /// Name of the administrator.
    pub(super) name: String,
    /// Address that the code proves.
    pub(super) address: String,
    /// Code.
    pub(super) code: String,
    /// Time until which it is good.
    pub(super) until: String,
    /// Name of the product.
    pub(super) product: String,
    /// Native domain of the account.
    pub(super) domain: String,
}

impl CodeValues {
    /// Returns sample values.
    pub(super) fn sample() -> Self {
        Self {
            name: "Ann".to_owned(),
            address: "ann@a.example".to_owned(),
            code: "k3v9-x2mh-qa7c".to_owned(),
            until: "2026-01-31 12:00 UTC".to_owned(),
            product: "Acme Desk".to_owned(),
            domain: "acme.desk.example".to_owned(),
        }
    }
}

impl AdministratorLetter<'_> {
    /// Writes the letter, in the form for the queue. `effects` are committed with it.
    pub fn write(&self, notifications: &Notifications, effects: Vec<Effect>) -> NewMessage {
        let id = TransactionId::new();
        let raw = Bytes::from(self.compose(notifications, id));
        let letter = OwnMail {
            id,
            listener: LETTERS.to_owned(),
            account: Some(self.account.clone()),
            reverse_path: ReversePath::Null,
            to: self.to.clone(),
            message: raw,
            now: self.now,
            expires_at: self.expires_at,
        };
        let scope = Scope {
            policy: String::new(),
            account: Some(self.account.clone()),
        };
        let effects = effects.into_iter();
        NewMessage {
            tags: vec![TAG.to_owned()],
            effects: effects.map(|effect| (scope.clone(), effect)).collect(),
            ..letter.queued_without_notices()
        }
    }

    fn compose(&self, notifications: &Notifications, id: TransactionId) -> Vec<u8> {
        let templates = &notifications.templates;
        let (name, product) = (one_line(self.name), one_line(self.product));
        let domain = self.native_domain.to_string();
        let rendered = match self.text {
            LetterText::Alert(alert, time) => {
                let values = AlertValues {
                    name,
                    kind: alert.kind.word(),
                    about: one_line(&alert.about),
                    detail: one_line(alert.detail.as_deref().unwrap_or_default()),
                    product,
                    domain,
                    time: format_minute(time),
                };
                templates.render(self.language, TemplateKind::Alert, &values)
            }
            LetterText::Code(code, until) => {
                let values = CodeValues {
                    name,
                    address: self.to.to_string(),
                    code: code.to_owned(),
                    until: format_minute(until),
                    product,
                    domain,
                };
                templates.render(self.language, TemplateKind::Code, &values)
            }
        };
        let seconds = i64::try_from(self.now.0 / 1000).unwrap_or(i64::MAX);
        let native = self.native_domain.as_ascii();
        // In ASCII if possible: otherwise only a server with SMTPUTF8 could accept it.
        let ascii = self.to.to_ascii();
        let to = ascii.as_ref().unwrap_or(self.to).as_str();
        let name = (!self.name.is_empty()).then_some(self.name);
        let text = part_for_people(flowed(&rendered.text)).language(self.language.tag());
        let mut raw = Vec::new();
        MessageBuilder::new()
            .from(Mailbox::new_address(
                Some(rendered.from),
                format!("postmaster@{native}"),
            ))
            .to(Mailbox::new_address(name, to))
            .subject(rendered.subject)
            .date(Date::new(seconds))
            .message_id(format!("{id}@{native}"))
            // RFC 3834 section 5: so that nothing answers it.
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header(notifications.tags_field.as_str(), Raw::new(TAG))
            .body(text)
            .serialize(&mut raw);
        raw
    }
}
