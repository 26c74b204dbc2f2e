//! Endpoints of accounts: URLs that get an account's inbound mail.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_connections::Secret;
use gatepost_message::{Address, Millis};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{AccountId, DirectoryError, Name, Sealed, random};

/// Maximum number of endpoints of an account.
pub const MAX_ENDPOINTS: usize = 100;

/// Name of an endpoint of an account: 1 to 64 lower-case letters, digits, dots, underscores and
/// hyphens.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointName(Box<str>);

/// Text that cannot name an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint's name has 1 to 64 lower-case letters, digits, dots, underscores and hyphens")]
pub struct EndpointNameError;

impl EndpointName {
    /// Longest name, in octets.
    pub const LONGEST: usize = 64;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndpointName {
    type Err = EndpointNameError;

    fn from_str(text: &str) -> Result<Self, EndpointNameError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        match (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(plain) {
            true => Ok(Self(text.into())),
            false => Err(EndpointNameError),
        }
    }
}

impl TryFrom<String> for EndpointName {
    type Error = EndpointNameError;

    fn try_from(text: String) -> Result<Self, EndpointNameError> {
        text.parse()
    }
}

impl From<EndpointName> for String {
    fn from(name: EndpointName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Recipients whose mail an endpoint gets. Written `account`, `brand NAME`, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum EndpointScope {
    /// All of the account.
    Account,
    /// Those of a brand of the account.
    Brand(Name),
    /// One support address.
    Address(Address),
}

/// Text that does not say whose mail an endpoint gets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint is for `account`, for `brand NAME`, or for a support address")]
pub struct EndpointScopeError;

impl FromStr for EndpointScope {
    type Err = EndpointScopeError;

    fn from_str(text: &str) -> Result<Self, EndpointScopeError> {
        if text == "account" {
            return Ok(Self::Account);
        }
        if let Some(brand) = text.strip_prefix("brand ") {
            return brand
                .parse()
                .map(Self::Brand)
                .map_err(|_| EndpointScopeError);
        }
        let address = Address::parse(text).map_err(|_| EndpointScopeError)?;
        Ok(Self::Address(address))
    }
}

impl TryFrom<String> for EndpointScope {
    type Error = EndpointScopeError;

    fn try_from(text: String) -> Result<Self, EndpointScopeError> {
        text.parse()
    }
}

impl From<EndpointScope> for String {
    fn from(scope: EndpointScope) -> Self {
        scope.to_string()
    }
}

impl fmt::Display for EndpointScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.pad("account"),
            Self::Brand(name) => f.pad(&format!("brand {name}")),
            Self::Address(address) => f.pad(&address.to_string()),
        }
    }
}

/// Settings of an account's endpoint, with the keys of `[endpoint.NAME]` in the configuration. The
/// directory keeps them as they were given: what makes them valid is known where mail is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[serde(bound(serialize = "S: Serialize", deserialize = "S: Deserialize<'de>"))]
pub struct EndpointSettings<S = Secret> {
    /// URL that takes the messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Authorities that vouch for the server, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Keys that the server may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_keys: Option<Vec<String>>,
    /// Form of the request: `multipart`, `raw` or `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Way of attachments in the form `json`: `multipart`, `url` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<String>,
    /// Shape of the request that an existing application takes, in place of the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// User of a preset's HTTP authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Key of a preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<S>,
    /// Group of a preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Secrets that sign, the newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<S>>,
    /// Statuses that fail a message for good, besides those that always do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Vec<u16>>,
    /// Longest time of a request, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Most recipients of one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<usize>,
    /// Waits between tries, in seconds; the last one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_seconds: Option<Vec<u64>>,
}

impl<S> Default for EndpointSettings<S> {
    fn default() -> Self {
        Self {
            url: None,
            ca: None,
            pinned_keys: None,
            form: None,
            attachments: None,
            preset: None,
            user: None,
            api_key: None,
            group: None,
            secrets: None,
            failing: None,
            timeout_seconds: None,
            recipients: None,
            retry_seconds: None,
        }
    }
}

impl<S> EndpointSettings<S> {
    /// Returns the settings with each secret made anew.
    ///
    /// # Errors
    /// The first of `make`.
    pub fn try_with_secrets<T, E>(
        self,
        make: impl Fn(S) -> Result<T, E>,
    ) -> Result<EndpointSettings<T>, E> {
        let mut settings = self;
        let api_key = settings.api_key.take().map(&make).transpose()?;
        let secrets = settings.secrets.take();
        let secrets = secrets.map(|all| all.into_iter().map(&make).collect());
        let secrets = secrets.transpose()?;
        Ok(EndpointSettings {
            url: settings.url,
            ca: settings.ca,
            pinned_keys: settings.pinned_keys,
            form: settings.form,
            attachments: settings.attachments,
            preset: settings.preset,
            user: settings.user,
            api_key,
            group: settings.group,
            secrets,
            failing: settings.failing,
            timeout_seconds: settings.timeout_seconds,
            recipients: settings.recipients,
            retry_seconds: settings.retry_seconds,
        })
    }

