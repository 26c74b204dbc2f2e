//! Opening of a session: TCP, TLS, banner, EHLO and log-in, up to the point where a transaction may
//! begin.

mod dial;
mod failure;
mod login;
mod opening;

use std::io;
use std::net::{IpAddr, SocketAddr};

use gatepost_model::{Protocol, TlsMode};
use gatepost_sasl::client::{Channel, Login, LoginCredential};
use gatepost_smtp::client::{self, Capabilities, Event, Failure, OpeningStage, Session};
use rustls::pki_types::ServerName;
use tokio::io::DuplexStream;
use tokio_rustls::client::TlsStream;

pub use self::failure::OpeningFailure;
pub use self::login::{CredentialSource, Fetching, LoginSource, NoCredential, TokenUser};
pub use self::opening::{Opening, Speaker, Transcript};
use crate::connection::{Connection, Stream, is_alert, with_timeout};
use crate::target::OpeningTerms;
use crate::tls::{binding, describe};

/// Most addresses of a server that are tried: RFC 5321 section 5.1 wants at least two, and a limit.
const ADDRESSES: usize = 5;

/// Facts about a server with which a session was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Address that was connected to.
    pub address: SocketAddr,
    /// Protocol and cipher of TLS; `None` in plaintext.
    pub tls: Option<String>,
    /// Capabilities that the server offers.
    pub capabilities: Capabilities,
}

/// Opens a session and ends it by QUIT: a probe, or a test of a connection.
///
/// # Errors
/// The session cannot be opened.
pub async fn try_opening(opening: &Opening) -> Result<Opened, OpeningFailure> {
    let connection = open(opening).await?;
    let opened = Opened {
        address: connection.address,
        tls: connection.tls.clone(),
        capabilities: connection.session.capabilities().clone(),
    };
    connection.quit().await;
    Ok(opened)
}

/// Opens a session at the first of the addresses that allows it. If the server refuses the
/// credential and there is another, tries once more with that.
pub(crate) async fn open(opening: &Opening) -> Result<Connection, OpeningFailure> {
    let Some(login) = &opening.login else {
        return open_any(opening, None).await;
    };
    let fetch = async |refused: Option<&LoginCredential>| {
        let fetched = login.source.credential(refused).await;
        fetched.map_err(|why| OpeningFailure::without_credential(opening, &why))
    };
    let log_in = async |credential: LoginCredential| {
        let login = Login {
            credential,
            mechanisms: login.mechanisms.clone(),
        };
        open_any(opening, Some(login)).await
    };
    let Some(first) = fetch(None).await? else {
        let why = NoCredential {
            why: "it has none".to_owned(),
            permanent: true,
        };
        return Err(OpeningFailure::without_credential(opening, &why));
    };
    match log_in(first.clone()).await {
        Err(refusal) if refusal.refuses_credential() => match fetch(Some(&first)).await? {
            Some(another) => log_in(another).await,
            None => Err(refusal),
        },
        opened => opened,
    }
}

/// Opens a session at the first of the addresses that allows it.
async fn open_any(opening: &Opening, login: Option<Login>) -> Result<Connection, OpeningFailure> {
    let mut why: Option<OpeningFailure> = None;
    for &address in opening.addresses.iter().take(ADDRESSES) {
        match open_at(opening, address, login.clone()).await {
            Ok(connection) => return Ok(connection),
            Err(not_opened) => {
                let last = not_opened.is_of_all_addresses();
                why = Some(match why.take() {
                    Some(before) if before.rank() > not_opened.rank() && !last => before,
                    _ => not_opened,
                });
                if last {
                    break;
                }
            }
        }
    }
    // RFC 3463: X.4.4, unable to route.
    let no_address = || {
        let text = format!("{} has no address", opening.host);
        OpeningFailure::unreached(opening.server(), "4.4.4", &text)
    };
    Err(why.unwrap_or_else(no_address))
}

/// Opens a session at an address; if TLS was optional and failed, tries once more without it.
async fn open_at(
    opening: &Opening,
    address: SocketAddr,
    login: Option<Login>,
) -> Result<Connection, OpeningFailure> {
    let tls = match opening.mode {
        TlsMode::None => client::Tls::None,
        TlsMode::Opportunistic => client::Tls::Opportunistic,
        TlsMode::Required | TlsMode::Implicit => client::Tls::Required,
    };
    match converse(opening, address, tls, login).await {
        Err(not_opened)
            if tls == client::Tls::Opportunistic
                && !opening.verifies()
                && concerns_tls(&not_opened) =>
        {
            tracing::info!(%address, %not_opened, "going on without TLS");
            converse(opening, address, client::Tls::None, None).await
        }
        opened => opened,
    }
}

