//! TCP connections: to whatever the system resolves, or to the addresses that a guard permits.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use gatepost_guard::Guard;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

/// Time limit of a connection to one address, after which the next is tried.
const PER_ADDRESS: Duration = Duration::from_secs(10);

/// Source of the connections of a client.
#[derive(Clone)]
pub enum CheckedConnector {
    /// Connections to the hosts that the site itself names.
    Trusting(HttpConnector),
    /// Connections to the hosts that others name.
    Guarded(Arc<Guard>),
}

type BoxError = Box<dyn Error + Send + Sync>;

impl CheckedConnector {
    pub(crate) fn trusting() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        // The outer connector decides by the scheme.
        tcp.enforce_http(false);
        Self::Trusting(tcp)
    }
}

impl Service<Uri> for CheckedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Trusting(tcp) => tcp.poll_ready(context).map_err(Into::into),
            Self::Guarded(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self {
            Self::Trusting(tcp) => {
                let connecting = tcp.call(uri);
                Box::pin(async move { Ok(connecting.await?) })
            }
            Self::Guarded(guard) => {
                let guard = Arc::clone(guard);
                Box::pin(async move { Ok(TokioIo::new(connect(&guard, &uri).await?)) })
            }
        }
    }
}

/// Connects to the first of a host's permitted addresses that takes the connection.
async fn connect(guard: &Guard, uri: &Uri) -> Result<TcpStream, BoxError> {
    let default_port = match uri.scheme() == Some(&Scheme::HTTPS) {
        true => 443,
        false => 80,
    };
    let port = uri.port_u16().unwrap_or(default_port);
    let mut why = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in guard.resolve(uri.host().unwrap_or_default()).await? {
        let connecting = TcpStream::connect(SocketAddr::new(address, port));
        match timeout(PER_ADDRESS, connecting).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => why = error,
            Err(_) => why = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(why.into())
}
