//! Partner addresses that systems elsewhere publish: a list of them at an HTTPS URL, fetched every
//! so often.
//!
//! What a fetch brings takes the place of what the one before brought, all of it or nothing: a
//! server that is down, a certificate that does not verify, a line that is no address or a list that
//! is too long leave what was there, and are said in the log, in the metrics and by
//! `gatepost partner feed list`. A server that names its versions (ETag, RFC 9110 section 8.8.3)
//! is asked for a new one only.

#![forbid(unsafe_code)]

pub mod lines;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gatepost_directory::{
    Directory, DirectoryError, Feed, Fetched, ListChange, PartnerList, PartnerSource,
};
use gatepost_message::Millis;
use http::header::{ACCEPT, ETAG, HOST, IF_NONE_MATCH, LOCATION, USER_AGENT};
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsConnector;

use gatepost_config as config;

/// How many times a server may send us on.
const REDIRECTS: usize = 5;

/// How often it is looked whether a feed is due.
const LOOK: Duration = Duration::from_secs(1);

/// Fetches feeds.
pub struct Client {
    tls: TlsConnector,
    timeout: Duration,
    size: usize,
}

/// Feeds cannot be fetched by what the configuration says.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file of certificates cannot be read.
    #[error("cannot read certificates from {}: {source}; give a readable PEM file", file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// What went wrong.
        source: pem::Error,
    },
    /// It holds none.
    #[error("{} holds no certificate; give a PEM file of those to trust", .0.display())]
    NoCertificate(PathBuf),
    /// The TLS library refuses.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// Why a feed could not be had.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0} is not an https URL of a host, without user information")]
    Url(String),
    #[error("it was not had in {} s", .0.as_secs_f32())]
    Late(Duration),
    #[error("cannot reach {host}: {source}")]
    Connect { host: String, source: io::Error },
    #[error("no TLS with {host}: {source}")]
    Tls { host: String, source: io::Error },
    #[error("the server breaks off: {0}")]
    Http(#[from] hyper::Error),
    #[error("the server answers {0}")]
    Status(StatusCode),
    #[error("the server sends on more than {REDIRECTS} times")]
    Redirects,
    #[error("the server sends on, and does not say where to")]
    Location,
    #[error("it is over {0} octets, or breaks off: {1}")]
    Body(usize, String),
    #[error(transparent)]
    Line(#[from] lines::LineError),
}

impl Client {
    /// One that verifies servers by the public roots and by those of the configuration.
    ///
    /// # Errors
    /// The file of certificates cannot be used.
    pub fn new(settings: &config::Directory) -> Result<Self, ClientError> {
        let provider = Arc::new(ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(settings.feed_ca_file.as_deref())?)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(tls)),
            timeout: settings.feed_timeout,
            size: settings.feed_size,
        })
    }

    /// Fetches a feed; what comes of it is a value, too, where it fails.
    pub async fn fetch(&self, url: &str, feed: &Feed) -> Fetched {
        let got = timeout(self.timeout, self.get(url, feed)).await;
        match got.unwrap_or(Err(Failure::Late(self.timeout))) {
            Ok(fetched) => fetched,
            Err(failure) => Fetched::Failed(failure.to_string()),
        }
    }

    async fn get(&self, url: &str, feed: &Feed) -> Result<Fetched, Failure> {
        let mut uri: Uri = url.parse().map_err(|_| Failure::Url(url.to_owned()))?;
        for _ in 0..=REDIRECTS {
            let response = self.ask(&uri, feed.validator.as_deref()).await?;
            let status = response.status();
            match status {
                StatusCode::NOT_MODIFIED if feed.validator.is_some() => {
                    return Ok(Fetched::Unchanged);
                }
                StatusCode::OK => {}
                status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                    let location = response.headers().get(LOCATION);
                    let location = location.and_then(|location| location.to_str().ok());
                    uri = resolved(&uri, location.ok_or(Failure::Location)?)?;
                    continue;
                }
                status => return Err(Failure::Status(status)),
            }
            let validator = response.headers().get(ETAG);
            let validator = validator.and_then(|etag| Some(etag.to_str().ok()?.to_owned()));
            let body = Limited::new(response.into_body(), self.size)
                .collect()
                .await;
            let body = body.map_err(|error| Failure::Body(self.size, error.to_string()))?;
            let entries = lines::parse(&body.to_bytes(), feed.domains, 1);
            let entries = entries.map_err(|errors| errors.into_iter().next());
            return match entries {
                Ok(entries) => Ok(Fetched::Entries { entries, validator }),
                Err(Some(error)) => Err(error.into()),
                Err(None) => Ok(Fetched::Unchanged),
            };
        }
        Err(Failure::Redirects)
    }

    /// One request on a connection of its own.
    async fn ask(
        &self,
        uri: &Uri,
        validator: Option<&str>,
    ) -> Result<http::Response<hyper::body::Incoming>, Failure> {
        let wrong = || Failure::Url(uri.to_string());
        check_url(uri)?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
        let port = authority.port_u16().unwrap_or(443);
        let stream = TcpStream::connect((host.as_str(), port)).await;
        let stream = stream.map_err(|source| Failure::Connect {
            host: authority.to_string(),
            source,
        })?;
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|source| Failure::Tls {
            host: authority.to_string(),
            source,
        })?;
        let (mut requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the request, or when that is given up. How, the request learns, too.
        tokio::spawn(connection);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::get(path)
            .header(HOST, authority.as_str())
            .header(USER_AGENT, concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "text/plain");
        if let Some(validator) = validator {
            request = request.header(IF_NONE_MATCH, validator);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|_| wrong())?;
        Ok(requests.send_request(request).await?)
    }
}

