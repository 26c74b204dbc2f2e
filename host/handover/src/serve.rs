//! The server of the page, with its bounds.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use gatepost_application::AttachmentLink;
use gatepost_certificates::ServerTls;
use gatepost_directory::Directory;
use gatepost_http_server::{HttpClientFacts, HttpServer, HttpService, ServerBounds};
use gatepost_message::Millis;
use gatepost_spool::QueueAdmin;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::attachment::{self, PageBody};
use crate::page;
use crate::rate::{Allowed, RateLimit};

/// Bounds of the server: a connection carries one request.
const BOUNDS: ServerBounds = ServerBounds {
    connections: 64,
    life: Duration::from_secs(20),
    header: Duration::from_secs(10),
    header_size: 16 << 10,
    keep_alive: false,
};

/// Longest life of a connection that carries an attachment: that of the request in which its link
/// was, at most.
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

/// Server of the page. Clones share their state.
#[derive(Clone)]
pub struct HandoverServer(HttpServer<HandoverPage>);

impl HandoverServer {
    /// Makes the server, which speaks this TLS, if any.
    pub fn new(directory: Arc<Directory>, tls: Option<ServerTls>) -> Self {
        let page = HandoverPage {
            directory,
            queue: None,
            limit: Arc::default(),
        };
        Self(HttpServer::new(page, "handover", BOUNDS, tls))
    }

    /// Sets the queue whose messages have attachments behind links.
    pub fn with_queue(self, queue: Arc<dyn QueueAdmin>) -> Self {
        let page = HandoverPage {
            queue: Some(queue),
            ..self.0.service().clone()
        };
        Self(self.0.with_service(page))
    }

    /// Takes other TLS, which the next connections speak; without it, they do not.
    pub fn set_tls(&self, tls: Option<ServerTls>) {
        self.0.set_tls(tls);
    }

    /// Answers requests until `stop` is ready. A connection over the bound is closed at once.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
        self.0.serve(listener, stop).await;
    }
}

/// The page as a service.
#[derive(Clone)]
struct HandoverPage {
    directory: Arc<Directory>,
    queue: Option<Arc<dyn QueueAdmin>>,
    limit: Arc<RateLimit>,
}

impl HttpService for HandoverPage {
    type Admission = Allowed;
    type Body = PageBody;

    fn admit(&self, peer: Option<IpAddr>) -> Option<Allowed> {
        match self.limit.count(address(peer)) {
            Allowed::Nothing => None,
            allowed => Some(allowed),
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        client: HttpClientFacts<Allowed>,
    ) -> Response<PageBody> {
        let asked = (address(client.address), client.admission);
        let (response, word) = match self.attachment(&request, asked.0).await {
            Some(Ok(response)) => {
                client.may_take(DOWNLOAD);
                (response, "attachment")
            }
            Some(Err(answer)) => (page::response(&answer, client.is_https), answer.word()),
            None => {
                let answer = self.answer_request(request, asked).await;
                (page::response(&answer, client.is_https), answer.word())
            }
        };
        metrics::counter!("gatepost_handover_requests_total", "answer" => word).increment(1);
        response
    }
}

impl HandoverPage {
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
    async fn answer_request(
        &self,
        request: Request<Incoming>,
        (from, allowed): (IpAddr, Allowed),
    ) -> Answer {
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

/// Returns the address of a client. One without an address would be on this machine.
fn address(peer: Option<IpAddr>) -> IpAddr {
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}
