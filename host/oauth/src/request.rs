//! Requests to the token endpoint, and what their answers come to.

use std::time::Duration;

use bytes::Bytes;
use gatepost_http_client::{HttpClient, HttpError};
use gatepost_message::Millis;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::url::form_urlencoded;
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ErrorResponse, ExtraTokenFields,
    HttpRequest, HttpResponse, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::assertion::Claims;
use crate::{AccessToken, ClientAuthentication, Grant, GrantKind, OauthError, TokenSet};

/// The most octets of an answer.
const LONGEST_ANSWER: usize = 64 * 1024;

/// The most octets of an access token that a log-in can carry.
const LONGEST_TOKEN: usize = 8 * 1024;

/// The most octets of a server's words that are kept.
const LONGEST_WORDS: usize = 500;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Life of an access token whose answer does not say it.
const USUAL_LIFE: Duration = Duration::from_secs(30 * 60);

/// Longest life of an access token that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Fields of an answer beyond RFC 6749.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// Seconds for which the refresh token lives, as some providers say.
    #[serde(default)]
    refresh_token_expires_in: Option<u64>,
}

impl ExtraTokenFields for Extra {}

pub(crate) type TokenAnswer = StandardTokenResponse<Extra, BasicTokenType>;

/// Client of the crate `oauth2`, which knows the token endpoint.
pub(crate) type Client<Device = EndpointNotSet> = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    Device,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Reason why there is no answer that could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the request cannot be written: {0}")]
    Request(#[from] http::Error),
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("it does not answer in time")]
    TimedOut,
}

/// Makes the client of a grant.
pub(crate) fn client(grant: &Grant) -> Client {
    let client = oauth2::Client::new(ClientId::new(grant.client_id.clone()))
        .set_token_uri(TokenUrl::from_url(grant.token_url.url().clone()))
        .set_auth_type(match grant.client_authentication {
            ClientAuthentication::Body => AuthType::RequestBody,
            ClientAuthentication::Basic => AuthType::BasicAuth,
        });
    match grant.client_secret() {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_string())),
        None => client,
    }
}

/// Sends a request of the crate `oauth2`. Redirects are not followed.
pub(crate) async fn call(http: HttpClient, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
    let exchange = async {
        let answer = http.send(request.map(Bytes::from)).await?;
        let status = answer.status();
        // These say something about the server and nothing about the request.
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(NoAnswer::Status(status));
        }
        let kind = answer.headers().get(CONTENT_TYPE).cloned();
        let body = answer.body(LONGEST_ANSWER).await?;
        let mut response = Response::builder().status(status);
        if let Some(kind) = kind {
            response = response.header(CONTENT_TYPE, kind);
        }
        Ok(response.body(body.to_vec())?)
    };
    let answered = tokio::time::timeout(PATIENCE, exchange).await;
    answered.unwrap_or(Err(NoAnswer::TimedOut))
}

/// Asks for new tokens; `refresh` is the refresh token, where the grant goes by one.
pub(crate) async fn request(
    http: &HttpClient,
    grant: &Grant,
    refresh: Option<&Zeroizing<String>>,
    now: Millis,
) -> Result<TokenSet, OauthError> {
    let send = |request| call(http.clone(), request);
    let scopes = || grant.scopes.iter().cloned().map(Scope::new);
    let client = client(grant);
    let answer = match (&grant.kind, refresh) {
        (GrantKind::ClientCredentials { .. }, _) => {
            let request = client.exchange_client_credentials().add_scopes(scopes());
            request
                .request_async(&send)
                .await
                .map_err(|error| refused(grant, refresh, error))?
        }
        (GrantKind::RefreshToken { .. }, Some(token)) => {
            let token = RefreshToken::new(token.to_string());
            let request = client.exchange_refresh_token(&token).add_scopes(scopes());
            request
                .request_async(&send)
                .await
                .map_err(|error| refused(grant, refresh, error))?
        }
        (GrantKind::RefreshToken { .. }, None) => return Err(OauthError::NotAuthorized),
        (
            GrantKind::JwtBearer {
                key,
                key_id,
                subject,
            },
            _,
        ) => {
            let claims = Claims {
                issuer: &grant.client_id,
                subject: subject.as_deref().unwrap_or(&grant.client_id),
                audience: grant.token_url.url().as_str(),
                scope: &grant.scopes.join(" "),
            };
            let assertion = key.sign(&claims, key_id.as_deref(), now).ok_or_else(|| {
                OauthError::Unavailable("no random octets could be had".to_owned())
            })?;
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                .append_pair("assertion", &assertion)
                .finish();
            let asked = ask(http.clone(), grant, body).await;
            asked.map_err(|error| refused(grant, refresh, error))?
        }
    };
    tokens(grant, &answer, now)
}

