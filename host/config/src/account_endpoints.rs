//! Endpoints of accounts: the directory keeps what was given, and here it is held to the rules of
//! `[endpoint.NAME]` and to some more, because a customer has named the URL.

use std::net::IpAddr;

use gatepost_application::{
    AttachmentForm, HttpDraft, HttpSettings, SettingsError, Target, WebhookSecret,
};
use gatepost_connections::Secret;
use gatepost_directory::EndpointSettings;

/// Longest URL, in octets.
const LONGEST_URL: usize = 2048;

/// Most statuses that fail a message for good.
const MOST_FAILING: usize = 200;

/// Most secrets that sign: the present one, and the one that it takes the place of.
const MOST_SECRETS: usize = 2;

/// Reason why an endpoint of an account cannot be used as it is set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountEndpointError {
    /// A setting is none of `[endpoint.NAME]`.
    #[error("{0}")]
    Setting(String),
    /// The rules of `[endpoint.NAME]` refuse a setting.
    #[error("`{key}`: {source}", key = .source.key())]
    Rule {
        /// Setting that is wrong.
        #[from]
        source: SettingsError,
    },
    /// The URL is too long.
    #[error("`url`: write at most {LONGEST_URL} octets")]
    LongUrl,
    /// The URL would carry mail of a customer through a network in clear.
    #[error(
        "`url`: write a URL that begins with https://; http is for an application on this machine"
    )]
    InClear,
    /// There are too many statuses.
    #[error("`failing`: write at most {MOST_FAILING} statuses")]
    TooManyStatuses,
    /// There are too many secrets.
    #[error("`secrets`: give 1 or {MOST_SECRETS} secrets")]
    TooManySecrets,
    /// Nothing serves links to attachments.
    #[error(
        "`attachments`: the relay serves no links, because its configuration has no [handover]"
    )]
    NoLinks,
}

/// Returns the target that an account's endpoint is. `has_links` says that the relay serves links to
/// attachments.
///
/// # Errors
/// What is to be mended, with the key of the setting.
pub fn account_endpoint(
    settings: &EndpointSettings,
    has_links: bool,
) -> Result<Target, AccountEndpointError> {
    let given = settings.secrets.as_deref().unwrap_or_default();
    if given.len() > MOST_SECRETS {
        return Err(AccountEndpointError::TooManySecrets);
    }
    if settings.failing.as_ref().map_or(0, Vec::len) > MOST_FAILING {
        return Err(AccountEndpointError::TooManyStatuses);
    }
    if settings.url.as_ref().map_or(0, String::len) > LONGEST_URL {
        return Err(AccountEndpointError::LongUrl);
    }
    let secrets = given.iter().map(|secret| secret.reveal().parse());
    let secrets: Vec<WebhookSecret> = secrets.collect::<Result<_, SettingsError>>()?;
    // The words are read as those of the configuration are; secrets take no part in that.
    let open = EndpointSettings {
        ca: None,
        api_key: None,
        secrets: None,
        ..settings.clone()
    };
    let open = open.with_secrets(|_| String::new());
    let wrong = |error: serde_json::Error| AccountEndpointError::Setting(error.to_string());
    let value = serde_json::to_value(open).map_err(wrong)?;
    let draft: HttpDraft<String, String> = serde_json::from_value(value).map_err(wrong)?;
    let ca = settings.ca.as_ref().map(Secret::new);
    let draft = draft.with_secrets(secrets, ca, settings.api_key.clone());
    let made = HttpSettings::try_from(draft)?;
    let uri = made.url.uri();
    if uri.scheme_str() != Some("https") && !uri.host().is_some_and(is_this_machine) {
        return Err(AccountEndpointError::InClear);
    }
    let links = made.attachments == AttachmentForm::Url && settings.attachments.is_some();
    if links && !has_links {
        return Err(AccountEndpointError::NoLinks);
    }
    Ok(Target::Http(made))
}

/// Returns true for a host that is this machine by its very name. Whether it may be connected to, the
/// guard decides.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok();
    address.is_some_and(|address| address.is_loopback()) || host.eq_ignore_ascii_case("localhost")
}
