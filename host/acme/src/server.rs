//! The server that the authority looks at: files over HTTP, or handshakes of TLS and nothing else.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use gatepost_certificates::ServerTls;
use gatepost_http_server::{HttpClientFacts, HttpServer, HttpService, HttpSocket, ServerBounds};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;

use crate::challenges::Challenges;

/// Path below which the files are (RFC 8555 section 8.3).
const FILES: &str = "/.well-known/acme-challenge/";

/// Bounds of the server: authorities look from a handful of places at once.
const BOUNDS: ServerBounds = ServerBounds {
    connections: 64,
    life: Duration::from_secs(20),
    header: Duration::from_secs(10),
    header_size: 16 << 10,
    keep_alive: false,
};

/// Server of challenges. Clones share their state.
#[derive(Clone)]
pub struct ChallengeServer(HttpServer<ChallengeService>);

impl ChallengeServer {
    pub(crate) fn new(challenges: Challenges) -> Self {
        let service = ChallengeService(challenges);
        Self(HttpServer::new(service, "acme", BOUNDS, None))
    }

    /// Takes the TLS of its address, which answers validations; without it, files are served in
    /// plaintext.
    pub fn set_tls(&self, tls: Option<ServerTls>) {
        self.0.set_tls(tls);
    }

    /// Answers until `stop` is ready. A connection over the bound is closed at once.
    pub async fn serve(self, socket: impl Into<HttpSocket>, stop: impl Future<Output = ()> + Send) {
        self.0.serve(socket, stop).await;
    }
}

/// Files of challenges as a service. Everything else is not found.
#[derive(Clone)]
struct ChallengeService(Challenges);

impl HttpService for ChallengeService {
    type Admission = ();
    type Body = UnsyncBoxBody<Bytes, Infallible>;

    fn admit(&self, _: Option<IpAddr>) -> Option<()> {
        Some(())
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        client: HttpClientFacts<()>,
    ) -> Response<Self::Body> {
        let is_question = [Method::GET, Method::HEAD].contains(request.method());
        let token = request.uri().path().strip_prefix(FILES);
        let token = token.filter(|_| is_question && !client.is_https);
        let (status, content) = match token.and_then(|token| self.0.file(token)) {
            Some(content) => (StatusCode::OK, content),
            None => (StatusCode::NOT_FOUND, String::new()),
        };
        let mut response = Response::new(Full::from(content).boxed_unsync());
        *response.status_mut() = status;
        let kind = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}
