//! Accepts connections, counts them, finds out the client's address, and hands each to a
//! [`session`].
//!
//! 1. A connection takes a [`ConnectionPermit`]: one of its listener's own, or of those that all
//!    listeners share ([`Shares`]). If there is none, it gets 421 and is closed. So a flood costs a
//!    few system calls a connection, connected clients are served, and the other listeners take
//!    connections as before. While few permits are left, silent clients are disconnected sooner
//!    ([`Pressure`]).
//! 2. From the networks in `proxy-from`, the first bytes must be a PROXY protocol v2 header with
//!    the client's address. From all others such a header is what it looks like to SMTP: bad
//!    commands.
//! 3. The client's address is counted too: a few clients cannot take every permit.
//! 4. Under implicit TLS (RFC 8314) the handshake comes next; then the session begins.

mod bind;
mod permits;
mod pressure;
mod shares;

use std::future::Future;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use gatepost_certificates::ServerTls;
use gatepost_smtp::proxy::{self, Parsed};
use gatepost_smtp::{Reply, server};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::Instrument as _;

pub use self::bind::{bind, bind_advice};
pub use self::permits::{ConnectionPermit, ConnectionPermits};
pub use self::pressure::{IdleTimer, Pressure};
pub use self::shares::Shares;
use crate::active_config::ConfigHandle;
use crate::pipeline::Pipeline;
use crate::session::{self, Phase};
use gatepost_config::{self as config, Direction, ListenerTls};

/// Time for a load balancer to send its PROXY header. It sends it with the first segment.
const PROXY_HEADER: Duration = Duration::from_secs(10);

/// Pause when the system has no more connections to give, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that takes connections. Each connection uses the [configuration](ConfigHandle) that is
/// active when it is accepted.
pub struct Listener {
    socket: TcpListener,
    config_handle: ConfigHandle,
    permits: Arc<ConnectionPermits>,
}

/// Settings shared by the sessions that begin at one listener under one configuration.
pub struct Service {
    /// Configuration of the listener.
    pub listener: config::Listener,
    /// Settings of the SMTP session.
    pub settings: Arc<server::Settings>,
    /// Its TLS, if the listener speaks TLS.
    pub tls: Option<ServerTls>,
    /// Pipeline of transactions that begin now.
    pub pipeline: Arc<Pipeline>,
}

impl Listener {
    /// Returns a listener on a bound socket.
    pub fn new(
        socket: TcpListener,
        config_handle: ConfigHandle,
        permits: Arc<ConnectionPermits>,
    ) -> Self {
        Self {
            socket,
            config_handle,
            permits,
        }
    }

    /// Takes connections until `stop` is ready or the phase is no longer [`Phase::Serving`].
    /// Sessions live on: each holds a clone of `phase`, so whoever owns the sender sees when the
    /// last has ended.
    pub async fn run(self, phase: watch::Receiver<Phase>, stop: impl Future) {
        let draining = phase.clone();
        let stop = async {
            tokio::select! {
                _ = stop => {}
                () = session::stopping(phase) => {}
            }
        };
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.welcome(stream, peer, &draining),
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // Clients that have already connected must not get a reset.
        while let Ok(Ok((stream, peer))) = timeout(Duration::ZERO, self.socket.accept()).await {
            self.welcome(stream, peer, &draining);
        }
    }

    fn welcome(&self, stream: TcpStream, peer: SocketAddr, phase: &watch::Receiver<Phase>) {
        let Some(service) = self.config_handle.service() else {
            return;
        };
        let listener = &service.listener.name;
        metrics::counter!("gatepost_connections_total", "listener" => listener.clone())
            .increment(1);
        let Some(permit) = self.permits.acquire(&self.config_handle.listener) else {
            service.turn_away(stream, peer, "connections on this listener");
            return;
        };
        let client = tracing::field::Empty;
        let span = tracing::error_span!("session", listener, client);
        let (config_handle, phase) = (self.config_handle.clone(), phase.clone());
        tokio::spawn(
            async move {
                service
                    .serve(stream, peer, permit, config_handle, phase)
                    .await
            }
            .instrument(span),
        );
    }
}

