//! The thin edge between one connection and the SMTP state machine: it reads, writes, does the
//! TLS handshake and looks at the clock. What is said it leaves to
//! [`gatepost_smtp::server::Session`], what is decided to the [pipeline](crate::pipeline).
//!
//! A session that waits for its client holds no buffer: the one it reads into lives on the stack
//! for as long as a read takes, so thousands may idle.

mod stream;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use gatepost_smtp::Reply;
use gatepost_smtp::server::{Abort, Answer, Ask, Event, Secured, Session};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

use self::stream::Stream;
use crate::listener::{Patience, Place, Service};
use crate::live::Entrance;
use crate::pipeline::Dialogue;
use gatepost_config::ListenerTls;

/// How long the TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(60);

/// How long, and how many octets, a client may still send after the last reply. Closing at once
/// would make TCP reset the connection, and that could overtake the reply.
const LINGER: (Duration, usize) = (Duration::from_secs(2), 1 << 20);

/// How far the relay is with its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connections are taken.
    Serving,
    /// No new connections or transactions; those in hand may finish.
    Draining,
    /// The time for that is over.
    Over,
}

/// Why a session ended before its protocol did.
enum Cut {
    /// The client closed the connection.
    Gone,
    /// The client took nothing for too long.
    Stalled,
    /// The connection failed.
    Failed(io::Error),
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Serves one client until the connection ends.
pub(crate) async fn run(
    stream: TcpStream,
    client: SocketAddr,
    place: Place,
    service: &Service,
    entrance: Entrance,
    phase: watch::Receiver<Phase>,
) {
    // Replies are written whole: waiting for more to send (Nagle) would only delay them.
    let _ = stream.set_nodelay(true);
    let mut stream = Stream::Plain(stream);
    let mut tls = None;
    if service.listener.tls == ListenerTls::Implicit {
        let patience = place.patience();
        match handshake(stream, service.tls.as_ref(), &phase, patience).await {
            Ok((secured, description)) => (stream, tls) = (secured, Some(description)),
            Err(error) => {
                tracing::debug!(%error, "the TLS handshake failed");
                return;
            }
        }
    }
    let mut session = Session::new(service.settings.clone(), tls);
    session.trust(service.listener.trust(client.ip()));
    let mut edge = Edge {
        session,
        client,
        place,
        dialogue: Dialogue::new(service.pipeline.clone(), entrance.clone(), client),
        stream,
        ends: Instant::now() + service.settings.limits.total,
        phase,
        service,
        entrance,
    };
    tracing::debug!("connected");
    let cut = match edge.drive().await {
        Ok(()) => {
            tracing::debug!("closed");
            None
        }
        Err(cut) => {
            let reason = match cut {
                Cut::Gone => "the client closed the connection".to_owned(),
                Cut::Stalled => "the client took no replies".to_owned(),
                Cut::Failed(error) => format!("the connection failed: {error}"),
            };
            tracing::debug!(reason, "cut off");
            edge.dialogue.abort(&reason);
            Some(reason)
        }
    };
    edge.dialogue.end(&edge.session, cut.as_deref());
}

/// Ends when the relay stops serving. What has no transaction in hand then need not be waited for.
pub async fn stopping(mut phase: watch::Receiver<Phase>) {
    // An error means that the relay is gone, which is a stop as well.
    let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
}

/// Ends when the time for what was in hand is over: nobody is waited for any more.
async fn over(mut phase: watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| *phase == Phase::Over).await;
}

/// Does the handshake as server.
async fn handshake(
    stream: Stream,
    tls: Option<&TlsAcceptor>,
    phase: &watch::Receiver<Phase>,
    mut patience: Patience,
) -> io::Result<(Stream, Secured)> {
    let (Stream::Plain(stream), Some(acceptor)) = (stream, tls) else {
        return Err(io::Error::other(
            "TLS is on already, or there is no certificate",
        ));
    };
    let begun = Instant::now();
    let secured = tokio::select! {
        secured = acceptor.accept(stream) => secured?,
        () = patience.runs_out(begun, HANDSHAKE, false, begun + HANDSHAKE) => {
            return Err(io::ErrorKind::TimedOut.into());
        }
        () = stopping(phase.clone()) => return Err(io::Error::other("the relay is stopping")),
    };
    let description = crate::tls::secured(secured.get_ref().1);
    Ok((Stream::Tls(Box::new(secured)), description))
}

/// A session and its connection.
struct Edge<'a> {
    session: Session,
    client: SocketAddr,
    place: Place,
    dialogue: Dialogue,
    stream: Stream,
    /// When the session has lasted long enough.
    ends: Instant,
    phase: watch::Receiver<Phase>,
    service: &'a Service,
    entrance: Entrance,
}

