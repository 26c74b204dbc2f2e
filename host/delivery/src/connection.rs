//! A connection: the client session of `gatepost-smtp`, driven over a stream.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use gatepost_model::Protocol;
use gatepost_smtp::client::{Event, Failure, OpeningStage, Session};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::open::{Opening, Speaker, Transcript};
use crate::settings::Timeouts;

/// A stream that SMTP runs over: TCP or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Nothing more can or need be sent. The server's reply, or else the reason, comes out of
/// [`Connection::advance`].
pub(crate) struct Severed;

/// Most octets that are read from the server while something is sent to it.
const READ_AHEAD: usize = 64 * 1024;

/// A connection to a next hop.
pub(crate) struct Connection {
    pub(crate) stream: Box<dyn Stream>,
    /// Address of the server.
    pub(crate) address: SocketAddr,
    /// Name of the server, or its address.
    pub(crate) host: String,
    /// Identity in which the session was opened.
    pub(crate) identity: Option<Arc<str>>,
    /// Protocol of the server.
    pub(crate) protocol: Protocol,
    pub(crate) session: Session,
    /// Octets received and not yet passed to the session.
    input: BytesMut,
    /// Reason why nothing more can be sent.
    severed: Option<Failure>,
    /// Protocol and cipher; `None` in plaintext.
    pub(crate) tls: Option<String>,
    /// True if the next hop may be told who sent a message here (XFORWARD).
    pub(crate) wants_origin: bool,
    /// Number of transactions begun.
    pub(crate) transactions: u32,
    pub(crate) timeouts: Timeouts,
    /// Listener to the dialogue.
    pub(crate) transcript: Option<Transcript>,
    /// Octets of a line of which it has not heard the end.
    heard: BytesMut,
}

impl Connection {
    pub(crate) fn new(
        stream: Box<dyn Stream>,
        address: SocketAddr,
        session: Session,
        opening: &Opening,
    ) -> Self {
        Self {
            stream,
            address,
            host: opening.host.clone(),
            identity: None,
            protocol: opening.protocol,
            session,
            input: BytesMut::new(),
            severed: None,
            tls: None,
            wants_origin: false,
            transactions: 0,
            timeouts: opening.timeouts,
            transcript: None,
            heard: BytesMut::new(),
        }
    }

    /// Runs the dialogue up to the next event that is not just sending and receiving.
    pub(crate) async fn advance(&mut self) -> Event {
        loop {
            match self.next_event() {
                Event::Send(bytes) => {
                    self.record(Speaker::Relay, &bytes);
                    self.send(&bytes).await;
                }
                Event::SendSecret(line) => {
                    self.record(Speaker::Relay, line.to_string().as_bytes());
                    self.send(line.octets()).await;
                }
                Event::NeedInput => {
                    if let Err(failure) = self.receive().await {
                        self.session.fail(failure);
                    }
                }
                event => return event,
            }
        }
    }

    fn next_event(&mut self) -> Event {
        // The key derivation of SCRAM may take as long as the server likes, up to a second.
        let costly = self.session.opening() == Some(OpeningStage::Auth);
        let threads = Handle::current().runtime_flavor();
        match costly && threads == RuntimeFlavor::MultiThread {
            true => block_in_place(|| self.session.next_event()),
            false => self.session.next_event(),
        }
    }

    fn record(&self, speaker: Speaker, lines: &[u8]) {
        if let Some(transcript) = &self.transcript {
            transcript.add(speaker, lines);
        }
    }

    /// Sends, and receives meanwhile: a server that answers a long group of commands before its end
    /// must not wait until we have sent all of it (RFC 2920 section 3.1).
    async fn send(&mut self, bytes: &[u8]) {
        // A failure comes again with the next receive, which reports it.
        let _ = self.write(bytes, false).await;
    }

    /// Sends a piece of a message. A server that answers before it has the whole message does not
    /// want the rest: nothing more is sent then, and its reply is read.
    pub(crate) async fn send_piece(&mut self, bytes: &[u8]) -> Result<(), Severed> {
        self.write(bytes, true).await
    }

    async fn write(&mut self, bytes: &[u8], stop_on_input: bool) -> Result<(), Severed> {
        if self.severed.is_some() {
            return Err(Severed);
        }
        let sending = write(&mut self.stream, &mut self.input, bytes, stop_on_input);
        self.severed = match timeout(self.timeouts.send, sending).await {
            Ok(Ok(WriteEnd::All)) => return Ok(()),
            Ok(Ok(WriteEnd::Interrupted)) => return Err(Severed),
            Ok(Err(error)) => Some(self.broken(&error)),
            Err(_) => Some(Failure::TimedOut),
        };
        Err(Severed)
    }

    /// Receives octets from the server.
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
                Ok(Err(error)) => return Err(self.broken(&error)),
                Err(_) => return Err(Failure::TimedOut),
            }
        }
        let input = self.input.split();
        if self.transcript.is_some() {
            self.heard.extend_from_slice(&input);
            let whole = self.heard.iter().rposition(|&octet| octet == b'\n');
            let lines = self.heard.split_to(whole.map_or(0, |at| at + 1));
            self.record(Speaker::Server, &lines);
        }
        self.session.feed(&input);
        Ok(())
    }

    /// Makes the failure of a stream that broke. A fatal alert before the session is open is the
    /// server's objection to what this side has shown.
    fn broken(&self, error: &io::Error) -> Failure {
        match self.session.opening().is_some() && is_alert(error) {
            true => Failure::Tls(error.to_string()),
            false => Failure::Disconnected(error.to_string()),
        }
    }

    /// Sends QUIT, and waits for the answer up to the timeout.
    pub(crate) async fn quit(mut self) {
        let time = self.timeouts.quit;
        let good_bye = async {
            self.session.quit();
            while !matches!(self.advance().await, Event::Closed | Event::Failed(_)) {}
            self.stream.shutdown().await
        };
        // It does not matter whether the server received it.
        let _ = timeout(time, good_bye).await;
    }
}

/// End of a write.
enum WriteEnd {
    All,
    /// The server sent something in the meantime.
    Interrupted,
}

/// Returns true if the other side has ended TLS by a fatal alert.
pub(crate) fn is_alert(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(inner, Some(rustls::Error::AlertReceived(_)))
}

/// Writes all of `bytes`, and reads received octets into `input` meanwhile. With `stop_on_input`,
/// ends at the first octets received; and always at a fatal alert.
async fn write(
    stream: &mut Box<dyn Stream>,
    input: &mut BytesMut,
    bytes: &[u8],
    stop_on_input: bool,
) -> io::Result<WriteEnd> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut written = pin!(async move {
        writer.write_all(bytes).await?;
        writer.flush().await
    });
    let mut listening = true;
    loop {
        if stop_on_input && !input.is_empty() {
            return Ok(WriteEnd::Interrupted);
        }
        tokio::select! {
            biased;
            read = reader.read_buf(input), if listening => {
                listening = match read {
                    Err(error) if is_alert(&error) => return Err(error),
                    Ok(1..) => input.len() < READ_AHEAD,
                    Ok(0) | Err(_) => false,
                };
            }
            done = &mut written => return done.map(|()| WriteEnd::All),
        }
    }
}

/// Ends a connection with QUIT, in a task of its own.
pub(crate) fn quit_in_background(connection: Connection) {
    tokio::spawn(connection.quit());
}

/// Runs an I/O operation with a timeout.
pub(crate) async fn with_timeout<T>(
    time: Duration,
    what: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(time, what)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
