//! Targets as the configuration names them.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, str::FromStr};

mod preset;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_connections::{DraftProblem, PinnedKey, Secret, ServerTrust};
use http::Uri;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

pub use self::preset::{Preset, PresetSettings};

/// Place of the application to which messages are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "each is made once for its endpoint, and shared"
)]
pub enum Target {
    /// A folder in the Maildir format.
    Maildir(MaildirSettings),
    /// A URL, by POST.
    Http(HttpSettings),
}

impl Target {
    /// Returns the waits between tries, where the target has its own.
    pub fn retry(&self) -> Option<&[Duration]> {
        match self {
            Self::Maildir(_) => None,
            Self::Http(settings) => Some(&settings.retry),
        }
    }
}

/// Settings of `[maildir.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MaildirSettings {
    /// Folder that has `tmp`, `new` and `cur`; made with mode 0700 if it is not there.
    pub path: PathBuf,
}

/// Settings of `[endpoint.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "HttpDraft<WebhookSecret, Secret>")]
pub struct HttpSettings {
    /// URL that takes the messages.
    pub url: Url,
    /// Certificates that the server may have. Those of public authorities are as the client of the
    /// relay has them.
    pub trust: ServerTrust,
    /// Form of the request.
    pub form: HttpForm,
    /// Way of attachments in the form `json`.
    pub attachments: AttachmentForm,
    /// Shape of the request that an existing application takes, in place of the form.
    pub preset: Option<PresetSettings>,
    /// Secrets that sign, at least one unless there is a preset: several while the application
    /// changes to another.
    pub secrets: Vec<WebhookSecret>,
    /// Statuses that fail a message for good, besides those that always do.
    pub failing: Vec<u16>,
    /// Longest time of a request, answer included.
    pub timeout: Duration,
    /// Most recipients of one request.
    pub recipients: usize,
    /// Waits after the first, second, … try; the last one repeats.
    pub retry: Vec<Duration>,
}

impl HttpSettings {
    /// Returns true if a status fails a message for good. Without a preset, 422 does so always; of
    /// an application that knows nothing of the relay, it may as well be about the settings.
    pub(crate) fn fails(&self, status: u16) -> bool {
        let always: &[u16] = match self.preset.as_ref().map(|of| of.preset) {
            None => &[422],
            Some(Preset::Mailgun) => &[406],
            Some(Preset::Osticket) => &[416, 417],
            Some(_) => &[],
        };
        always.contains(&status) || self.failing.contains(&status)
    }
}

/// Form of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpForm {
    /// `multipart/form-data`: the facts in JSON, and the message as a file. The signature covers
    /// both.
    #[default]
    Multipart,
    /// `message/rfc822`: the message alone. The envelope stands in header fields, which the
    /// signature does not cover.
    Raw,
    /// The message taken apart, in JSON: text, addresses, facts.
    Json,
}

/// Way in which the form `json` has the octets of attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentForm {
    /// `multipart/form-data`: the JSON, and a file for each attachment.
    #[default]
    Multipart,
    /// Links, by which the application fetches them before it answers. The request is JSON.
    Url,
    /// Not at all: the request is JSON with their descriptions.
    None,
}

/// Error of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The URL is not one for requests.
    #[error("write a URL as `https://host/path`, without user and fragment")]
    Url,
    /// The secret is malformed.
    #[error("write a secret as `whsec_` and 24 to 64 bytes in base64")]
    Secret,
    /// There is no secret, or too many.
    #[error("give 1 to {MOST_SECRETS} secrets")]
    Secrets,
    /// A status that cannot fail a message for good.
    #[error(
        "{0} cannot fail a message: choose statuses from 400 to 599, and none of 401, 403, 404, \
         408, 413, 415, 429 and 503, which say that the application is not ready"
    )]
    Failing(u16),
    /// The certificates that the server may have cannot be used.
    #[error(transparent)]
    Trust(#[from] DraftProblem),
    /// Certificates of a server that shows none.
    #[error("`{0}` has no effect over http: write a URL that begins with https://")]
    Unchecked(&'static str),
    /// A setting of the form `json` beside another form.
    #[error("`attachments` is of `form = \"json\"`: the other forms have the whole message")]
    OfJson,
    /// A setting that a preset wants, or does not have.
    #[error("{1}")]
    Preset(&'static str, &'static str),
    /// A number is out of range.
    #[error("`{0}` is out of range: {1}")]
    Range(&'static str, &'static str),
}

impl SettingsError {
    /// Returns the key of the setting.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Secret | Self::Secrets => "secrets",
            Self::Failing(_) => "failing",
            Self::Trust(problem) => problem.key,
            Self::OfJson => "attachments",
            Self::Unchecked(key) | Self::Range(key, _) | Self::Preset(key, _) => key,
        }
    }
}