/// The public roots, and those of a PEM file.
fn roots(file: Option<&Path>) -> Result<RootCertStore, ClientError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(file) = file {
        let unreadable = |source| ClientError::Pem {
            file: file.to_owned(),
            source,
        };
        let read = gatepost_files::read(file, gatepost_files::SETTINGS);
        let octets = read.map_err(|error| unreadable(pem::Error::Io(error.into())))?;
        let certificates = CertificateDer::pem_slice_iter(&octets)
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(ClientError::NoCertificate(file.to_owned()));
        }
    }
    Ok(roots)
}

/// Whether a text may be a feed's URL.
///
/// # Errors
/// A sentence that says why not.
pub fn url(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>();
    let uri = uri.map_err(|_| Failure::Url(text.to_owned()).to_string())?;
    check_url(&uri).map_err(|wrong| wrong.to_string())?;
    Ok(text.to_owned())
}

fn check_url(uri: &Uri) -> Result<(), Failure> {
    let plain = |authority: &http::uri::Authority| !authority.as_str().contains('@');
    let is_https = uri.scheme() == Some(&Scheme::HTTPS) && uri.authority().is_some_and(plain);
    match is_https {
        true => Ok(()),
        false => Err(Failure::Url(uri.to_string())),
    }
}

/// Where a server sends on to (RFC 9110 section 10.2.2): to another URL, or on the same host.
fn resolved(from: &Uri, location: &str) -> Result<Uri, Failure> {
    let to = match (location.starts_with('/'), from.authority()) {
        (true, Some(authority)) if !location.starts_with("//") => {
            format!("https://{authority}{location}")
        }
        _ => location.to_owned(),
    };
    to.parse().map_err(|_| Failure::Url(to))
}

/// Fetches a feed and records what came of it.
///
/// # Errors
/// Why it failed, in a sentence; what was there holds.
pub async fn refresh(
    directory: &Arc<Directory>,
    client: &Client,
    list: &PartnerList,
) -> Result<ListChange, String> {
    let (PartnerSource::Feed(url), Some(feed)) = (&list.source, &list.feed) else {
        return Err("it is no feed".to_owned());
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
    let recorded: Result<ListChange, DirectoryError> =
        recorded.await.map_err(|error| error.to_string())?;
    let account = list.account;
    match (problem, recorded) {
        (Some(problem), _) => {
            tracing::warn!(%account, url, problem, "a feed of partner addresses could not be fetched, the entries that it had hold");
            Err(problem)
        }
        (None, Err(error)) => Err(error.to_string()),
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

/// Fetches each feed when it is due, for as long as it runs.
pub async fn keep_up(directory: Arc<Directory>, client: Arc<ArcSwap<Client>>) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut running, mut fetching) = (JoinSet::new(), HashMap::new());
    loop {
        tokio::select! {
            _ = look.tick() => {}
            Some(done) = running.join_next_with_id() => {
                // One that panicked is due as before.
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
                    // What came of it is on record.
                    let _ = refresh(&directory, &client, &list).await;
                });
                fetching.insert(task.id(), id);
            }
        }
    }
}
