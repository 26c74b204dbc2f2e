//! HTTP client for the systems around the relay: feeds of partner addresses, collectors of spans.
//!
//! A request takes a connection of its own, over TLS for `https`. A client for URLs that others name
//! connects only to addresses that its guard permits; TLS and the field Host are about the host of
//! the URL. No answer is read beyond the size that the caller allows. Redirects, time-outs and further tries are the caller's, because they
//! differ from one system to the next.

#![forbid(unsafe_code)]

mod connector;

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_guard::Guard;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
pub use rustls::Error as TlsError;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use connector::CheckedConnector;

/// Client for any number of requests, side by side.
#[derive(Debug, Clone)]
pub struct HttpClient(Client<HttpsConnector<CheckedConnector>, StreamedBody>);

/// Body of a request that is read as it is sent.
pub type StreamedBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// Beginning of an answer, whose body is still to come.
#[derive(Debug)]
pub struct Answer(Response<Incoming>);

/// Reason why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody takes connections there, or the guard permits none of its addresses.
    #[error("cannot reach {host}: {cause}")]
    Connect {
        /// Host and port, as in the URL.
        host: String,
        /// Error of the system or of the guard.
        cause: String,
    },
    /// The server does not prove to be this host, or cannot speak TLS.
    #[error("no TLS connection to {host}: {cause}")]
    Tls {
        /// Host and port, as in the URL.
        host: String,
        /// Error of the handshake.
        cause: String,
    },
    /// The connection ended before the answer did, or the answer is not HTTP.
    #[error("the connection to the server failed: {0}")]
    Connection(String),
    /// The body is too long, or ended early.
    #[error("it is over {size} bytes, or was cut off: {cause}")]
    Body {
        /// Bytes that the caller allows.
        size: usize,
        /// Error of reading.
        cause: String,
    },
}

/// Makes TLS that trusts these certificates.
fn tls(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

impl HttpClient {
    /// Builds a client for the site's own URLs, which trusts these certificates. It connects to
    /// whatever the system resolves a host to.
    ///
    /// # Errors
    /// The TLS library refuses its own defaults.
    pub fn new(roots: RootCertStore) -> Result<Self, TlsError> {
        Ok(Self::with_tls(tls(roots)?))
    }

    /// Builds a client for the site's own URLs that demands of servers what this TLS says.
    pub fn with_tls(tls: ClientConfig) -> Self {
        Self::with(CheckedConnector::trusting(), tls)
    }

    /// Builds a client for URLs that others name, which trusts these certificates.
    ///
    /// # Errors
    /// The TLS library refuses its own defaults.
    pub fn guarded(roots: RootCertStore, guard: Guard) -> Result<Self, TlsError> {
        Ok(Self::guarded_with_tls(tls(roots)?, guard))
    }

    /// Builds a client for URLs that others name that demands of servers what this TLS says.
    pub fn guarded_with_tls(tls: ClientConfig, guard: Guard) -> Self {
        Self::with(CheckedConnector::Guarded(Arc::new(guard)), tls)
    }

    fn with(tcp: CheckedConnector, tls: ClientConfig) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Self(client)
    }

    /// Builds a client for the site's own `http` URLs alone: it trusts no certificate.
    ///
    /// # Errors
    /// The TLS library refuses its own defaults.
    pub fn plaintext() -> Result<Self, TlsError> {
        Self::new(RootCertStore::empty())
    }

    /// Sends a request to its absolute URI. Dropping the future ends the connection.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer, HttpError> {
        let whole = |body| Full::new(body).map_err(|never| match never {});
        self.send_streamed(request.map(|body| whole(body).boxed_unsync()))
            .await
    }

    /// Sends a request whose body is read as it is sent.
    ///
    /// # Errors
    /// There is no answer, or the body cannot be read.
    pub async fn send_streamed(&self, request: Request<StreamedBody>) -> Result<Answer, HttpError> {
        let host = request.uri().authority().map(ToString::to_string);
        let answer = self.0.request(request).await;
        let answer = answer.map_err(|error| {
            let (host, cause) = (host.unwrap_or_default(), root_cause(&error));
            match (error.is_connect(), is_of_tls(&error)) {
                (true, true) => HttpError::Tls { host, cause },
                (true, false) => HttpError::Connect { host, cause },
                (false, _) => HttpError::Connection(cause),
            }
        })?;
        Ok(Answer(answer))
    }
}

impl Answer {
    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Returns the header fields.
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// Reads the body, of at most `size` bytes.
    ///
    /// # Errors
    /// It is longer, or the connection failed.
    pub async fn body(self, size: usize) -> Result<Bytes, HttpError> {
        let body = Limited::new(self.0.into_body(), size).collect().await;
        let body = body.map_err(|error| HttpError::Body {
            size,
            cause: error.to_string(),
        })?;
        Ok(body.to_bytes())
    }
}

/// Returns the innermost error in words: those around it say only where it came up.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<rustls::Error>())
}

/// Returns the error and those that caused it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        // An error of the system that wraps another names that one's source, and not itself.
        let of_system = error.downcast_ref::<std::io::Error>();
        match of_system.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &'a (dyn Error + 'static)),
            None => error.source(),
        }
    })
}