    /// Returns the settings with each secret made anew, which cannot fail.
    pub fn with_secrets<T>(self, make: impl Fn(S) -> T) -> EndpointSettings<T> {
        let made = self.try_with_secrets(|secret| Ok::<_, Infallible>(make(secret)));
        match made {
            Ok(settings) => settings,
            Err(never) => match never {},
        }
    }

    /// Returns these settings, and former ones for what they leave out. A preset takes the place of
    /// a form with all that belongs to it, and the other way round; an empty text or list takes a
    /// former one away.
    pub fn over(self, former: Self) -> Self {
        let presets = self.preset.is_some();
        let forms = self.form.is_some();
        let is_json = self.form.as_deref() == Some("json");
        // Without a form, it stays that of before.
        let keeps_attachments = !presets && (!forms || is_json);
        let of_preset = |former: Option<String>| former.filter(|_| !forms);
        let trusts = self.ca.is_some() || self.pinned_keys.is_some();
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            url: self.url.or(former.url),
            ca: text(self.ca.or(former.ca.filter(|_| !trusts))),
            pinned_keys: (self.pinned_keys.or(former.pinned_keys.filter(|_| !trusts)))
                .filter(|keys| !keys.is_empty()),
            form: self.form.or(former.form.filter(|_| !presets)),
            attachments: text(
                self.attachments
                    .or(former.attachments.filter(|_| keeps_attachments)),
            ),
            preset: self.preset.or(of_preset(former.preset)),
            user: text(self.user.or(of_preset(former.user))),
            api_key: self.api_key.or(former.api_key.filter(|_| !forms)),
            group: text(self.group.or(of_preset(former.group))),
            secrets: self.secrets.or(former.secrets),
            failing: self.failing.or(former.failing),
            timeout_seconds: self.timeout_seconds.or(former.timeout_seconds),
            recipients: self.recipients.or(former.recipients),
            retry_seconds: self.retry_seconds.or(former.retry_seconds),
        }
    }
}

/// Makes a secret that signs requests, as Standard Webhooks writes it: `whsec_` and 32 random bytes in
/// base64.
///
/// # Errors
/// The system gives no random bytes.
pub fn new_signing_secret() -> Result<Secret, DirectoryError> {
    let bytes = Zeroizing::new(random::bytes::<32>()?);
    let encoded = Zeroizing::new(STANDARD.encode(*bytes));
    Ok(Secret::new(format!("whsec_{}", *encoded)))
}

/// Endpoint of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountEndpoint {
    /// Account that owns it.
    pub account: AccountId,
    /// Name.
    pub name: EndpointName,
    /// Recipients whose mail it gets.
    pub scope: EndpointScope,
    /// Time of creation.
    pub created: Millis,
    /// Time of the last change.
    pub changed: Millis,
    /// Number that grows with each change, also when the endpoint is removed and made again.
    pub generation: u64,
    /// Settings, with the secrets.
    pub settings: Arc<EndpointSettings>,
}

/// Endpoint as it is stored: encrypted whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEndpoint {
    /// Account that owns it.
    pub account: AccountId,
    /// Name.
    pub name: EndpointName,
    /// Time of creation.
    pub created: Millis,
    /// Time of the last change.
    pub changed: Millis,
    /// Number that grows with each change.
    pub generation: u64,
    /// Encrypted scope and settings.
    pub sealed: Sealed,
}

/// Scope and settings on their way into the encryption.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "S: Serialize", deserialize = "S: Deserialize<'de>"))]
struct EndpointPlaintext<S> {
    scope: EndpointScope,
    settings: EndpointSettings<S>,
}

/// Secret that is serialised: for the encryption alone.
struct Revealed(Secret);

impl Serialize for Revealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.reveal())
    }
}

/// Returns what is encrypted.
pub(crate) fn to_plaintext(
    scope: &EndpointScope,
    settings: &EndpointSettings,
) -> Zeroizing<Vec<u8>> {
    let plain = EndpointPlaintext {
        scope: scope.clone(),
        settings: settings.clone().with_secrets(Revealed),
    };
    // Texts and numbers alone: nothing in there can fail.
    Zeroizing::new(serde_json::to_vec(&plain).unwrap_or_default())
}

/// Reads what was encrypted.
pub(crate) fn from_plaintext(bytes: &[u8]) -> Option<(EndpointScope, EndpointSettings)> {
    let plain: EndpointPlaintext<Secret> = serde_json::from_slice(bytes).ok()?;
    Some((plain.scope, plain.settings))
}
