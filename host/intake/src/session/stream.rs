//! A connection in plaintext or under TLS.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Bytes read from the connection at a time.
const READ: usize = 16 * 1024;

/// A TCP connection, with or without TLS.
pub(super) enum ClientStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Left over when a handshake has failed: reads nothing, writes nothing.
    Closed,
}

impl ClientStream {
    /// Waits for bytes and hands them to `take`; returns their number, 0 at the end. The buffer
    /// exists only while there are bytes.
    pub(super) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|context| {
            let mut buffer = [MaybeUninit::uninit(); READ];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            ready!(self.poll_read(context, &mut buffer))?;
            take(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
        .await
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }

    /// Writes and flushes all bytes.
    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        async fn all(stream: &mut (impl AsyncWrite + Unpin), octets: &[u8]) -> io::Result<()> {
            stream.write_all(octets).await?;
            stream.flush().await
        }
        match self {
            Self::Plain(stream) => all(stream, octets).await,
            Self::Tls(stream) => all(stream, octets).await,
            Self::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Closes the sending side; under TLS with close_notify.
    pub(super) async fn shut_down(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
            Self::Closed => Ok(()),
        }
    }
}
