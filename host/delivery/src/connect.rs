//! Connecting to a next hop, up to the point where a transaction may begin.

use std::io;
use std::net::{IpAddr, SocketAddr};

use gatepost_message::domain_to_ascii;
use gatepost_model::{NextHop, Protocol, TlsMode};
use gatepost_sasl::client::Channel;
use gatepost_smtp::Reply;
use gatepost_smtp::client::{self, EhloName, Event, Failure, OpeningStage, Session};
use ipnet::IpNet;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;

use crate::connection::{Connection, Stream, with_timeout};
use crate::settings::{Settings, Timeouts};
use crate::tls::{StartError, Tls};

/// Most addresses of a host that are tried in one attempt: RFC 5321 section 5.1 wants at least two,
/// and a limit.
const ADDRESSES: usize = 5;

/// Opens connections to next hops.
pub(crate) struct Connector {
    hostname: EhloName,
    tls: Tls,
    timeouts: Timeouts,
    xforward_to: Vec<IpNet>,
}

/// Failure to connect to a next hop.
#[derive(Debug, Clone)]
pub(crate) struct Unreachable {
    /// Reply that describes the failure; the relay's own unless `from_server`.
    pub(crate) reply: Reply,
    /// True if a server answered at all.
    pub(crate) connected: bool,
    /// True if the reply is the server's.
    pub(crate) from_server: bool,
}

impl Unreachable {
    /// Returns how much the failure says about the next hop, to choose one where several addresses
    /// failed: a server that has too many connections tells more than an address where nobody
    /// answers.
    fn rank(&self) -> u8 {
        match self {
            Self {
                from_server: true,
                reply,
                ..
            } if reply.code() == 421 => 3,
            Self {
                from_server: true, ..
            } => 2,
            Self {
                connected: true, ..
            } => 1,
            Self { .. } => 0,
        }
    }
}

impl From<Failure> for Unreachable {
    fn from(failure: Failure) -> Self {
        // A refused session concerns no particular message: the message waits, and other addresses
        // are tried. Only a transient reply is handed on in the server's own words.
        let from_server = matches!(
            &failure,
            Failure::SessionRefused { stage, reply, .. }
                if reply.is_transient() && *stage != OpeningStage::StartTls
        );
        Self {
            reply: failure.reply(),
            connected: true,
            from_server,
        }
    }
}

impl Connector {
    pub(crate) fn new(settings: &Settings, tls: Tls) -> Result<Self, StartError> {
        Ok(Self {
            hostname: settings.hostname.parse()?,
            tls,
            timeouts: settings.timeouts,
            xforward_to: settings.xforward_to.clone(),
        })
    }

    /// Returns a connection that is ready for a transaction, from the first of the host's addresses
    /// that provides one.
    pub(crate) async fn connect(&self, hop: &NextHop) -> Result<Connection, Unreachable> {
        let mut why: Option<Unreachable> = None;
        for address in self.look_up(hop).await?.into_iter().take(ADDRESSES) {
            match self.connect_to(address, hop).await {
                Ok(connection) => return Ok(connection),
                Err(unreachable) => {
                    let before = why.take();
                    why = Some(match before {
                        Some(before) if before.rank() > unreachable.rank() => before,
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
        with_timeout(self.timeouts.lookup, lookup_host((host.as_str(), hop.port)))
            .await
            .map(Iterator::collect)
            .map_err(|error| {
                not_connected("4.4.3", &format!("cannot look up {}: {error}", hop.host))
            })
    }

    /// Connects as the route demands; if TLS was optional and failed, tries once more without it.
    async fn connect_to(
        &self,
        address: SocketAddr,
        hop: &NextHop,
    ) -> Result<Connection, Unreachable> {
        let tls = match hop.tls {
            TlsMode::None => client::Tls::None,
            TlsMode::Opportunistic => client::Tls::Opportunistic,
            TlsMode::Required | TlsMode::Implicit => client::Tls::Required,
        };
        match self.open(address, hop, tls).await? {
            Err(failure) if tls == client::Tls::Opportunistic && concerns_tls(&failure) => {
                tracing::info!(%address, %failure, "going on without TLS");
                Ok(self.open(address, hop, client::Tls::None).await??)
            }
            opened => Ok(opened?),
        }
    }

    /// Connects, and runs the handshakes up to the point where a transaction may begin.
    async fn open(
        &self,
        address: SocketAddr,
        hop: &NextHop,
        tls: client::Tls,
    ) -> Result<Result<Connection, Failure>, Unreachable> {
        // RFC 3463: X.4.1, no answer from host.
        let stream = with_timeout(self.timeouts.connect, TcpStream::connect(address))
            .await
            .map_err(|error| {
                not_connected("4.4.1", &format!("cannot connect to {address}: {error}"))
            })?;
        // Without it each small piece waits for the acknowledgement of the one before. If it cannot
        // be set, that costs only time.
        let _ = stream.set_nodelay(true);
        let settings = client::Settings {
            protocol: match hop.protocol {
                Protocol::Smtp => client::Protocol::Smtp,
                Protocol::Lmtp => client::Protocol::Lmtp,
            },
            ehlo_name: self.hostname.clone(),
            tls,
            login: None,
        };
        let session = Session::new(settings, None);
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
                        let channel = Channel::encrypted(&hop.host, hop.port, None);
                        connection.session.tls_started(channel);
                    }
                    Err(error) => return Ok(Err(Failure::Tls(error.to_string()))),
                },
                Event::Failed(failure) => {
                    return Ok(Err(match connection.tls {
                        Some(_) => ended_with_tls(failure),
                        None => failure,
                    }));
                }
                // No other event comes before a transaction or QUIT.
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
            (TlsMode::Required | TlsMode::Implicit, name) => {
                (&self.tls.verified, name.map_err(io::Error::other)?)
            }
            // Any certificate is accepted, so any name that can be sent will do.
            (_, name) => (
                &self.tls.opportunistic,
                name.unwrap_or(ServerName::IpAddress(IpAddr::from([0, 0, 0, 0]).into())),
            ),
        };
        with_timeout(self.timeouts.handshake, connector.connect(name, stream)).await
    }
}

/// Restates a failure between the end of our side of the handshake and the first transaction.
///
/// In TLS 1.3 the client is finished before the server has checked its certificate, or noticed that
/// there is none (RFC 8446 section 4.4.2.4): the server's objection comes as an alert, or as the
/// end of the connection, in place of the reply to EHLO.
fn ended_with_tls(failure: Failure) -> Failure {
    match failure {
        Failure::Disconnected(why) => Failure::Tls(format!("the server ended the session: {why}")),
        Failure::TimedOut => Failure::Tls("the server is silent since".to_owned()),
        failure => failure,
    }
}

/// Returns true if a connection failed because of TLS, so that one without might succeed.
fn concerns_tls(failure: &Failure) -> bool {
    match failure {
        Failure::Tls(_) => true,
        Failure::SessionRefused { stage, .. } => *stage == OpeningStage::StartTls,
        _ => false,
    }
}

/// Makes the failure for an address where nobody answered, with a reply of the relay.
fn not_connected(enhanced: &'static str, text: &str) -> Unreachable {
    Unreachable {
        reply: Reply::new(451, enhanced, text),
        connected: false,
        from_server: false,
    }
}

/// Describes protocol and cipher, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`, as a session's facts
/// do.
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