/// Sends a form that the crate `oauth2` cannot write.
async fn ask(
    http: HttpClient,
    grant: &Grant,
    body: String,
) -> Result<TokenAnswer, RequestTokenError<NoAnswer, BasicErrorResponse>> {
    let request = Request::post(grant.token_url.url().as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.into_bytes());
    let unsent = RequestTokenError::Request;
    let request = request.map_err(|error| unsent(error.into()))?;
    let response = call(http, request).await.map_err(unsent)?;
    let body = response.body();
    let malformed = || RequestTokenError::Other("the answer is no JSON of OAuth".to_owned());
    match response.status() {
        StatusCode::OK => serde_json::from_slice(body).map_err(|_| malformed()),
        _ => Err(serde_json::from_slice(body)
            .map_or_else(|_| malformed(), RequestTokenError::ServerResponse)),
    }
}

/// Returns what an answer holds.
pub(crate) fn tokens(
    grant: &Grant,
    answer: &TokenAnswer,
    now: Millis,
) -> Result<TokenSet, OauthError> {
    let token = answer.access_token().secret();
    let printable = token.bytes().all(|octet| octet.is_ascii_graphic());
    let bearer = matches!(answer.token_type(), BasicTokenType::Bearer);
    if token.is_empty() || token.len() > LONGEST_TOKEN || !printable || !bearer {
        let why = "its answer holds no bearer token that a log-in can carry";
        return Err(OauthError::Unavailable(why.to_owned()));
    }
    let life = answer.expires_in().unwrap_or(USUAL_LIFE).min(LONGEST_LIFE);
    let refresh = answer.refresh_token().map(|refresh| refresh.secret());
    let refresh = refresh.filter(|refresh| (1..=LONGEST_TOKEN).contains(&refresh.len()));
    let refresh_life = answer.extra_fields().refresh_token_expires_in;
    // No more than ten years, so that the sum stays in range.
    let refresh_life = refresh_life.map(|seconds| Duration::from_secs(seconds.min(315_360_000)));
    let goes_by_refresh = matches!(grant.kind, GrantKind::RefreshToken { .. });
    Ok(TokenSet {
        access: Some(AccessToken {
            secret: Zeroizing::new(token.clone()),
            renew_at: now + life * 4 / 5,
            expires_at: now + life,
        }),
        refresh: refresh
            .filter(|_| goes_by_refresh)
            .map(|refresh| Zeroizing::new(refresh.clone())),
        refresh_expires_at: refresh_life.map(|life| now + life),
    })
}

/// Returns the reason why a request got no token, without this side's secrets.
pub(crate) fn refused<E>(
    grant: &Grant,
    refresh: Option<&Zeroizing<String>>,
    error: RequestTokenError<NoAnswer, E>,
) -> OauthError
where
    E: ErrorResponse + ServerWords,
{
    match error {
        RequestTokenError::ServerResponse(response) => {
            let (code, description) = response.words();
            let clean = |words: String| printable(grant, refresh, &words);
            OauthError::refused(clean(code), description.map(clean))
        }
        RequestTokenError::Request(why) => OauthError::Unavailable(why.to_string()),
        // What it says instead is a stranger's, and may be a whole page.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            OauthError::Unavailable("its answer is not one of OAuth; check the URL".to_owned())
        }
    }
}

/// Error response with a code and a description.
pub(crate) trait ServerWords {
    fn words(&self) -> (String, Option<String>);
}

impl<T> ServerWords for oauth2::StandardErrorResponse<T>
where
    T: oauth2::ErrorResponseType + ToString,
{
    fn words(&self) -> (String, Option<String>) {
        (self.error().to_string(), self.error_description().cloned())
    }
}

/// Returns a server's words, bounded, without control characters and without this side's secrets.
fn printable(grant: &Grant, refresh: Option<&Zeroizing<String>>, words: &str) -> String {
    let mut words = words[..words.floor_char_boundary(16 * LONGEST_WORDS)].to_owned();
    for secret in grant.client_secret().into_iter().chain(refresh) {
        if !secret.is_empty() {
            words = words.replace(secret.as_str(), "***");
        }
    }
    words.truncate(words.floor_char_boundary(LONGEST_WORDS));
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    words.chars().map(clean).collect()
}