/// The most secrets that sign at once.
const MOST_SECRETS: usize = 5;

/// Statuses about the application's own state: mail waits for it.
const NOT_READY: [u16; 8] = [401, 403, 404, 408, 413, 415, 429, 503];

/// URL of the application: `http` or `https`, with a host and without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(Uri);

impl Url {
    /// Returns the URL in the form of requests.
    pub fn uri(&self) -> &Uri {
        &self.0
    }

    /// Returns the demand on the certificate of the server: it is one of this authority, in PEM, or
    /// has one of these keys, or else one of the public authorities vouches for it.
    ///
    /// # Errors
    /// The authority or the keys cannot be used, or the server shows no certificate.
    pub fn trust(
        &self,
        ca: Option<Secret>,
        pinned_keys: Option<Vec<PinnedKey>>,
    ) -> Result<ServerTrust, SettingsError> {
        let is_checked = self.0.scheme_str() == Some("https");
        match ServerTrust::of(ca, pinned_keys)? {
            ServerTrust::Authority(_) if !is_checked => Err(SettingsError::Unchecked("ca")),
            ServerTrust::Pinned(_) if !is_checked => Err(SettingsError::Unchecked("pinned-keys")),
            trust => Ok(trust),
        }
    }
}

impl FromStr for Url {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let uri: Uri = text.parse().map_err(|_| SettingsError::Url)?;
        let web = matches!(uri.scheme_str(), Some("http" | "https"));
        let bare = uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
        match web && bare && !text.contains('#') {
            true => Ok(Self(uri)),
            false => Err(SettingsError::Url),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Secret that signs requests, written `whsec_` and base64 (Standard Webhooks). It is not shown,
/// and wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for WebhookSecret {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        let encoded = text.strip_prefix("whsec_").ok_or(SettingsError::Secret)?;
        let octets = STANDARD
            .decode(encoded)
            .map_err(|_| SettingsError::Secret)?;
        let octets = Zeroizing::new(octets);
        match (24..=64).contains(&octets.len()) {
            true => Ok(Self(octets)),
            false => Err(SettingsError::Secret),
        }
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

impl<'de> Deserialize<'de> for WebhookSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Settings of `[endpoint.NAME]` as they are written: `S` says where a secret is, and `C` where
/// certificates are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HttpDraft<S, C> {
    /// As [`HttpSettings::url`].
    pub url: Url,
    /// Authorities that vouch for the server, in PEM, in place of the public ones.
    pub ca: Option<C>,
    /// Keys that the server may have, whoever vouches for it.
    pub pinned_keys: Option<Vec<PinnedKey>>,
    /// As [`HttpSettings::form`].
    pub form: Option<HttpForm>,
    /// As [`HttpSettings::attachments`].
    pub attachments: Option<AttachmentForm>,
    /// As [`PresetSettings::preset`].
    pub preset: Option<Preset>,
    /// As [`PresetSettings::user`].
    pub user: Option<String>,
    /// As [`PresetSettings::key`].
    #[serde(rename = "api-key")]
    pub key: Option<C>,
    /// As [`PresetSettings::group`].
    pub group: Option<String>,
    /// As [`HttpSettings::secrets`].
    #[serde(default = "Vec::new")]
    pub secrets: Vec<S>,
    /// As [`HttpSettings::failing`].
    #[serde(default)]
    pub failing: Vec<u16>,
    /// As [`HttpSettings::timeout`], in seconds.
    #[serde(default = "timeout")]
    pub timeout_seconds: u64,
    /// As [`HttpSettings::recipients`].
    pub recipients: Option<usize>,
    /// As [`HttpSettings::retry`], in seconds.
    #[serde(default = "retry")]
    pub retry_seconds: Vec<u64>,
}

impl<S, C> HttpDraft<S, C> {
    /// Returns the draft with these secrets, certificates and key in place of its own.
    pub fn with_secrets<T, D>(
        self,
        secrets: Vec<T>,
        ca: Option<D>,
        key: Option<D>,
    ) -> HttpDraft<T, D> {
        HttpDraft {
            url: self.url,
            ca,
            pinned_keys: self.pinned_keys,
            form: self.form,
            attachments: self.attachments,
            preset: self.preset,
            user: self.user,
            key,
            group: self.group,
            secrets,
            failing: self.failing,
            timeout_seconds: self.timeout_seconds,
            recipients: self.recipients,
            retry_seconds: self.retry_seconds,
        }
    }
}

/// Longest wait between two tries.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// The most waits that are written.
const MOST_WAITS: usize = 100;

impl TryFrom<HttpDraft<WebhookSecret, Secret>> for HttpSettings {
    type Error = SettingsError;

