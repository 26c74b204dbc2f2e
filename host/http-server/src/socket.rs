//! Sockets that a server listens on: of TCP, or in the file system.

use std::io;
use std::net::IpAddr;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Listening socket.
#[derive(Debug)]
pub enum HttpSocket {
    /// Socket of TCP.
    Tcp(TcpListener),
    /// Socket in the file system. Its connections never speak TLS.
    Unix(UnixListener),
}

/// Accepted connection.
pub(crate) enum Accepted {
    /// Connection of TCP, with the address of its client.
    Tcp(TcpStream, IpAddr),
    /// Connection from this machine.
    Unix(UnixStream),
}

impl HttpSocket {
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        Ok(match self {
            Self::Tcp(socket) => {
                let (stream, peer) = socket.accept().await?;
                Accepted::Tcp(stream, peer.ip())
            }
            Self::Unix(socket) => Accepted::Unix(socket.accept().await?.0),
        })
    }
}

impl Accepted {
    /// Returns the address of the client; `None` for one on this machine.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(_, peer) => Some(*peer),
            Self::Unix(_) => None,
        }
    }
}

impl From<TcpListener> for HttpSocket {
    fn from(socket: TcpListener) -> Self {
        Self::Tcp(socket)
    }
}
