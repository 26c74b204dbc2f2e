//! From a next hop to a connection that is ready for mail.

use std::io;
use std::net::{IpAddr, SocketAddr};

use gatepost_message::domain_to_ascii;
use gatepost_model::{NextHop, Protocol, TlsMode};
use gatepost_smtp::Reply;
use gatepost_smtp::client::{self, Event, Failure, Session};
use ipnet::IpNet;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;

use crate::connection::{Connection, Stream, within};
use crate::settings::{Settings, Timeouts};
use crate::tls::Tls;

/// How many of a host's addresses are tried in one attempt: RFC 5321 section 5.1 wants at least
/// two, and a limit.
const ADDRESSES: usize = 5;

/// Opens connections.
pub(crate) struct Connector {
    hostname: String,
    tls: Tls,
    timeouts: Timeouts,
    xforward_to: Vec<IpNet>,
}

/// Why no connection came about.
#[derive(Debug, Clone)]
pub(crate) struct Unreachable {
    /// In the words of a reply; the relay's own unless `said`.
    pub(crate) reply: Reply,
    /// Whether a server answered at all.
    pub(crate) connected: bool,
    /// Whether the reply is the server's.
    pub(crate) said: bool,
}

impl Unreachable {
    /// How much this says of the next hop, where several of its addresses gave no connection: a
    /// server that is there and has too many connections tells more than an address where nobody
    /// answers.
    fn telling(&self) -> u8 {
        match self {
            Self {
                said: true, reply, ..
            } if reply.code() == 421 => 3,
            Self { said: true, .. } => 2,
            Self {
                connected: true, ..
            } => 1,
            Self { .. } => 0,
        }
    }
}

impl From<Failure> for Unreachable {
    fn from(failure: Failure) -> Self {
        let reply = failure.reply();
        let (reply, said) = match failure {
            // The message may wait for the server to be mended, even if that refuses for good.
            Failure::Refused { to: "STARTTLS", .. } => {
                let text = format!("next hop refuses STARTTLS, which the route requires: {reply}");
                (Reply::new(450, "4.7.4", text), false)
            }
            // A refused session says nothing of any message: it waits, and other addresses are
            // tried. RFC 3463: X.3.2, system not accepting network messages.
            Failure::Refused { to, .. } if reply.is_permanent() => {
                let text = format!("next hop refuses the session in reply to {to}: {reply}");
                (Reply::new(451, "4.3.2", text), false)
            }
            Failure::Refused { .. } => (reply, true),
            _ => (reply, false),
        };
        Self {
            reply,
            connected: true,
            said,
        }
    }
}

impl Connector {
    pub(crate) fn new(settings: &Settings, tls: Tls) -> Self {
        Self {
            hostname: settings.hostname.clone(),
            tls,
            timeouts: settings.timeouts,
            xforward_to: settings.xforward_to.clone(),
        }
    }

    /// A connection that is ready for a transaction, from the first of the host's addresses that
    /// gives one.
    pub(crate) async fn connect(&self, hop: &NextHop) -> Result<Connection, Unreachable> {
        let mut why: Option<Unreachable> = None;
        for address in self.look_up(hop).await?.into_iter().take(ADDRESSES) {
            match self.connect_to(address, hop).await {
                Ok(connection) => return Ok(connection),
                Err(unreachable) => {
                    let before = why.take();
                    why = Some(match before {
                        Some(before) if before.telling() > unreachable.telling() => before,
                        _ => unreachable,
                    });
                }
            }
        }
        // RFC 3463: X.4.4, unable to route.
        Err(why.unwrap_or_else(|| not_connected("4.4.4", &format!("{} has no address", hop.host))))
    }

