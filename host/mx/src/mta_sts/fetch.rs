//! Fetching of policies over HTTPS (RFC 8461 section 3.3).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use gatepost_http_client::{HttpClient, HttpError};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::policy::{PolicyError, StsPolicy};

/// Longest text of a policy.
const LONGEST: usize = 64 << 10;

/// Time limit of one fetch.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Fetches at one time.
const AT_ONCE: usize = 128;

/// Client for policies, with a bounded number of fetches at one time.
pub struct PolicyFetcher {
    http: HttpClient,
    port: u16,
    places: Semaphore,
}

/// Reason why a policy was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server did not answer in time.
    #[error("it was not fetched within {} s", TIME_LIMIT.as_secs())]
    Timeout,
    /// The domain cannot be a host.
    #[error("{0} cannot be in a URL")]
    Domain(String),
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server has no policy.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// The answer is of another type.
    #[error("it is not of the type text/plain")]
    Type,
    /// The text is no policy.
    #[error("it is no policy: {0}")]
    StsPolicy(#[from] PolicyError),
}

impl fmt::Debug for PolicyFetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFetcher").finish_non_exhaustive()
    }
}

impl PolicyFetcher {
    /// Makes a client for policies at a port. Strangers name the hosts, so `http` has to be a
    /// guarded one.
    pub fn new(http: HttpClient, port: u16) -> Self {
        Self {
            http,
            port,
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// Fetches the policy of a domain, in A-labels. Redirects are not followed.
    ///
    /// # Errors
    /// There is no policy, or it cannot be fetched.
    pub async fn fetch(&self, domain: &str) -> Result<StsPolicy, FetchError> {
        // The semaphore is never closed; if it were, the policy would be fetched all the same.
        let _place = self.places.acquire().await;
        let fetched = timeout(TIME_LIMIT, self.fetch_text(domain)).await;
        Ok(StsPolicy::parse(
            &fetched.map_err(|_| FetchError::Timeout)??,
        )?)
    }

    async fn fetch_text(&self, domain: &str) -> Result<Bytes, FetchError> {
        // The port is left out where it is that of HTTPS: some servers compare the field Host.
        let port = match self.port {
            443 => String::new(),
            port => format!(":{port}"),
        };
        let request = Request::get(format!(
            "https://mta-sts.{domain}{port}/.well-known/mta-sts.txt"
        ));
        let request = request
            .header(USER_AGENT, concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .body(Bytes::new())
            .map_err(|_| FetchError::Domain(domain.to_owned()))?;
        let answer = self.http.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        if !answer.headers().get(CONTENT_TYPE).is_some_and(is_text) {
            return Err(FetchError::Type);
        }
        Ok(answer.body(LONGEST).await?)
    }
}

fn is_text(value: &HeaderValue) -> bool {
    let value = value.to_str().unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("text/plain")
}
