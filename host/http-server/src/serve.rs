//! The server: connections, bounded in number and in time.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use gatepost_certificates::ServerTls;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::connection::HttpClientFacts;
use crate::socket::{Accepted, HttpSocket};

/// Pause when the system has no more connections to give.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest time for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Bounds of a server.
#[derive(Debug, Clone, Copy)]
pub struct ServerBounds {
    /// Most connections at a time.
    pub connections: usize,
    /// Longest life of a connection.
    pub life: Duration,
    /// Longest time for the header of a request, and between two requests.
    pub header: Duration,
    /// Most bytes of the header of a request.
    pub header_size: usize,
    /// True if a connection carries more than one request.
    pub keep_alive: bool,
}

/// Service that answers requests. Clones share their state.
pub trait HttpService: Clone + Send + Sync + 'static {
    /// Decision about a connection, made when it is accepted.
    type Admission: Clone + Send + Sync + 'static;

    /// Body of a response.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// Admits a connection of a client, or closes it at once.
    fn admit(&self, peer: Option<IpAddr>) -> Option<Self::Admission>;

    /// Answers a request.
    fn answer(
        &self,
        request: Request<Incoming>,
        client: HttpClientFacts<Self::Admission>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Server of a service. Clones share their state.
#[derive(Clone)]
pub struct HttpServer<S> {
    service: S,
    /// Name of the listener in the metric.
    name: &'static str,
    bounds: ServerBounds,
    tls: Arc<ArcSwapOption<ServerTls>>,
    permits: Arc<Semaphore>,
}

impl<S: HttpService> HttpServer<S> {
    /// Makes the server, which speaks this TLS over TCP, if any. `name` is the label of its
    /// metric.
    pub fn new(
        service: S,
        name: &'static str,
        bounds: ServerBounds,
        tls: Option<ServerTls>,
    ) -> Self {
        Self {
            service,
            name,
            bounds,
            tls: Arc::new(ArcSwapOption::from_pointee(tls)),
            permits: Arc::new(Semaphore::new(bounds.connections)),
        }
    }

    /// Puts a service in the place of this one.
    #[must_use]
    pub fn with_service(self, service: S) -> Self {
        Self { service, ..self }
    }

    /// Returns the service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// Takes other TLS, which the next connections speak; without it, they do not.
    pub fn set_tls(&self, tls: Option<ServerTls>) {
        self.tls.store(tls.map(Arc::new));
    }

    /// Answers requests until `stop` is ready. Requests that are under way are then finished, and
    /// connections that wait for the next one are closed.
    pub async fn serve(self, socket: impl Into<HttpSocket>, stop: impl Future<Output = ()> + Send) {
        let socket = socket.into();
        // Dropped at the end, which closes what is idle.
        let (closing, closed) = watch::channel(false);
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = &mut stop => break,
            };
            let accepted = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, listener = self.name, "cannot accept a connection");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let admission = self.service.admit(accepted.peer());
            let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
            let (Some(admission), Some(permit)) = (admission, permit) else {
                metrics::counter!("gatepost_connections_refused_total", "listener" => self.name)
                    .increment(1);
                continue;
            };
            let (server, closed) = (self.clone(), closed.clone());
            tokio::spawn(async move {
                let longer = Arc::<AtomicU64>::default();
                let known = (closed, Arc::clone(&longer));
                let mut answered = pin!(server.answer_connection(accepted, admission, known));
                // Clients come and go as they like: what becomes of a connection concerns nobody.
                let is_over = timeout(server.bounds.life, &mut answered).await.is_ok();
                let longer = Duration::from_secs(longer.load(Ordering::Relaxed));
                if !is_over && !longer.is_zero() {
                    let _ = timeout(longer, answered).await;
                }
                drop(permit);
            });
        }
        closing.send_replace(true);
    }

    async fn answer_connection(
        &self,
        accepted: Accepted,
        admission: S::Admission,
        (closing, longer): (watch::Receiver<bool>, Arc<AtomicU64>),
    ) -> io::Result<()> {
        let peer = accepted.peer();
        let facts = |is_https| HttpClientFacts::new(peer, is_https, admission, closing, longer);
        match (accepted, self.tls.load_full()) {
            (Accepted::Unix(stream), _) => self.answer_requests(stream, facts(false)).await,
            (Accepted::Tcp(stream, _), None) => self.answer_requests(stream, facts(false)).await,
            (Accepted::Tcp(stream, _), Some(tls)) => {
                match timeout(HANDSHAKE, tls.accept(stream)).await?? {
                    Some(stream) => self.answer_requests(stream, facts(true)).await,
                    // A certificate authority has validated a name.
                    None => Ok(()),
                }
            }
        }
    }

    async fn answer_requests<I>(
        &self,
        stream: I,
        facts: HttpClientFacts<S::Admission>,
    ) -> io::Result<()>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let closing = facts.closing();
        let service = service_fn(|request: Request<Incoming>| {
            let facts = facts.clone();
            async move { Ok::<_, Infallible>(self.service.answer(request, facts).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.bounds.header)
            .max_buf_size(self.bounds.header_size)
            .keep_alive(self.bounds.keep_alive);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        if self.bounds.keep_alive {
            tokio::select! {
                served = &mut connection => return served.map_err(io::Error::other),
                () = closing => connection.as_mut().graceful_shutdown(),
            }
        }
        connection.await.map_err(io::Error::other)
    }
}
