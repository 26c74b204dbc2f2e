//! Letters to the administrators of accounts: codes that prove their addresses, and alerts.
//!
//! Whoever finds something that the administrators of an account are to know of appends a notice with
//! an [`Alert`] to the events. This crate follows the events behind a cursor of its own
//! ([`Administrators::follow`]), and writes a letter to each verified administrator, in their language.
//! The letters are mail of the relay's own: no policy sees them, and they leave by the default route of
//! the site.
//!
//! An attacker can bring an alert about as often as they like. So of one kind and item there is one
//! alert in a set time ([`Notifications::alerts_every`]), and of one account at most
//! [`MOST_AN_HOUR`]. Both are counted in the store, in the commit of the letter.
//!
//! Metrics: `gatepost_administrator_letters_total{kind}`, kind being `code` or the kind of an alert.

#![forbid(unsafe_code)]

mod follow;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatepost_delivery::{AdministratorLetter, Language, LetterText, Notifications};
use gatepost_directory::{AccountId, Administrator, Directory, Name, View};
use gatepost_message::Millis;
use gatepost_model::{Alert, AlertKind, Effect, Event, EventKind, Scope};
use gatepost_spool::{Counters, Queue, SpoolError};
use tokio::sync::Mutex;

/// Most alerts of one account in an hour, whatever they are about.
pub const MOST_AN_HOUR: u64 = 30;

/// Key under which alerts of an account are counted and marked.
const KEY: &str = "administrators";

/// Counter of the letters that were queued, by kind.
const LETTERS: &str = "gatepost_administrator_letters_total";

/// Settings of letters.
#[derive(Debug, Clone)]
pub struct LetterSettings {
    /// Texts and languages.
    pub notifications: Arc<Notifications>,
    /// Time after which an alert that is not delivered is given up.
    pub expiry: Duration,
}

impl Default for LetterSettings {
    /// Returns the built-in texts, and five days.
    fn default() -> Self {
        Self {
            notifications: Arc::default(),
            expiry: Duration::from_secs(5 * 24 * 60 * 60),
        }
    }
}

/// Writer of letters to the administrators of all accounts.
pub struct Administrators {
    directory: Arc<Directory>,
    queue: Arc<dyn Queue>,
    counters: Arc<dyn Counters>,
    settings: ArcSwap<LetterSettings>,
    /// Held while an alert is written, so that none is written twice.
    writing: Mutex<()>,
}

impl Administrators {
    /// Writes letters into this queue. What was written before is known by the counters of the same
    /// store.
    pub fn new(
        directory: Arc<Directory>,
        queue: Arc<dyn Queue>,
        counters: Arc<dyn Counters>,
        settings: LetterSettings,
    ) -> Self {
        for kind in AlertKind::ALL {
            metrics::counter!(LETTERS, "kind" => kind.word()).absolute(0);
        }
        metrics::counter!(LETTERS, "kind" => "code").absolute(0);
        Self {
            directory,
            queue,
            counters,
            settings: ArcSwap::from_pointee(settings),
            writing: Mutex::default(),
        }
    }

