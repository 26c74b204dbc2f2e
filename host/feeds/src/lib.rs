//! Feeds of partner addresses: lists at HTTPS URLs of other systems, fetched at intervals.
//!
//! A successful fetch replaces all entries of the list. A failed fetch changes nothing: the server
//! is down, its certificate does not verify, a line is no address, or the list is too long.
//! Failures show in the log, in the metrics and in `gatepost partner feed list`. If the server
//! sends an entity tag (ETag, RFC 9110 section 8.8.3), the next fetch asks only for a changed list.
//!
//! A feed is of an account, so its host is one that others name: the relay's guard checks its
//! addresses, after each redirect too.

#![forbid(unsafe_code)]

pub mod lines;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gatepost_directory::{
    Directory, DirectoryError, Feed, Fetched, ListChange, PartnerList, PartnerSource, beginning,
};
use gatepost_message::Millis;
use http::header::{ACCEPT, ETAG, IF_NONE_MATCH, LOCATION, USER_AGENT};
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use rustls::pki_types::ServerName;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use gatepost_certificates::{TrustError, trusted_roots};
use gatepost_config as config;
use gatepost_dns::{NoResolver, Resolver};
use gatepost_guard::Guard;
use gatepost_http_client::{Answer, HttpClient, HttpError};

/// Maximum number of redirects of one fetch.
const REDIRECTS: usize = 5;

/// Interval between checks whether a feed is due.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Bytes of the longest version (ETag) that is stored and sent back.
const LONGEST_VERSION: usize = 1024;

/// HTTPS client for feeds.
pub struct Client {
    http: HttpClient,
    timeout: Duration,
    size: usize,
}

/// Error in the settings for feeds.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The site's certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Error of the TLS library.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// No resolver can be made.
    #[error(transparent)]
    Resolver(#[from] NoResolver),
}

/// Reason for a failed fetch.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0} is not an https URL of a host, without user information")]
    Url(String),
    #[error("it was not fetched within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the server answers {0}")]
    Status(StatusCode),
    #[error("the server redirects more than {REDIRECTS} times")]
    Redirects,
    #[error("the server redirects without a usable Location field")]
    Location,
    #[error(transparent)]
    Line(#[from] lines::LineError),
}

/// Error of fetching a feed and recording the result.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The list is no feed.
    #[error("this list is no feed")]
    NoFeed,
    /// The fetch failed, for this reason, which is recorded; the former entries stay.
    #[error("{0}")]
    Failed(String),
    /// The result cannot be recorded.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The task that records the result has panicked.
    #[error(transparent)]
    Task(#[from] JoinError),
}

impl FetchError {
    /// Makes the error of a URL, which a server may have sent: of a long one it holds the
    /// beginning.
    fn url(text: &str) -> Self {
        Self::Url(beginning(text))
    }
}

impl Client {
    /// Builds a client that trusts the public roots and the certificates of the configuration, and
    /// connects to addresses that this guard permits.
    ///
    /// # Errors
    /// The file of certificates cannot be used.
    pub fn new(settings: &config::Directory, guard: Guard) -> Result<Self, ClientError> {
        let roots = trusted_roots(settings.feed_ca_file.as_deref())?;
        Ok(Self {
            http: HttpClient::guarded(roots, guard)?,
            timeout: settings.feed_timeout,
            size: settings.feed_size,
        })
    }

    /// Builds a client with a resolver of its own, for a program that is not the relay.
    ///
    /// # Errors
    /// As [`Client::new`], or no resolver can be made.
    pub fn alone(
        settings: &config::Directory,
        dns: &config::Dns,
        destinations: &config::Destinations,
    ) -> Result<Self, ClientError> {
        let resolver = Resolver::new(&dns.settings())?;
        Self::new(settings, destinations.guard(&resolver))
    }

    /// Fetches a feed. A failure is returned as [`Fetched::Failed`].
    pub async fn fetch(&self, url: &str, feed: &Feed) -> Fetched {
        let got = timeout(self.timeout, self.fetch_entries(url, feed)).await;
        match got.unwrap_or(Err(FetchError::Timeout(self.timeout))) {
            Ok(fetched) => fetched,
            Err(failure) => Fetched::Failed(failure.to_string()),
        }
    }

    async fn fetch_entries(&self, url: &str, feed: &Feed) -> Result<Fetched, FetchError> {
        let mut uri: Uri = url.parse().map_err(|_| FetchError::url(url))?;
        for _ in 0..=REDIRECTS {
            let response = self.send(&uri, feed.validator.as_deref()).await?;
            let status = response.status();
            match status {
                StatusCode::NOT_MODIFIED if feed.validator.is_some() => {
                    return Ok(Fetched::Unchanged);
                }
                StatusCode::OK => {}
                status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                    let location = response.headers().get(LOCATION);
                    let location = location.and_then(|location| location.to_str().ok());
                    uri = redirect_target(&uri, location.ok_or(FetchError::Location)?)?;
                    continue;
                }
                status => return Err(FetchError::Status(status)),
            }
            let validator = response.headers().get(ETAG);
            let validator = validator.filter(|etag| etag.len() <= LONGEST_VERSION);
            let validator = validator.and_then(|etag| Some(etag.to_str().ok()?.to_owned()));
            let entries = lines::parse(&response.body(self.size).await?, feed.domains, 1);
            let entries = entries.map_err(|errors| errors.into_iter().next());
            return match entries {
                Ok(entries) => Ok(Fetched::Entries { entries, validator }),
                Err(Some(error)) => Err(error.into()),
                Err(None) => Ok(Fetched::Unchanged),
            };
        }
        Err(FetchError::Redirects)
    }

    async fn send(&self, uri: &Uri, validator: Option<&str>) -> Result<Answer, FetchError> {
        check_url(uri)?;
        check_host(uri)?;
        let mut request = Request::get(uri)
            .header(USER_AGENT, concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "text/plain");
        if let Some(validator) = validator {
            request = request.header(IF_NONE_MATCH, validator);
        }
        let request = request
            .body(Bytes::new())
            .map_err(|_| FetchError::url(&uri.to_string()))?;
        Ok(self.http.send(request).await?)
    }
}

