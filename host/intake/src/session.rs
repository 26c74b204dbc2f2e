//! Connects one TCP connection with the SMTP state machine: it reads, writes, does the TLS
//! handshake and watches the clock. The protocol is that of [`gatepost_smtp::server::Session`], the
//! decisions are those of the [pipeline](crate::pipeline).
//!
//! A session that waits for its client holds no buffer: the one it reads into lives on the stack
//! for as long as a read takes, so thousands may idle.

mod drive;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_certificates::ServerTls;
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Answer, Ask, Secured, Session, Settings};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

pub(crate) use self::drive::{Disconnect, Link, drive};
use self::stream::ClientStream;
use crate::active_config::ConfigHandle;
use crate::listener::{ConnectionPermit, IdleTimer, Service};
use crate::pipeline::TransactionDriver;
use gatepost_config::ListenerTls;

/// Longest time for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(60);

/// Time and bytes that a client may still send after the last reply. Closing at once would make TCP
/// reset the connection, and the reset could overtake the reply.
const LINGER: (Duration, usize) = (Duration::from_secs(2), 1 << 20);

/// Phase of the relay's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connections are accepted.
    Serving,
    /// No new connections or transactions; those in progress may finish.
    Draining,
    /// The time for that is over.
    Over,
}

/// Serves one client until the connection ends.
pub(crate) async fn run(
    stream: TcpStream,
    client: SocketAddr,
    permit: ConnectionPermit,
    service: &Service,
    settings: Arc<Settings>,
    config_handle: ConfigHandle,
    phase: watch::Receiver<Phase>,
) {
    // Replies are written whole: waiting for more to send (Nagle) would only delay them.
    let _ = stream.set_nodelay(true);
    let mut stream = ClientStream::Plain(stream);
    let mut tls = None;
    if service.listener.tls == ListenerTls::Implicit {
        let idle_timer = permit.idle_timer();
        match handshake(stream, service.tls.as_ref(), &phase, idle_timer).await {
            Ok((secured, description)) => (stream, tls) = (secured, Some(description)),
            Err(error) => {
                tracing::debug!(%error, "the TLS handshake failed");
                return;
            }
        }
    }
    let mut session = Session::new(settings, tls);
    session.trust(service.listener.trust(client.ip()));
    let driver = TransactionDriver::new(service.pipeline.clone(), config_handle.clone(), client);
    let connection = ClientConnection {
        client,
        permit,
        stream,
        ends: Instant::now() + service.settings.limits.total,
        phase,
        service,
        config_handle,
    };
    tracing::debug!("connected");
    drive(session, driver, connection).await;
}

/// Waits until the relay stops serving. Sessions without a transaction need not be waited for then.
pub async fn stopping(mut phase: watch::Receiver<Phase>) {
    // An error means that the relay is gone, which is a stop as well.
    let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
}

/// Waits until the time for draining is over: then no session is waited for.
async fn drained(mut phase: watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| *phase == Phase::Over).await;
}

/// Does the handshake as server.
async fn handshake(
    stream: ClientStream,
    tls: Option<&ServerTls>,
    phase: &watch::Receiver<Phase>,
    mut idle_timer: IdleTimer,
) -> io::Result<(ClientStream, Secured)> {
    let (ClientStream::Plain(stream), Some(acceptor)) = (stream, tls) else {
        return Err(io::Error::other(
            "TLS is on already, or there is no certificate",
        ));
    };
    let begun = Instant::now();
    let secured = tokio::select! {
        secured = acceptor.accept(stream) => secured?.ok_or_else(|| {
            io::Error::other("it has validated a name for a certificate authority")
        })?,
        () = idle_timer.expired(begun, HANDSHAKE, false, begun + HANDSHAKE) => {
            return Err(io::ErrorKind::TimedOut.into());
        }
        () = stopping(phase.clone()) => return Err(io::Error::other("the relay is stopping")),
    };
    let description = crate::tls::secured(secured.get_ref().1);
    Ok((ClientStream::Tls(Box::new(secured)), description))
}

/// Connection of a client.
struct ClientConnection<'a> {
    client: SocketAddr,
    permit: ConnectionPermit,
    stream: ClientStream,
    /// Latest end of the session.
    ends: Instant,
    phase: watch::Receiver<Phase>,
    service: &'a Service,
    config_handle: ConfigHandle,
}

impl Link for ClientConnection<'_> {
    /// Counts the address of the client that this one speaks for, and answers with 421 if it has
    /// too many connections.
    fn refuse(&mut self, ask: &Ask) -> Option<Answer> {
        let Ask::Proxied(attributes) = ask else {
            return None;
        };
        let limit = self.service.pipeline.config.limits.connections_per_address;
        let client = attributes.client(self.client).ip();
        if self.permit.claim_address(client, limit) {
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
    async fn read(&mut self, session: &mut Session) -> Result<(), Disconnect> {
        let (since, idle) = (Instant::now(), self.idle());
        let in_hand = session.in_transaction();
        let mut idle_timer = self.permit.idle_timer();
        tokio::select! {
            read = self.stream.read(|octets| session.feed(octets)) => match read? {
                0 => Err(Disconnect::Gone),
                _ => Ok(()),
            },
            () = idle_timer.expired(since, idle, in_hand, self.ends) => {
                session.time_out();
                Ok(())
            }
            changed = self.phase.changed() => {
                let over = changed.is_err() || *self.phase.borrow() == Phase::Over;
                if over {
                    session.time_out();
                } else {
                    session.shut_down();
                }
                Ok(())
            }
        }
    }

    async fn send(&mut self, replies: &[u8], session: &Session) -> Result<(), Disconnect> {
        count_replies(replies);
        let (since, idle) = (Instant::now(), self.idle());
        let in_hand = session.in_transaction();
        let mut idle_timer = self.permit.idle_timer();
        tokio::select! {
            written = self.stream.write(replies) => written.map_err(Disconnect::Failed),
            () = idle_timer.expired(since, idle, in_hand, since + idle) => Err(Disconnect::Stalled),
            () = drained(self.phase.clone()) => Err(Disconnect::Stalled),
        }
    }

    async fn close(&mut self) {
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
        // The protocol is over: the client's errors no longer matter.
        let _: Result<io::Result<()>, _> = timeout(time, lingering).await;
    }

    async fn start_tls(&mut self, session: &mut Session) -> Result<(), Disconnect> {
        let plain = std::mem::replace(&mut self.stream, ClientStream::Closed);
        // The certificate may have been replaced since the session began; whether TLS is offered
        // was settled then.
        let now = self.config_handle.service();
        let tls = now.as_ref().and_then(|now| now.tls.as_ref());
        let tls = tls.or(self.service.tls.as_ref());
        let (secured, description) =
            handshake(plain, tls, &self.phase, self.permit.idle_timer()).await?;
        self.stream = secured;
        session.tls_started(description);
        Ok(())
    }
}

impl ClientConnection<'_> {
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
