//! Where clients come in: accepts connections, counts them, learns who the client is, and hands
//! each to a [`session`].
//!
//! 1. A connection takes a [`Place`]: one of its listener's own, or of those that all share
//!    ([`Shares`]). Where there is none it is told 421 and closed. So a flood costs a few system
//!    calls a connection, those already in are served, and the other listeners take connections as
//!    before. While few places are left, who is silent is closed sooner ([`Pressure`]).
//! 2. From the networks that `proxy-from` names, the first octets must be a PROXY protocol v2
//!    header, which tells the client's address. From all others such a header is what it looks
//!    like to SMTP: bad commands.
//! 3. The client's address counts too: a few clients cannot take every place.
//! 4. Under implicit TLS (RFC 8314) the handshake comes next; then the session begins.

mod bind;
mod place;
mod pressure;
mod shares;

use std::future::Future;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use gatepost_smtp::proxy::{self, Parsed};
use gatepost_smtp::{Reply, server};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::Instrument as _;

pub use self::bind::bind;
pub use self::place::{Place, Places};
pub use self::pressure::{Patience, Pressure};
pub use self::shares::Shares;
use crate::live::Entrance;
use crate::pipeline::Pipeline;
use crate::session::{self, Phase};
use gatepost_config::{self as config, ListenerTls};

/// How long a load balancer has for its PROXY header. It sends it with the first segment.
const PROXY_HEADER: Duration = Duration::from_secs(10);

/// How long to wait when the system has no more connections to give, such as for want of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that takes connections. What is done with one says what is [in use](Entrance) at that
/// moment.
pub struct Listener {
    socket: TcpListener,
    entrance: Entrance,
    places: Arc<Places>,
}

/// Settings that sessions share which begin at one listener under one configuration.
pub struct Service {
    /// Configuration of the listener.
    pub listener: config::Listener,
    /// Settings of the SMTP session.
    pub settings: Arc<server::Settings>,
    /// Acceptor, if the listener speaks TLS.
    pub tls: Option<TlsAcceptor>,
    /// Pipeline of transactions that begin now.
    pub pipeline: Arc<Pipeline>,
}

impl Listener {
    /// Takes connections on a socket that is bound.
    pub fn new(socket: TcpListener, entrance: Entrance, places: Arc<Places>) -> Self {
        Self {
            socket,
            entrance,
            places,
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
        // Who has connected already must not meet a reset.
        while let Ok(Ok((stream, peer))) = timeout(Duration::ZERO, self.socket.accept()).await {
            self.welcome(stream, peer, &draining);
        }
    }

    fn welcome(&self, stream: TcpStream, peer: SocketAddr, phase: &watch::Receiver<Phase>) {
        let Some(service) = self.entrance.service() else {
            return;
        };
        let listener = &service.listener.name;
        metrics::counter!("gatepost_connections_total", "listener" => listener.clone())
            .increment(1);
        let Some(place) = self.places.take(&self.entrance.door) else {
            service.turn_away(stream, peer, "connections on this listener");
            return;
        };
        let client = tracing::field::Empty;
        let span = tracing::error_span!("session", listener, client);
        let (entrance, phase) = (self.entrance.clone(), phase.clone());
        tokio::spawn(
            async move { service.serve(stream, peer, place, entrance, phase).await }
                .instrument(span),
        );
    }
}

impl Service {
    /// From the accepted connection to its end.
    async fn serve(
        self: Arc<Self>,
        mut stream: TcpStream,
        peer: SocketAddr,
        mut place: Place,
        entrance: Entrance,
        phase: watch::Receiver<Phase>,
    ) {
        let mut client = peer;
        let mut patience = place.patience();
        let begun = tokio::time::Instant::now();
        let latest = begun + PROXY_HEADER;
        if self.listener.expects_proxy_header(peer.ip()) {
            let header = tokio::select! {
                header = proxy_header(&mut stream) => Ok(header),
                () = patience.runs_out(begun, PROXY_HEADER, false, latest) => Err(()),
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
        if !place.claim(client.ip(), limits.connections_per_address) {
            self.turn_away(stream, client, "connections from one address");
            return;
        }
        session::run(stream, client, place, &self, entrance, phase).await;
    }

    /// Closes a connection that has no place, saying so where the client speaks plaintext.
    fn turn_away(&self, stream: TcpStream, client: SocketAddr, limit: &'static str) {
        tracing::warn!(listener = self.listener.name, %client, limit, "too many connections");
        metrics::counter!("gatepost_connections_refused_total", "listener" => self.listener.name.clone())
            .increment(1);
        if self.listener.tls == ListenerTls::Implicit {
            return;
        }
        let mut out = BytesMut::new();
        Reply::new(421, "4.7.0", "Too many connections, try again later").write_to(&mut out);
        // A new connection has room for one line; it is not worth waiting if it has not.
        if let Ok(mut stream) = stream.into_std() {
            session::count_replies(&out);
            let _ = stream.write(&out);
        }
    }
}

/// Reads exactly the PROXY header, so that what follows it is left to TLS or SMTP.
async fn proxy_header(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    /// Octets before the addresses, the last two of which are the length of the rest.
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
