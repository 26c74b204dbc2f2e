//! Octets of a connection: lines in, lines out, at the pace of the script.

use std::fmt;
use std::io;
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::io::BufReader;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::script::TlsFault;
use crate::tls::{self, SinkSecured};

/// The most octets of a command or a response; RFC 4954 section 4 asks for 12,288.
const LONGEST_LINE: usize = 16 << 10;

/// The most octets of a piece of a message without a line end.
const LONGEST_PIECE: usize = 64 << 10;

/// Patience with a client that still sends after the end.
const DRAIN: Duration = Duration::from_secs(1);

/// Connection in plaintext or under TLS.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// End of a session.
#[derive(Debug)]
pub(crate) enum Over {
    /// The client has closed.
    ByClient,
    /// The session ended as SMTP has it: by QUIT or 421.
    Regularly,
    /// The script ends it.
    Scripted(&'static str),
    /// The script ends it by a reset.
    Reset,
    /// The connection broke.
    Broken(io::Error),
}

/// Result of a step of a session.
pub(crate) type Step<T> = Result<T, Over>;

impl From<io::Error> for Over {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::ByClient,
            _ => Self::Broken(error),
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByClient => f.write_str("the client closed"),
            Self::Regularly => f.write_str("the session ended"),
            Self::Scripted(how) => f.write_str(how),
            Self::Reset => f.write_str("the script resets the connection"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
        }
    }
}

/// Line of a client.
pub(crate) enum ClientLine {
    /// Without its line end.
    Whole(Vec<u8>),
    /// Longer than any may be, and dropped.
    TooLong,
}

/// The octets of a connection.
pub(crate) struct Wire {
    stream: BufReader<Box<dyn Duplex>>,
    /// The same connection, for its options.
    socket: Socket,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream).try_clone()?;
        let stream: Box<dyn Duplex> = Box::new(stream);
        Ok(Self {
            stream: BufReader::new(stream),
            socket,
        })
    }

    /// Reads a line.
    pub(crate) async fn line(&mut self) -> Step<ClientLine> {
        let (mut line, mut ended) = self.piece(LONGEST_LINE).await?;
        if ended {
            let end = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n"));
            let length = end.map_or(line.len(), <[u8]>::len);
            line.truncate(length);
            return Ok(ClientLine::Whole(line));
        }
        while !ended {
            (_, ended) = self.piece(LONGEST_LINE).await?;
        }
        Ok(ClientLine::TooLong)
    }

    /// Reads a line of a message with its line end, or a piece of a very long one. Returns also
    /// whether the line ends there.
    pub(crate) async fn content(&mut self) -> Step<(Vec<u8>, bool)> {
        self.piece(LONGEST_PIECE).await
    }

    async fn piece(&mut self, most: usize) -> Step<(Vec<u8>, bool)> {
        let mut piece = Vec::new();
        let mut limited = (&mut self.stream).take(most as u64);
        match limited.read_until(b'\n', &mut piece).await? {
            0 => Err(Over::ByClient),
            _ if piece.ends_with(b"\n") => Ok((piece, true)),
            length if length == most => Ok((piece, false)),
            _ => Err(Over::ByClient),
        }
    }

    /// Reads up to this many octets, at least one.
    pub(crate) async fn octets(&mut self, most: u64) -> Step<Vec<u8>> {
        let waiting = self.stream.fill_buf().await?;
        let length = waiting
            .len()
            .min(usize::try_from(most).unwrap_or(usize::MAX));
        if length == 0 {
            return Err(Over::ByClient);
        }
        let octets = waiting[..length].to_vec();
        self.stream.consume(length);
        Ok(octets)
    }

    /// Returns true if the client has sent more than was read.
    pub(crate) fn has_more(&self) -> bool {
        !self.stream.buffer().is_empty()
    }

    /// Sends octets, at once or one by one with a wait after each.
    pub(crate) async fn send(&mut self, octets: &[u8], octet_delay: Option<Duration>) -> Step<()> {
        match octet_delay {
            None => self.stream.write_all(octets).await?,
            Some(delay) => {
                for octet in octets {
                    self.stream.write_all(&[*octet]).await?;
                    self.stream.flush().await?;
                    sleep(delay).await;
                }
            }
        }
        Ok(self.stream.flush().await?)
    }

    /// Does the handshake, or fails it. Plaintext that came with STARTTLS is dropped.
    pub(crate) async fn start_tls(
        &mut self,
        acceptor: Option<&TlsAcceptor>,
        fault: Option<TlsFault>,
    ) -> Step<SinkSecured> {
        let nothing: Box<dyn Duplex> = Box::new(tokio::io::empty());
        let plain = std::mem::replace(&mut self.stream, BufReader::new(nothing));
        let mut plain = plain.into_inner();
        if let Some(fault) = fault {
            tls::fail(&mut *plain, fault).await?;
        }
        let acceptor = acceptor.ok_or(Over::Scripted("there is no certificate"))?;
        let secured = acceptor.accept(plain).await?;
        let tls = SinkSecured::of(secured.get_ref().1);
        self.stream = BufReader::new(Box::new(secured));
        Ok(tls)
    }

    /// Closes the connection so that the last reply arrives: what the client still sends is read.
    pub(crate) async fn close(mut self) {
        if self.stream.shutdown().await.is_ok() {
            let mut rest = [0; 4096];
            let drained = async { while matches!(self.stream.read(&mut rest).await, Ok(1..)) {} };
            // A client that goes on sending is cut off.
            let _ = timeout(DRAIN, drained).await;
        }
    }

    /// Closes the connection by a reset.
    pub(crate) fn reset(self) {
        // If the option cannot be set, the connection is closed in the usual way.
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }
}
