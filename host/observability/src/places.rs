//! Connections of monitors, bounded: so many at a time, and none that says nothing for long.
//!
//! Without a bound, whoever reaches the address takes the file descriptors that mail needs. Over it
//! a connection is closed at once; a monitor asks again in a moment. One that is silent, as HTTP
//! keeps them open between two requests, loses its place after a while.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at a time.
pub(super) const PLACES: usize = 64;

/// Silence, or no room for the answer, before a connection is closed.
const IDLE: Duration = Duration::from_secs(60);

/// How long to wait when the system has no more connections to give.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that takes connections up to a bound.
pub(super) struct Bounded {
    socket: TcpListener,
    places: Arc<Semaphore>,
    idle: Duration,
    /// Whether it has been said that there are too many, since there were not.
    said: bool,
}

impl Bounded {
    pub(super) fn new(socket: TcpListener) -> Self {
        Self {
            socket,
            idle: IDLE,
            places: Arc::new(Semaphore::new(PLACES)),
            said: false,
        }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let (stream, peer) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a monitor's connection");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                self.said = false;
                return (Connection::new(stream, place, self.idle), peer);
            }
            metrics::counter!("gatepost_connections_refused_total", "listener" => "http")
                .increment(1);
            if !self.said {
                self.said = true;
                tracing::warn!(%peer, limit = PLACES, "too many connections of monitors");
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection that has a place, for as long as something comes or goes.
pub(super) struct Connection {
    stream: TcpStream,
    idle: Duration,
    silent: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit, idle: Duration) -> Self {
        Self {
            stream,
            idle,
            silent: Box::pin(sleep(idle)),
            _place: place,
        }
    }

    /// What came of a step, or that there was none for too long.
    fn watched<T>(
        &mut self,
        context: &mut Context<'_>,
        step: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if step.is_ready() {
            let latest = Instant::now() + self.idle;
            self.silent.as_mut().reset(latest);
            return step;
        }
        match self.silent.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watched(context, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.watched(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::serve::Listener as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_connection_over_the_bound_is_closed_and_a_silent_one_loses_its_place() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut bounded = Bounded {
            idle: Duration::from_millis(50),
            ..Bounded::new(socket)
        };
        let address = bounded.local_addr().unwrap();
        let mut clients = Vec::new();
        let mut held = Vec::new();
        for _ in 0..PLACES {
            clients.push(TcpStream::connect(address).await.unwrap());
            held.push(bounded.accept().await.0);
        }
        // The next is closed; the one behind it, for which there is a place by then, is served.
        let mut over = TcpStream::connect(address).await.unwrap();
        let taking = tokio::spawn(async move { bounded.accept().await });
        assert_eq!(over.read(&mut [0; 1]).await.unwrap(), 0);
        let mut silent = held.remove(0);
        let mut busy = held.remove(0);
        held.clear();
        let _last = TcpStream::connect(address).await.unwrap();
        taking.await.unwrap();

        clients[1].write_all(b"x").await.unwrap();
        busy.read_exact(&mut [0; 1]).await.unwrap();
        let error = silent.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
