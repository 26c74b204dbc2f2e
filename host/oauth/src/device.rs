//! Device flow (RFC 8628): a person consents in a browser, and the relay gets its first tokens.

use std::time::Duration;

use gatepost_http_client::HttpClient;
use oauth2::{DeviceAuthorizationUrl, Scope, StandardDeviceAuthorizationResponse};

use crate::request::{call, client, refused, tokens};
use crate::{Clock, Endpoint, Grant, OauthError, TokenSet};

/// Longest wait for the person, whatever the server allows.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 60);

/// Shortest pause between two questions whether the person has consented.
const PAUSE: Duration = Duration::from_millis(200);

/// Page and code that a person has to be shown. It is the server's text: escape it before it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Page to open in a browser.
    pub page: String,
    /// Code to enter there.
    pub code: String,
    /// Time for which the code is valid.
    pub valid_for: Duration,
}

/// Gets the first tokens of a grant by refresh token: asks the server for a code, shows it, and
/// waits until a person has entered it and consented, no longer than the code is valid. The caller
/// stores the tokens.
///
/// # Errors
/// The server refuses, does not answer, or nobody consents in time.
pub async fn authorize(
    http: &HttpClient,
    grant: &Grant,
    device_url: &Endpoint,
    clock: &Clock,
    show: impl FnOnce(Prompt),
) -> Result<TokenSet, OauthError> {
    let send = |request| call(http.clone(), request);
    let url = DeviceAuthorizationUrl::from_url(device_url.url().clone());
    let client = client(grant).set_device_authorization_url(url);
    let scopes = grant.scopes.iter().cloned().map(Scope::new);
    let request = client.exchange_device_code().add_scopes(scopes);
    let asked: Result<StandardDeviceAuthorizationResponse, _> = request.request_async(&send).await;
    let details = asked.map_err(|error| refused(grant, None, error))?;
    let valid_for = details.expires_in().min(LONGEST_WAIT);
    show(Prompt {
        page: bounded(details.verification_uri()),
        code: bounded(details.user_code().secret()),
        valid_for,
    });
    let polling = client.exchange_device_access_token(&details);
    let pause = |interval: Duration| tokio::time::sleep(interval.max(PAUSE));
    let asking = polling.request_async(&send, pause, Some(valid_for));
    // The server says how long to pause, too: that may be longer than its code is valid.
    let answer = match tokio::time::timeout(valid_for, asking).await {
        Ok(answer) => answer.map_err(|error| refused(grant, None, error))?,
        Err(_) => return Err(OauthError::refused("expired_token".to_owned(), None)),
    };
    let tokens = tokens(grant, &answer, clock())?;
    match tokens.refresh {
        Some(_) => Ok(tokens),
        None => Err(OauthError::refused(
            "no refresh token".to_owned(),
            Some("the answer holds an access token alone; ask for offline access".to_owned()),
        )),
    }
}

fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(500)].to_owned()
}