    fn try_from(raw: HttpDraft<WebhookSecret, Secret>) -> Result<Self, SettingsError> {
        let form = raw.form.unwrap_or_default();
        let preset = PresetSettings::of(&raw, raw.key.clone())?;
        let trust = raw.url.trust(raw.ca, raw.pinned_keys)?;
        let least = usize::from(preset.is_none());
        if !(least..=MOST_SECRETS).contains(&raw.secrets.len()) {
            return Err(SettingsError::Secrets);
        }
        let unfit = |status: &&u16| !(400..600).contains(*status) || NOT_READY.contains(*status);
        if let Some(status) = raw.failing.iter().find(unfit) {
            return Err(SettingsError::Failing(*status));
        }
        if !(1..=600).contains(&raw.timeout_seconds) {
            return Err(SettingsError::Range("timeout-seconds", "write 1 to 600"));
        }
        if raw.attachments.is_some() && (form != HttpForm::Json || preset.is_some()) {
            return Err(SettingsError::OfJson);
        }
        let most = match (preset.as_ref().map(|of| of.preset), form) {
            (Some(preset), _) => preset.most_recipients(),
            (None, HttpForm::Multipart | HttpForm::Json) => 1000,
            // Each is a field, and usual servers take no more than a hundred fields.
            (None, HttpForm::Raw) => 50,
        };
        let recipients = raw.recipients.unwrap_or(most.min(100));
        if !(1..=most).contains(&recipients) {
            let range = "write 1 to 1000, for the raw form 1 to 50, for a preset what it takes";
            return Err(SettingsError::Range("recipients", range));
        }
        let mut waits = raw.retry_seconds.iter();
        let fit = waits.all(|wait| (1..=LONGEST_WAIT).contains(wait));
        if !fit || !(1..=MOST_WAITS).contains(&raw.retry_seconds.len()) {
            let problem = "write 1 to 100 waits of 1 to 86400 seconds";
            return Err(SettingsError::Range("retry-seconds", problem));
        }
        Ok(Self {
            url: raw.url,
            trust,
            form,
            attachments: raw.attachments.unwrap_or_default(),
            preset,
            secrets: raw.secrets,
            failing: raw.failing,
            timeout: Duration::from_secs(raw.timeout_seconds),
            recipients,
            retry: raw
                .retry_seconds
                .into_iter()
                .map(Duration::from_secs)
                .collect(),
        })
    }
}

fn timeout() -> u64 {
    60
}

fn retry() -> Vec<u64> {
    vec![5, 15, 60, 300, 900]
}