impl Edge<'_> {
    async fn drive(&mut self) -> Result<(), Cut> {
        loop {
            if self.dialogue.is_revoked(&self.session) {
                self.session.revoke();
            }
            match self.session.next_event() {
                Event::NeedInput => self.read().await?,
                Event::Send(replies) => self.send(&replies).await?,
                Event::StartTls => self.start_tls().await?,
                Event::Ask(ask) => {
                    let answer = match self.without_place(&ask) {
                        Some(answer) => answer,
                        None => Box::pin(self.dialogue.answer(ask, &self.session)).await,
                    };
                    self.session.answer(answer);
                    if let Some(id) = self.dialogue.in_hand() {
                        self.session.label(id.to_string());
                    }
                }
                Event::DataStarted => self.dialogue.data_started(),
                Event::Data(octets) => self.dialogue.data(&octets).await,
                Event::Aborted(Abort::GivenUp) => self.dialogue.abort("the client gave it up"),
                Event::Aborted(Abort::Refused { reply, size }) => {
                    self.dialogue.refuse(reply, size);
                }
                Event::Close => return self.close().await,
            }
        }
    }

    /// No place for the client that this one speaks for, if there is none: its address counts from
    /// now on.
    fn without_place(&mut self, ask: &Ask) -> Option<Answer> {
        let Ask::Proxied(said) = ask else {
            return None;
        };
        let limit = self.service.pipeline.config.limits.connections_per_address;
        let client = said.client(self.client).ip();
        if self.place.claim(client, limit) {
            return None;
        }
        tracing::warn!(%client, "too many connections from one address");
        Some(Answer::Close(Reply::new(
            421,
            "4.7.0",
            "Too many connections, try again later",
        )))
    }

    /// Waits for the client, its time running out, or the relay stopping.
    async fn read(&mut self) -> Result<(), Cut> {
        let (since, idle) = (Instant::now(), self.idle());
        let in_hand = self.session.in_transaction();
        let mut patience = self.place.patience();
        tokio::select! {
            read = self.stream.read(|octets| self.session.feed(octets)) => match read? {
                0 => Err(Cut::Gone),
                _ => Ok(()),
            },
            () = patience.runs_out(since, idle, in_hand, self.ends) => {
                self.session.time_out();
                Ok(())
            }
            changed = self.phase.changed() => {
                let over = changed.is_err() || *self.phase.borrow() == Phase::Over;
                if over {
                    self.session.time_out();
                } else {
                    self.session.shut_down();
                }
                Ok(())
            }
        }
    }

    async fn send(&mut self, replies: &[u8]) -> Result<(), Cut> {
        count_replies(replies);
        let (since, idle) = (Instant::now(), self.idle());
        let in_hand = self.session.in_transaction();
        let mut patience = self.place.patience();
        tokio::select! {
            written = self.stream.write(replies) => written.map_err(Cut::Failed),
            () = patience.runs_out(since, idle, in_hand, since + idle) => Err(Cut::Stalled),
            () = over(self.phase.clone()) => Err(Cut::Stalled),
        }
    }

    async fn close(&mut self) -> Result<(), Cut> {
        let (time, octets) = LINGER;
        let lingering = async {
            self.stream.shut_down().await?;
            let mut left = octets;
            while left > 0 {
                match self.stream.read(|_| ()).await? {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
            Ok(())
        };
        // The protocol is over: how the client takes it is its own affair.
        let _: Result<io::Result<()>, _> = timeout(time, lingering).await;
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), Cut> {
        let plain = std::mem::replace(&mut self.stream, Stream::Closed);
        // A certificate may have been replaced since the session began; speaking TLS at all was
        // settled then.
        let now = self.entrance.service();
        let tls = now.as_ref().and_then(|now| now.tls.as_ref());
        let tls = tls.or(self.service.tls.as_ref());
        let (secured, description) =
            handshake(plain, tls, &self.phase, self.place.patience()).await?;
        self.stream = secured;
        self.session.tls_started(description);
        Ok(())
    }

    fn idle(&self) -> Duration {
        self.service.settings.limits.idle
    }
}

/// Counts replies by code: the last line of a reply has a space after its code (RFC 5321 section
/// 4.2.1).
pub(crate) fn count_replies(sent: &[u8]) {
    for line in sent.split_inclusive(|octet| *octet == b'\n') {
        if let Some((code, [b' ', ..])) = line.split_at_checked(3)
            && let Ok(code) = str::from_utf8(code)
        {
            metrics::counter!("gatepost_replies_total", "code" => code.to_owned()).increment(1);
        }
    }
}
