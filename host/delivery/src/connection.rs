//! One connection: the client session of `gatepost-smtp` driven over a stream.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use gatepost_smtp::client::{Event, Failure, Session};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::settings::Timeouts;

/// A stream that SMTP runs over: TCP or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Nothing more can or need be sent; what the server said, and else the reason, comes out of
/// [`Connection::advance`].
pub(crate) struct Severed;

/// How much a server may say while it is being talked to before nobody listens any more.
const READ_AHEAD: usize = 64 * 1024;

/// A connection to a next hop.
pub(crate) struct Connection {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) session: Session,
    /// Said by the server and not yet seen by the session.
    input: BytesMut,
    /// Why nothing more can be sent.
    severed: Option<Failure>,
    /// Protocol and cipher; `None` in plaintext.
    pub(crate) tls: Option<String>,
    /// The next hop may be told who sent a message here.
    pub(crate) wants_origin: bool,
    /// Transactions begun.
    pub(crate) transactions: u32,
    pub(crate) timeouts: Timeouts,
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Stream>, session: Session, timeouts: Timeouts) -> Self {
        Self {
            stream,
            session,
            input: BytesMut::new(),
            severed: None,
            tls: None,
            wants_origin: false,
            transactions: 0,
            timeouts,
        }
    }

    /// Goes on with the dialogue up to the next thing that is not just sending and receiving.
    pub(crate) async fn advance(&mut self) -> Event {
        loop {
            match self.session.next_event() {
                Event::Send(bytes) => self.send(&bytes).await,
                Event::NeedInput => {
                    if let Err(failure) = self.receive().await {
                        self.session.fail(failure);
                    }
                }
                event => return event,
            }
        }
    }

    /// Sends, and listens meanwhile: a server that answers a long group of commands while it is
    /// still coming must not wait for us to finish (RFC 2920 section 3.1).
    async fn send(&mut self, bytes: &[u8]) {
        // What has failed fails again: the next receipt says so.
        let _ = self.write(bytes, false).await;
    }

    /// Sends a piece of a message. A server that answers before it has the whole has given up on
    /// it: nothing more is sent then, and what it said is heard.
    pub(crate) async fn send_piece(&mut self, bytes: &[u8]) -> Result<(), Severed> {
        self.write(bytes, true).await
    }

    async fn write(&mut self, bytes: &[u8], heed: bool) -> Result<(), Severed> {
        if self.severed.is_some() {
            return Err(Severed);
        }
        let sending = write(&mut self.stream, &mut self.input, bytes, heed);
        self.severed = match timeout(self.timeouts.send, sending).await {
            Ok(Ok(Written::All)) => return Ok(()),
            Ok(Ok(Written::Interrupted)) => return Err(Severed),
            Ok(Err(error)) => Some(Failure::Disconnected(error.to_string())),
            Err(_) => Some(Failure::TimedOut),
        };
        Err(Severed)
    }

    /// Waits for the server to say something.
    async fn receive(&mut self) -> Result<(), Failure> {
        if self.input.is_empty() {
            if let Some(failure) = &self.severed {
                return Err(failure.clone());
            }
            let patience = self.session.timeout();
            let patience = self
                .timeouts
                .reply
                .map_or(patience, |most| most.min(patience));
            match timeout(patience, self.stream.read_buf(&mut self.input)).await {
                Ok(Ok(0)) => return Err(Failure::Disconnected("closed by the server".to_owned())),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(Failure::Disconnected(error.to_string())),
                Err(_) => return Err(Failure::TimedOut),
            }
        }
        self.session.feed(&self.input.split());
        Ok(())
    }

    /// Says good-bye, for at most the time that the settings grant it.
    pub(crate) async fn quit(mut self) {
        let time = self.timeouts.quit;
        let good_bye = async {
            self.session.quit();
            while !matches!(self.advance().await, Event::Closed | Event::Failed(_)) {}
            self.stream.shutdown().await
        };
        // Whether the server heard it makes no difference to anyone.
        let _ = timeout(time, good_bye).await;
    }
}

/// How far a writing came.
enum Written {
    All,
    /// The server said something meanwhile.
    Interrupted,
}

/// Writes all of `bytes` while reading what comes into `input`; with `heed`, no further than up
/// to the first thing that came.
async fn write(
    stream: &mut Box<dyn Stream>,
    input: &mut BytesMut,
    bytes: &[u8],
    heed: bool,
) -> io::Result<Written> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut written = pin!(async move {
        writer.write_all(bytes).await?;
        writer.flush().await
    });
    let mut listening = true;
    loop {
        if heed && !input.is_empty() {
            return Ok(Written::Interrupted);
        }
        tokio::select! {
            biased;
            read = reader.read_buf(input), if listening => {
                listening = matches!(read, Ok(1..)) && input.len() < READ_AHEAD;
            }
            done = &mut written => return done.map(|()| Written::All),
        }
    }
}

/// Lets a connection say good-bye on its own time.
pub(crate) fn part(connection: Connection) {
    tokio::spawn(connection.quit());
}

/// The shorter form of "within".
pub(crate) async fn within<T>(
    time: Duration,
    what: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(time, what)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