    /// Sets the settings that hold from now on.
    pub fn set_settings(&self, settings: LetterSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// Queues the letter with the code that proves an administrator's address.
    ///
    /// # Errors
    /// The queue does not take it.
    pub async fn send_code(
        &self,
        administrator: &Administrator,
        code: &str,
        expires: Millis,
    ) -> Result<(), SpoolError> {
        let text = LetterText::Code(code, expires);
        let now = Millis::now();
        let (view, settings) = (self.directory.view(), self.settings.load_full());
        let notifications = &settings.notifications;
        let letter = letter_to(&view, administrator, text, (now, expires), notifications);
        let Some(letter) = letter else {
            return Ok(());
        };
        (self.queue.accept(letter.write(notifications, Vec::new()))).await?;
        metrics::counter!(LETTERS, "kind" => "code").increment(1);
        Ok(())
    }

    /// Queues the letters of an event that has an alert, to the administrators of its account who were
    /// verified by then. Returns the number of letters: none if one of this kind and item was written
    /// lately.
    ///
    /// # Errors
    /// The queue does not take a letter; those before it are queued.
    pub async fn alert(&self, event: &Event) -> Result<usize, SpoolError> {
        let Some((account, alert)) = alert_of(event) else {
            return Ok(0);
        };
        let view = self.directory.view();
        let told = verified(&view, account, event.at);
        let Some((last, others)) = told.split_last() else {
            return Ok(0);
        };
        let _one_at_a_time = self.writing.lock().await;
        let settings = self.settings.load_full();
        let (name, now) = (account.to_string(), Millis::now());
        if !self.may_alert(&name, alert, now) {
            tracing::info!(
                account = name,
                kind = alert.kind.word(),
                "alerted lately: no letter"
            );
            return Ok(0);
        }
        let text = LetterText::Alert(alert, event.at);
        let times = (now, now + settings.expiry);
        let notifications = &settings.notifications;
        for administrator in others {
            if let Some(letter) = letter_to(&view, administrator, text, times, notifications) {
                self.queue
                    .accept(letter.write(notifications, Vec::new()))
                    .await?;
            }
        }
        let seconds = u32::try_from(notifications.alerts_every.as_secs()).unwrap_or(u32::MAX);
        let effects = vec![
            Effect::MarkSeen {
                key: mark(alert),
                seconds,
            },
            Effect::Count {
                key: KEY.to_owned(),
                amount: 1,
            },
        ];
        if let Some(letter) = letter_to(&view, last, text, times, notifications) {
            self.queue
                .accept(letter.write(notifications, effects))
                .await?;
        }
        let kind = alert.kind.word();
        metrics::counter!(LETTERS, "kind" => kind).increment(told.len() as u64);
        tracing::info!(
            account = name,
            kind,
            letters = told.len(),
            "administrators are alerted"
        );
        Ok(told.len())
    }

    /// Returns true if no alert of this kind and item was written lately, nor too many of the account.
    fn may_alert(&self, account: &str, alert: &Alert, now: Millis) -> bool {
        const HOUR: u32 = 60 * 60;
        let scope = Scope {
            policy: String::new(),
            account: Some(account.to_owned()),
        };
        !self.counters.seen(&scope, &mark(alert), now)
            && self.counters.counted(&scope, KEY, HOUR, now) < MOST_AN_HOUR
    }
}

/// Returns the account and the alert of an event, if it has both.
fn alert_of(event: &Event) -> Option<(AccountId, &Alert)> {
    let EventKind::Notice {
        alert: Some(alert), ..
    } = &event.kind
    else {
        return None;
    };
    let account = event.account.as_deref()?.parse().ok()?;
    Some((account, alert))
}

/// Returns the key of the mark of an alert.
fn mark(alert: &Alert) -> String {
    format!("{KEY} {} {}", alert.kind.word(), alert.about)
}

/// Returns the administrators of an account whose addresses were verified by that time.
fn verified(view: &View, account: AccountId, by: Millis) -> Vec<&Administrator> {
    if view.is_being_erased(account) {
        return Vec::new();
    }
    let all = view.administrators(account).iter();
    all.filter(|of| of.verified.is_some_and(|at| at <= by))
        .collect()
}

/// Returns a letter, with the time of it and the time at which it is given up; `None` if the account is
/// gone.
fn letter_to<'a>(
    view: &'a View,
    administrator: &'a Administrator,
    text: LetterText<'a>,
    (now, expires_at): (Millis, Millis),
    notifications: &Notifications,
) -> Option<AdministratorLetter<'a>> {
    let account = view.account(administrator.account)?;
    let language = Language::of_tag(&administrator.language);
    Some(AdministratorLetter {
        account: account.id.to_string(),
        product: account.profile.product.as_str(),
        native_domain: &account.profile.native_domain,
        name: administrator.name.as_ref().map_or("", Name::as_str),
        to: &administrator.address,
        language: language.unwrap_or(notifications.language),
        text,
        now,
        expires_at,
    })
}
