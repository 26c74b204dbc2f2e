//! Facts about a connection that a service knows with each request.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// Facts about the connection that a request came on.
#[derive(Debug, Clone)]
pub struct HttpClientFacts<A> {
    /// Address of the client; `None` for one on this machine, over a socket in the file system.
    pub address: Option<IpAddr>,
    /// True if the connection speaks TLS here.
    pub is_https: bool,
    /// Decision of the service when the connection was accepted.
    pub admission: A,
    closing: watch::Receiver<bool>,
    longer: Arc<AtomicU64>,
}

impl<A> HttpClientFacts<A> {
    pub(crate) fn new(
        address: Option<IpAddr>,
        is_https: bool,
        admission: A,
        closing: watch::Receiver<bool>,
        longer: Arc<AtomicU64>,
    ) -> Self {
        Self {
            address,
            is_https,
            admission,
            closing,
            longer,
        }
    }

    /// Lets the connection live for so long beyond its bound: its answer takes longer than others.
    pub fn may_take(&self, longer: Duration) {
        self.longer.store(longer.as_secs(), Ordering::Relaxed);
    }

    /// Waits until the server accepts no more connections. Answers without an end finish then.
    pub fn closing(&self) -> impl Future<Output = ()> + Send + use<A> {
        let mut closing = self.closing.clone();
        async move {
            // The server may be gone altogether.
            let _ = closing.wait_for(|closing| *closing).await;
        }
    }
}
