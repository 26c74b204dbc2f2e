//! The server: connections, bounded in number and in time.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gatepost_application::AttachmentLink;
use gatepost_directory::Directory;
use gatepost_message::Millis;
use gatepost_spool::QueueAdmin;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::attachment::{self, PageBody};
use crate::page;
use crate::rate::{Allowed, RateLimit};

/// Most connections at a time.
const MOST_CONNECTIONS: usize = 64;

/// Longest life of a connection, which carries one request.
const LIFE: Duration = Duration::from_secs(20);

/// Longest life of a connection that carries an attachment: that of the request in which its link
/// was, at most.
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

/// Longest time for the header of the request.
const HEADER: Duration = Duration::from_secs(10);

/// Most bytes of the header of the request.
const HEADER_SIZE: usize = 16 << 10;

/// Pause when the system has no more connections to give.
const PAUSE: Duration = Duration::from_millis(100);

/// Address of a client, and what its network may do.
type Peer = (IpAddr, Allowed);

/// Server of the page. Clones share their state.
#[derive(Clone)]
pub struct HandoverServer {
    directory: Arc<Directory>,
    queue: Option<Arc<dyn QueueAdmin>>,
    tls: Arc<ArcSwapOption<TlsAcceptor>>,
    limit: Arc<RateLimit>,
}

impl HandoverServer {
    /// Makes the server, which speaks TLS if there is an acceptor.
    pub fn new(directory: Arc<Directory>, tls: Option<TlsAcceptor>) -> Self {
        Self {
            directory,
            queue: None,
            tls: Arc::new(ArcSwapOption::from_pointee(tls)),
            limit: Arc::default(),
        }
    }

    /// Sets the queue whose messages have attachments behind links.
    pub fn with_queue(self, queue: Arc<dyn QueueAdmin>) -> Self {
        Self {
            queue: Some(queue),
            ..self
        }
    }

    /// Takes another acceptor, with which the next connections speak TLS; without one, they do not.
    pub fn set_tls(&self, tls: Option<TlsAcceptor>) {
        self.tls.store(tls.map(Arc::new));
    }

    /// Answers requests until `stop` is ready. A connection over the bound is closed at once.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
        let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection for a handover");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let allowed = self.limit.count(peer.ip());
            let permit = match allowed {
                Allowed::Nothing => None,
                _ => Arc::clone(&permits).try_acquire_owned().ok(),
            };
            let Some(permit) = permit else {
                metrics::counter!("gatepost_connections_refused_total", "listener" => "handover")
                    .increment(1);
                continue;
            };
            let server = self.clone();
            tokio::spawn(async move {
                let is_download = AtomicBool::new(false);
                let from = (peer.ip(), allowed);
                let mut answered = pin!(server.answer_connection(stream, from, &is_download));
                // Clients come and go as they like: what becomes of a connection concerns nobody.
                let is_over = timeout(LIFE, &mut answered).await.is_ok();
                if !is_over && is_download.load(Ordering::Relaxed) {
                    let _ = timeout(DOWNLOAD, answered).await;
                }
                drop(permit);
            });
        }
    }

    async fn answer_connection(
        &self,
        stream: TcpStream,
        from: Peer,
        is_download: &AtomicBool,
    ) -> io::Result<()> {
        match self.tls.load_full() {
            Some(tls) => {
                let stream = tls.accept(stream).await?;
                self.answer_request(stream, (from, is_download), true).await
            }
            None => {
                self.answer_request(stream, (from, is_download), false)
                    .await
            }
        }
    }

    async fn answer_request<S>(
        &self,
        stream: S,
        (from, is_download): (Peer, &AtomicBool),
        is_https: bool,
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let service = service_fn(|request: Request<Incoming>| async move {
            let attachment = self.attachment(&request, from.0).await;
            let (response, word) = match attachment {
                Some(Ok(response)) => {
                    is_download.store(true, Ordering::Relaxed);
                    (response, "attachment")
                }
                Some(Err(answer)) => (page::response(&answer, is_https), answer.word()),
                None => {
                    let answer = self.answer(request, from).await;
                    (page::response(&answer, is_https), answer.word())
                }
            };
            metrics::counter!("gatepost_handover_requests_total", "answer" => word).increment(1);
            Ok::<Response<PageBody>, Infallible>(response)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEADER)
            .max_buf_size(HEADER_SIZE)
            .keep_alive(false);
        let served = http.serve_connection(TokioIo::new(stream), service).await;
        served.map_err(io::Error::other)
    }

    /// Answers a request by a link to an attachment, which does not count towards the limit of its
    /// network; `None` if the request is another.
    async fn attachment(
        &self,
        request: &Request<Incoming>,
        from: IpAddr,
    ) -> Option<Result<Response<PageBody>, Answer>> {
        let queue = self.queue.as_ref()?;
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let uri = request.uri();
        let link = AttachmentLink::read(uri.path(), uri.query()).filter(|_| is_read)?;
        self.limit.forget(from);
        Some(
            match attachment::response(queue, request.method(), link).await {
                Ok(response) => response.ok_or(Answer::Gone),
                Err(error) => {
                    tracing::error!(id = %link.transaction, %error, "an attachment cannot be read");
                    Err(Answer::Failed)
                }
            },
        )
    }

    /// Answers a request. Its body is not read.
    async fn answer(&self, request: Request<Incoming>, (from, allowed): Peer) -> Answer {
        if allowed != Allowed::Request {
            return Answer::TooMany;
        }
        let directory = Arc::clone(&self.directory);
        let (parts, _) = request.into_parts();
        let answered = tokio::task::spawn_blocking(move || {
            let asked = (from, Millis::now());
            Answer::to(&directory, &parts.method, parts.uri.path(), asked)
        });
        match answered.await {
            Ok(Ok(answer)) => {
                if let Answer::Secret(issued) = &answer {
                    let user = &issued.credential.user_name;
                    tracing::info!(%user, %from, "the secret of a credential was shown by its link");
                }
                answer
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "a handover cannot be shown");
                Answer::Failed
            }
            Err(error) => {
                tracing::error!(%error, "a handover cannot be shown");
                Answer::Failed
            }
        }
    }
}
