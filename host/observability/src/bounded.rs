//! Connections of monitors, bounded in number and in silence.
//!
//! Without a bound, anyone who reaches the address could take the file descriptors that mail needs.
//! A connection over the bound is closed at once; a monitor asks again soon. A silent connection,
//! as HTTP keeps them open between two requests, is closed after a while.

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

/// Most connections at a time.
pub(super) const MOST_CONNECTIONS: usize = 64;

/// Longest silence, or wait for the client to read, before a connection is closed.
const IDLE: Duration = Duration::from_secs(60);

/// Pause when the system has no more connections to give.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that takes connections up to a bound.
pub(super) struct Bounded {
    socket: TcpListener,
    permits: Arc<Semaphore>,
    idle: Duration,
    /// True once the excess has been logged, until connections fit again.
    logged: bool,
}

impl Bounded {
    pub(super) fn new(socket: TcpListener) -> Self {
        Self {
            socket,
            idle: IDLE,
            permits: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            logged: false,
        }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = MonitorConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (MonitorConnection, SocketAddr) {
        loop {
            let (stream, peer) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a monitor's connection");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
                self.logged = false;
                return (MonitorConnection::new(stream, permit, self.idle), peer);
            }
            metrics::counter!("gatepost_connections_refused_total", "listener" => "http")
                .increment(1);
            if !self.logged {
                self.logged = true;
                tracing::warn!(%peer, limit = MOST_CONNECTIONS, "too many connections of monitors");
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection with a permit, for as long as bytes come or go.
pub(super) struct MonitorConnection {
    stream: TcpStream,
    idle: Duration,
    idle_timer: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl MonitorConnection {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit, idle: Duration) -> Self {
        Self {
            stream,
            idle,
            idle_timer: Box::pin(sleep(idle)),
            _permit: permit,
        }
    }

    /// Returns the result of a step, or a time-out after too long without one.
    fn or_time_out<T>(
        &mut self,
        context: &mut Context<'_>,
        step: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if step.is_ready() {
            let latest = Instant::now() + self.idle;
            self.idle_timer.as_mut().reset(latest);
            return step;
        }
        match self.idle_timer.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for MonitorConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.or_time_out(context, read)
    }
}

impl AsyncWrite for MonitorConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.or_time_out(context, written)
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
    async fn a_connection_over_the_bound_and_a_silent_one_are_closed() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut bounded = Bounded {
            idle: Duration::from_millis(50),
            ..Bounded::new(socket)
        };
        let address = bounded.local_addr().unwrap();
        let mut clients = Vec::new();
        let mut held = Vec::new();
        for _ in 0..MOST_CONNECTIONS {
            clients.push(TcpStream::connect(address).await.unwrap());
            held.push(bounded.accept().await.0);
        }
        // The next is closed; the one behind it is served, since a permit is free by then.
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