    async fn look_up(&self, hop: &NextHop) -> Result<Vec<SocketAddr>, Unreachable> {
        if let Ok(address) = hop.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, hop.port)]);
        }
        // RFC 3463: X.4.4, unable to route; X.4.3, directory server failure.
        let Some(host) = domain_to_ascii(&hop.host) else {
            let text = format!("{} is no domain name", hop.host);
            return Err(not_connected("4.4.4", &text));
        };
        within(self.timeouts.lookup, lookup_host((host.as_str(), hop.port)))
            .await
            .map(Iterator::collect)
            .map_err(|error| {
                not_connected("4.4.3", &format!("cannot look up {}: {error}", hop.host))
            })
    }

    /// As the route wants it; where TLS was only an offer and went wrong, once more without.
    async fn connect_to(
        &self,
        address: SocketAddr,
        hop: &NextHop,
    ) -> Result<Connection, Unreachable> {
        let tls = match hop.tls {
            TlsMode::None => client::Tls::None,
            TlsMode::Opportunistic => client::Tls::Opportunistic,
            TlsMode::Required => client::Tls::Required,
        };
        match self.open(address, hop, tls).await? {
            Err(failure) if tls == client::Tls::Opportunistic && concerns_tls(&failure) => {
                tracing::info!(%address, %failure, "going on without TLS");
                Ok(self.open(address, hop, client::Tls::None).await??)
            }
            opened => Ok(opened?),
        }
    }

    /// Connects, and shakes hands up to the point where a transaction may begin.
    async fn open(
        &self,
        address: SocketAddr,
        hop: &NextHop,
        tls: client::Tls,
    ) -> Result<Result<Connection, Failure>, Unreachable> {
        // RFC 3463: X.4.1, no answer from host.
        let stream = within(self.timeouts.connect, TcpStream::connect(address))
            .await
            .map_err(|error| {
                not_connected("4.4.1", &format!("cannot connect to {address}: {error}"))
            })?;
        // Without it each small piece waits for the acknowledgement of the one before; that it
        // cannot be set costs only time.
        let _ = stream.set_nodelay(true);
        let settings = client::Settings {
            protocol: match hop.protocol {
                Protocol::Smtp => client::Protocol::Smtp,
                Protocol::Lmtp => client::Protocol::Lmtp,
            },
            ehlo_name: self.hostname.clone(),
            tls,
        };
        let session = Session::new(settings, false);
        let mut connection = Connection::new(Box::new(stream), session, self.timeouts);
        connection.wants_origin = self
            .xforward_to
            .iter()
            .any(|network| network.contains(&address.ip().to_canonical()));
        loop {
            match connection.advance().await {
                Event::Ready => return Ok(Ok(connection)),
                Event::StartTls => match self.handshake(connection.stream, hop).await {
                    Ok(stream) => {
                        connection.tls = Some(describe(&stream));
                        connection.stream = Box::new(stream);
                        connection.session.tls_started();
                    }
                    Err(error) => return Ok(Err(Failure::Tls(error.to_string()))),
                },
                Event::Failed(failure) => {
                    return Ok(Err(match connection.tls {
                        Some(_) => ended_with_tls(failure),
                        None => failure,
                    }));
                }
                // Nothing else happens before a transaction or a good-bye.
                _ => {
                    return Ok(Err(Failure::Disconnected(
                        "closed before it was ready".to_owned(),
                    )));
                }
            }
        }
    }

    async fn handshake(
        &self,
        stream: Box<dyn Stream>,
        hop: &NextHop,
    ) -> io::Result<TlsStream<Box<dyn Stream>>> {
        let host = domain_to_ascii(&hop.host).unwrap_or_default();
        let (connector, name) = match (hop.tls, ServerName::try_from(host)) {
            (TlsMode::Required, name) => (&self.tls.verified, name.map_err(io::Error::other)?),
            // Any certificate will do, so any name does that can be sent.
            (_, name) => (
                &self.tls.opportunistic,
                name.unwrap_or(ServerName::IpAddress(IpAddr::from([0, 0, 0, 0]).into())),
            ),
        };
        within(self.timeouts.handshake, connector.connect(name, stream)).await
    }
}

/// A failure between the end of our side of the handshake and the first transaction.
///
/// In TLS 1.3 the client is done before the server has seen its certificate, or that it has none
/// (RFC 8446 section 4.4.2.4): what the server thinks of it comes as an alert, or as the end of the
/// connection, where the reply to EHLO should stand.
fn ended_with_tls(failure: Failure) -> Failure {
    match failure {
        Failure::Disconnected(why) => Failure::Tls(format!("the server ended the session: {why}")),
        Failure::TimedOut => Failure::Tls("the server is silent since".to_owned()),
        failure => failure,
    }
}

/// Whether a connection failed over TLS alone, so that one without might do better.
fn concerns_tls(failure: &Failure) -> bool {
    match failure {
        Failure::Tls(_) => true,
        Failure::Refused { to, .. } => *to == "STARTTLS",
        _ => false,
    }
}

/// Nobody answered; the relay says so in the server's stead.
fn not_connected(enhanced: &'static str, text: &str) -> Unreachable {
    Unreachable {
        reply: Reply::new(451, enhanced, text),
        connected: false,
        said: false,
    }
}

/// `TLSv1.3 TLS13_AES_256_GCM_SHA384`, as in the facts of a session.
fn describe(stream: &TlsStream<Box<dyn Stream>>) -> String {
    let (_, session) = stream.get_ref();
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLS",
    };
    match session.negotiated_cipher_suite() {
        Some(suite) => format!("{version} {:?}", suite.suite()),
        None => version.to_owned(),
    }
}