/// Connects, and opens a session.
async fn converse(
    opening: &Opening,
    address: SocketAddr,
    tls: client::Tls,
    login: Option<Login>,
) -> Result<Connection, OpeningFailure> {
    let timeouts = opening.timeouts;
    // RFC 3463: X.4.1, no answer from host.
    let stream = with_timeout(timeouts.connect, dial::dial(address, &opening.egress)).await;
    let stream = stream.map_err(|error| {
        let text = format!("cannot connect to {address}: {error}");
        OpeningFailure::unreached(opening.server(), "4.4.1", &text)
    })?;
    // Without it each small piece waits for the acknowledgement of the one before. If it cannot be
    // set, that costs only time.
    let _ = stream.set_nodelay(true);
    let settings = client::Settings {
        protocol: match opening.protocol {
            Protocol::Smtp => client::Protocol::Smtp,
            Protocol::Lmtp => client::Protocol::Lmtp,
        },
        ehlo_name: opening.ehlo_name.clone(),
        tls,
        login,
    };
    let mut connection = match opening.mode {
        TlsMode::Implicit => {
            let stream = handshake(opening, Box::new(stream)).await;
            let stream = stream.map_err(|error| tls_failed(opening, &error))?;
            let session = Session::new(settings, Some(channel(opening, &stream)));
            let described = describe(stream.get_ref().1);
            let mut connection = Connection::new(Box::new(stream), address, session, opening);
            connection.tls = Some(described);
            connection
        }
        _ => {
            let session = Session::new(settings, None);
            Connection::new(Box::new(stream), address, session, opening)
        }
    };
    connection.transcript = opening.transcript.clone();
    make_ready(opening, connection).await
}

/// Opens a session of the relay with itself.
pub(crate) async fn open_inside(
    stream: DuplexStream,
    terms: &OpeningTerms,
) -> Result<Connection, OpeningFailure> {
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let opening = Opening {
        host: "inside".to_owned(),
        port: 0,
        addresses: Vec::new(),
        protocol: Protocol::Smtp,
        mode: TlsMode::None,
        tls: terms.tls.clone(),
        ehlo_name: terms.ehlo_name.clone(),
        egress: Vec::new(),
        login: None,
        timeouts: terms.timeouts,
        transcript: None,
    };
    let settings = client::Settings {
        protocol: client::Protocol::Smtp,
        ehlo_name: terms.ehlo_name.clone(),
        tls: client::Tls::None,
        login: None,
    };
    let session = Session::new(settings, None);
    let connection = Connection::new(Box::new(stream), nowhere, session, &opening);
    make_ready(&opening, connection).await
}

/// Runs the dialogue up to the point where a transaction may begin.
async fn make_ready(
    opening: &Opening,
    mut connection: Connection,
) -> Result<Connection, OpeningFailure> {
    let failed = |stage, failure| OpeningFailure::at(opening, stage, failure);
    loop {
        let event = connection.advance().await;
        let stage = connection.session.opening().unwrap_or(OpeningStage::Ehlo);
        match event {
            Event::Ready => {
                connection.transcript = None;
                return Ok(connection);
            }
            Event::StartTls => {
                let stream = handshake(opening, connection.stream).await;
                let stream = stream.map_err(|error| tls_failed(opening, &error))?;
                connection.session.tls_started(channel(opening, &stream));
                connection.tls = Some(describe(stream.get_ref().1));
                connection.stream = Box::new(stream);
            }
            Event::Failed(failure) => {
                if let Failure::Tls(_) = failure {
                    // The server objects to the certificate of this side, or to its absence.
                    return Err(OpeningFailure {
                        permanent: true,
                        ..failed(OpeningStage::Tls, failure)
                    });
                }
                let fresh = connection.tls.is_some() && stage != OpeningStage::Auth;
                let failure = if fresh {
                    ended_with_tls(failure)
                } else {
                    failure
                };
                return Err(failed(stage, failure));
            }
            // No other event comes before a transaction or QUIT.
            _ => {
                let failure = Failure::Disconnected("closed before it was ready".to_owned());
                return Err(failed(stage, failure));
            }
        }
    }
}

async fn handshake(
    opening: &Opening,
    stream: Box<dyn Stream>,
) -> io::Result<TlsStream<Box<dyn Stream>>> {
    let name = ServerName::try_from(opening.host.clone());
    let (connector, name) = match (opening.verifies(), name) {
        (true, name) => (&opening.tls.verified, name.map_err(io::Error::other)?),
        // Any certificate is accepted, so any name that can be sent will do.
        (false, name) => (
            &opening.tls.opportunistic,
            name.unwrap_or(ServerName::IpAddress(IpAddr::from([0, 0, 0, 0]).into())),
        ),
    };
    with_timeout(opening.timeouts.handshake, connector.connect(name, stream)).await
}

/// Makes the channel of a finished handshake: the only place where one is made.
fn channel(opening: &Opening, stream: &TlsStream<Box<dyn Stream>>) -> Channel {
    Channel::encrypted(&opening.host, opening.port, binding(stream.get_ref().1))
}

/// Makes the failure of a handshake. An objection to a certificate, of either side, stays until
/// somebody changes something.
fn tls_failed(opening: &Opening, error: &io::Error) -> OpeningFailure {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    let objects = matches!(inner, Some(rustls::Error::InvalidCertificate(_)));
    OpeningFailure {
        permanent: objects || is_alert(error),
        ..OpeningFailure::at(opening, OpeningStage::Tls, Failure::Tls(error.to_string()))
    }
}

/// Restates a failure between the end of our side of the handshake and the reply to EHLO.
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
fn concerns_tls(not_opened: &OpeningFailure) -> bool {
    match not_opened.stage {
        OpeningStage::Tls => true,
        OpeningStage::StartTls => not_opened.reply.is_some(),
        _ => false,
    }
}