impl Service {
    /// Serves an accepted connection to its end.
    async fn serve(
        self: Arc<Self>,
        mut stream: TcpStream,
        peer: SocketAddr,
        mut permit: ConnectionPermit,
        config_handle: ConfigHandle,
        phase: watch::Receiver<Phase>,
    ) {
        let mut client = peer;
        let mut idle_timer = permit.idle_timer();
        let begun = tokio::time::Instant::now();
        let latest = begun + PROXY_HEADER;
        if self.listener.expects_proxy_header(peer.ip()) {
            let header = tokio::select! {
                header = proxy_header(&mut stream) => Ok(header),
                () = idle_timer.expired(begun, PROXY_HEADER, false, latest) => Err(()),
                () = session::stopping(phase.clone()) => return,
            };
            match header {
                Ok(Ok(source)) => client = source.unwrap_or(peer),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "no PROXY header from a network that must send one");
                    return;
                }
                Err(()) => {
                    tracing::warn!("no PROXY header in time from a network that must send one");
                    return;
                }
            }
        }
        tracing::Span::current().record("client", tracing::field::display(client));
        let limits = &self.pipeline.config.limits;
        if !permit.claim_address(client.ip(), limits.connections_per_address) {
            self.turn_away(stream, client, "connections from one address");
            return;
        }
        let Some(settings) = self.settings_now() else {
            tracing::warn!("no session: it needs TLS, and no certificate has been issued yet");
            let reply = Reply::new(421, "4.3.2", "TLS is not ready yet, try again later");
            close_with(stream, &reply);
            return;
        };
        session::run(
            stream,
            client,
            permit,
            &self,
            settings,
            config_handle,
            phase,
        )
        .await;
    }

    /// Returns the settings of a session that begins now. While the certificate is still to be issued,
    /// servers are offered no STARTTLS, and whoever cannot do without it gets `None`.
    fn settings_now(&self) -> Option<Arc<server::Settings>> {
        let is_ready = self.tls.as_ref().is_none_or(ServerTls::is_ready);
        match (self.listener.tls, self.listener.direction) {
            // Its handshake fails without one, or validates a name.
            (ListenerTls::Implicit | ListenerTls::None, _) => Some(Arc::clone(&self.settings)),
            _ if is_ready => Some(Arc::clone(&self.settings)),
            (ListenerTls::Starttls, Direction::Inbound) => Some(Arc::new(server::Settings {
                start_tls: server::StartTls::None,
                ..server::Settings::clone(&self.settings)
            })),
            (ListenerTls::Starttls | ListenerTls::RequiredStarttls, _) => None,
        }
    }

    /// Closes a connection that gets no permit, with a 421 where the client speaks plaintext.
    fn turn_away(&self, stream: TcpStream, client: SocketAddr, limit: &'static str) {
        tracing::warn!(listener = self.listener.name, %client, limit, "too many connections");
        metrics::counter!("gatepost_connections_refused_total", "listener" => self.listener.name.clone())
            .increment(1);
        if self.listener.tls == ListenerTls::Implicit {
            return;
        }
        let reply = Reply::new(421, "4.7.0", "Too many connections, try again later");
        close_with(stream, &reply);
    }
}

/// Closes a new connection in plaintext with a reply.
fn close_with(stream: TcpStream, reply: &Reply) {
    let mut out = BytesMut::new();
    reply.write_to(&mut out);
    // A new connection has room for one line; if not, it is not worth waiting.
    if let Ok(mut stream) = stream.into_std() {
        session::count_replies(&out);
        let _ = stream.write(&out);
    }
}

/// Reads exactly the PROXY header, so that TLS or SMTP gets what follows.
async fn proxy_header(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    /// Bytes before the addresses; the last two are the length of the rest.
    const FIXED: usize = 16;
    let mut header = BytesMut::with_capacity(64);
    loop {
        let length = match header.get(FIXED - 2..FIXED) {
            Some(rest) => FIXED + usize::from(u16::from_be_bytes([rest[0], rest[1]])),
            None => FIXED,
        };
        let missing = length - header.len();
        if stream.read_buf(&mut (&mut header).limit(missing)).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match proxy::parse(&header) {
            Parsed::NeedMore => {}
            Parsed::Header { source, .. } => return Ok(source),
            Parsed::Invalid => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
