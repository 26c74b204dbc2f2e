//! Settings of a webhook.

use std::time::Duration;

use gatepost_application::{SettingsError, Url, WebhookSecret};
use gatepost_connections::{PinnedKey, Secret, ServerTrust};
use gatepost_model::EventName;
use serde::Deserialize;

/// Most secrets that sign at once: two while the application changes to another, and some to spare.
const MOST_SECRETS: usize = 5;

/// Most events of one request.
const MOST_EVENTS: usize = 1000;

/// Longest wait between two tries, in seconds.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// Most waits that are written.
const MOST_WAITS: usize = 100;

/// Settings of `[events.webhook.NAME]`, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// URL that takes the events.
    pub url: Url,
    /// Certificates that the server may have. Those of public authorities are as the client of the
    /// relay has them.
    pub trust: ServerTrust,
    /// Secrets that sign, at least one.
    pub secrets: Vec<WebhookSecret>,
    /// Accounts whose events it gets; if empty, those of all accounts and of the site.
    pub accounts: Vec<String>,
    /// Kinds of events that it gets; if empty, all.
    pub kinds: Vec<EventName>,
    /// Most events of one request.
    pub batch: usize,
    /// Longest time of a request, answer included.
    pub timeout: Duration,
    /// Waits after the first, second, … try; the last one repeats.
    pub retry: Vec<Duration>,
    /// Time for which the same events are refused before operators are told.
    pub alarm_after: Duration,
}

/// Error of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The certificates that the server may have cannot be used.
    #[error(transparent)]
    Trust(#[from] SettingsError),
    /// There is no secret, or too many.
    #[error("give 1 to {MOST_SECRETS} secrets")]
    Secrets,
    /// A number is out of range.
    #[error("`{0}` is out of range: {1}")]
    Range(&'static str, &'static str),
}

impl WebhookError {
    /// Returns the key of the setting.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Trust(error) => error.key(),
            Self::Secrets => "secrets",
            Self::Range(key, _) => key,
        }
    }
}

/// Longest time before operators are told, in seconds.
const LONGEST_ALARM: u64 = 30 * 24 * 60 * 60;

/// Settings of `[events.webhook.NAME]` as they are written: `S` says where a secret is, and `C`
/// where certificates are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebhookDraft<S, C> {
    /// As [`WebhookSettings::url`].
    pub url: Url,
    /// Authorities that vouch for the server, in PEM, in place of the public ones.
    pub ca: Option<C>,
    /// Keys that the server may have, whoever vouches for it.
    pub pinned_keys: Option<Vec<PinnedKey>>,
    /// As [`WebhookSettings::secrets`].
    pub secrets: Vec<S>,
    /// As [`WebhookSettings::accounts`].
    #[serde(default)]
    pub accounts: Vec<String>,
    /// As [`WebhookSettings::kinds`].
    #[serde(default)]
    pub kinds: Vec<EventName>,
    /// As [`WebhookSettings::batch`].
    #[serde(default = "batch")]
    pub batch: usize,
    /// As [`WebhookSettings::timeout`], in seconds.
    #[serde(default = "timeout")]
    pub timeout_seconds: u64,
    /// As [`WebhookSettings::retry`], in seconds.
    #[serde(default = "retry")]
    pub retry_seconds: Vec<u64>,
    /// As [`WebhookSettings::alarm_after`], in seconds.
    #[serde(default = "alarm_after")]
    pub alarm_after_seconds: u64,
}

impl<S, C> WebhookDraft<S, C> {
    /// Returns the settings with these secrets and certificates.
    ///
    /// # Errors
    /// A setting is out of range, or the certificates cannot be used.
    pub fn complete(
        self,
        secrets: Vec<WebhookSecret>,
        ca: Option<Secret>,
    ) -> Result<WebhookSettings, WebhookError> {
        let trust = self.url.trust(ca, self.pinned_keys)?;
        if !(1..=MOST_SECRETS).contains(&secrets.len()) {
            return Err(WebhookError::Secrets);
        }
        if !(1..=MOST_EVENTS).contains(&self.batch) {
            return Err(WebhookError::Range("batch", "write 1 to 1000"));
        }
        if !(1..=600).contains(&self.timeout_seconds) {
            return Err(WebhookError::Range("timeout-seconds", "write 1 to 600"));
        }
        let mut waits = self.retry_seconds.iter();
        let fit = waits.all(|wait| (1..=LONGEST_WAIT).contains(wait));
        if !fit || !(1..=MOST_WAITS).contains(&self.retry_seconds.len()) {
            let problem = "write 1 to 100 waits of 1 to 86400 seconds";
            return Err(WebhookError::Range("retry-seconds", problem));
        }
        if !(1..=LONGEST_ALARM).contains(&self.alarm_after_seconds) {
            let problem = "write 1 to 2592000";
            return Err(WebhookError::Range("alarm-after-seconds", problem));
        }
        Ok(WebhookSettings {
            url: self.url,
            trust,
            secrets,
            accounts: self.accounts,
            kinds: self.kinds,
            batch: self.batch,
            timeout: Duration::from_secs(self.timeout_seconds),
            retry: (self.retry_seconds.into_iter())
                .map(Duration::from_secs)
                .collect(),
            alarm_after: Duration::from_secs(self.alarm_after_seconds),
        })
    }
}

fn batch() -> usize {
    100
}

fn timeout() -> u64 {
    30
}

fn retry() -> Vec<u64> {
    vec![5, 15, 60, 300, 900]
}

fn alarm_after() -> u64 {
    3600
}

#[cfg(test)]
mod tests {
    use super::*;

    type Draft = WebhookDraft<WebhookSecret, Secret>;

    fn draft(keys: &str) -> Result<Draft, serde_json::Error> {
        serde_json::from_str(&format!(
            r#"{{"url": "https://desk.example/events", "secrets": [{keys}}}"#
        ))
    }

    const SECRET: &str = r#""whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]"#;

    fn completed(keys: &str) -> Result<WebhookSettings, WebhookError> {
        let draft = draft(keys).unwrap();
        let secrets = draft.secrets.clone();
        draft.complete(secrets, None)
    }

    #[test]
    fn settings_have_defaults_and_bounds() {
        let settings = completed(SECRET).unwrap();
        assert_eq!((settings.batch, settings.timeout.as_secs()), (100, 30));
        assert!(settings.accounts.is_empty() && settings.kinds.is_empty());
        for (keys, key) in [
            ("]", "secrets"),
            (&*format!(r#"{SECRET}, "batch": 0"#), "batch"),
            (&format!(r#"{SECRET}, "batch": 1001"#), "batch"),
            (
                &format!(r#"{SECRET}, "timeout-seconds": 0"#),
                "timeout-seconds",
            ),
            (
                &format!(r#"{SECRET}, "retry-seconds": []"#),
                "retry-seconds",
            ),
            (
                &format!(r#"{SECRET}, "retry-seconds": [0]"#),
                "retry-seconds",
            ),
            (
                &format!(r#"{SECRET}, "alarm-after-seconds": 0"#),
                "alarm-after-seconds",
            ),
            (&format!(r#"{SECRET}, "pinned-keys": []"#), "pinned-keys"),
        ] {
            assert_eq!(completed(keys).unwrap_err().key(), key, "{keys}");
        }
        assert!(draft(&format!(r#"{SECRET}, "kinds": ["opened"]"#)).is_err());
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", completed(SECRET).unwrap());
        assert!(
            !shown.contains("MfKQ9") && !shown.contains("49, 242"),
            "{shown}"
        );
    }
}