/// Checks that a text is a valid URL of a feed, and returns it.
///
/// # Errors
/// A sentence that says why it is not.
pub fn url(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>();
    let uri = uri.map_err(|_| FetchError::url(text).to_string())?;
    check_url(&uri).map_err(|wrong| wrong.to_string())?;
    Ok(text.to_owned())
}

fn check_url(uri: &Uri) -> Result<(), FetchError> {
    let plain = |authority: &http::uri::Authority| !authority.as_str().contains('@');
    let is_https = uri.scheme() == Some(&Scheme::HTTPS) && uri.authority().is_some_and(plain);
    match is_https {
        true => Ok(()),
        false => Err(FetchError::url(&uri.to_string())),
    }
}

/// Checks that the host of a URL, which a redirect may have named, is a name or an address. Then it
/// is short enough to be repeated in errors.
fn check_host(uri: &Uri) -> Result<(), FetchError> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    match ServerName::try_from(host) {
        Ok(_) => Ok(()),
        Err(_) => Err(FetchError::url(&uri.to_string())),
    }
}

/// Resolves the target of a redirect: an absolute URL, or a path on the same host (RFC 9110 section
/// 10.2.2).
fn redirect_target(from: &Uri, location: &str) -> Result<Uri, FetchError> {
    let to = match (location.starts_with('/'), from.authority()) {
        (true, Some(authority)) if !location.starts_with("//") => {
            format!("https://{authority}{location}")
        }
        _ => location.to_owned(),
    };
    to.parse().map_err(|_| FetchError::url(&to))
}

/// Fetches a feed and records the result.
///
/// # Errors
/// The fetch failed, or its result cannot be recorded; the former entries stay.
pub async fn refresh(
    directory: &Arc<Directory>,
    client: &Client,
    list: &PartnerList,
) -> Result<ListChange, RefreshError> {
    let (PartnerSource::Feed(url), Some(feed)) = (&list.source, &list.feed) else {
        return Err(RefreshError::NoFeed);
    };
    let fetched = client.fetch(url, feed).await;
    let (result, problem) = match &fetched {
        Fetched::Entries { .. } => ("changed", None),
        Fetched::Unchanged => ("unchanged", None),
        Fetched::Failed(problem) => ("failed", Some(problem.clone())),
    };
    metrics::counter!("gatepost_partner_feed_fetches_total", "result" => result).increment(1);
    let (directory, id) = (Arc::clone(directory), list.id);
    let recorded =
        tokio::task::spawn_blocking(move || directory.feed_tried(id, fetched, Millis::now()));
    let recorded = recorded.await?;
    let account = list.account;
    match (problem, recorded) {
        (Some(problem), _) => {
            tracing::warn!(%account, url, problem, "a feed of partner addresses could not be fetched; its former entries stay");
            Err(RefreshError::Failed(problem))
        }
        (None, Err(error)) => Err(error.into()),
        (None, Ok(change)) => {
            if result == "changed" {
                let ListChange {
                    added,
                    removed,
                    entries,
                } = change;
                tracing::info!(%account, url, added, removed, entries, "a feed of partner addresses was fetched");
            }
            Ok(change)
        }
    }
}

/// Fetches each feed when it is due. Never returns.
pub async fn keep_up(directory: Arc<Directory>, client: Arc<ArcSwap<Client>>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut running, mut fetching) = (JoinSet::new(), HashMap::new());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Some(done) = running.join_next_with_id() => {
                // A task that panicked is removed too, so its feed stays due.
                let task = done.map_or_else(|failed| failed.id(), |(task, ())| task);
                fetching.remove(&task);
                continue;
            }
        }
        let (view, now) = (directory.view(), Millis::now());
        let is_due = |list: &&PartnerList| list.feed.as_ref().is_some_and(|feed| feed.due() <= now);
        for list in view.partner_lists().filter(is_due) {
            if fetching.values().all(|fetched| *fetched != list.id) {
                let (directory, client) = (Arc::clone(&directory), client.load_full());
                let (id, list) = (list.id, list.clone());
                let task = running.spawn(async move {
                    // `refresh` has recorded the result.
                    let _ = refresh(&directory, &client, &list).await;
                });
                fetching.insert(task.id(), id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_to_a_long_host_is_refused_and_not_repeated() {
        let from: Uri = "https://feeds.example/list".parse().unwrap();
        let long = format!("https://{}/list", "a".repeat(60_000));
        let to = redirect_target(&from, &long).unwrap();
        let error = check_host(&to).unwrap_err().to_string();
        assert!(error.len() < 1_000, "{} bytes", error.len());
        for host in ["feeds.example", "127.0.0.1:8443", "[::1]:8443"] {
            let uri = format!("https://{host}/list").parse().unwrap();
            assert!(check_host(&uri).is_ok(), "{host}");
        }
    }

    #[test]
    fn an_error_repeats_the_beginning_of_a_long_location() {
        let from: Uri = "https://feeds.example/list".parse().unwrap();
        let long = format!("http://\u{e9}{}", "a".repeat(1 << 20));
        let error = redirect_target(&from, &long).unwrap_err().to_string();
        assert!(error.len() < 1_000, "{} bytes", error.len());
    }
}
