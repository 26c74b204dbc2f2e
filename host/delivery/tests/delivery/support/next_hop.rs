//! A scripted next hop on loopback.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_model::{NextHop, Protocol, TlsMode};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// Moment for which the script may choose an action.
#[derive(Debug, Clone, Copy)]
pub enum Moment<'a> {
    /// A connection was opened.
    Connected,
    /// A command line, without its CRLF.
    Command(&'a str),
    /// A line of a message, with its number.
    DataLine(usize),
    /// The end of a message.
    EndOfData,
}

/// Action of the script.
#[derive(Debug, Clone)]
pub enum Act {
    /// Send this reply.
    Say(String),
    /// Send this reply, then close the connection.
    SayAndClose(String),
    /// Send this reply when notified.
    SayAfter(Arc<Notify>, String),
    /// Send this reply, and read nothing more.
    SayAndHang(String),
    /// Close the connection without a reply.
    Close,
    /// Send and read nothing more.
    Hang,
}

pub fn say(reply: &str) -> Option<Act> {
    Some(Act::Say(reply.to_owned()))
}

/// Called with the number of the connection, from 0; `None` means the usual reply.
type Script = dyn Fn(usize, Moment<'_>) -> Option<Act> + Send + Sync;

/// Extensions that EHLO offers.
#[derive(Clone, Default)]
pub struct Offer {
    pub extensions: Vec<&'static str>,
    pub starttls: Option<Certificate>,
    /// TLS from the first octet.
    pub implicit: Option<Certificate>,
}

impl Offer {
    pub fn usual() -> Self {
        Self {
            extensions: vec![
                "PIPELINING",
                "8BITMIME",
                "SIZE 10000000",
                "ENHANCEDSTATUSCODES",
            ],
            ..Self::default()
        }
    }

    pub fn of(extensions: &[&'static str]) -> Self {
        Self {
            extensions: extensions.to_vec(),
            ..Self::default()
        }
    }

    pub fn with_tls(certificate: &Certificate) -> Self {
        Self {
            starttls: Some(certificate.clone()),
            ..Self::usual()
        }
    }
}

/// A self-signed certificate for `localhost`.
#[derive(Clone)]
pub struct Certificate {
    pub pem: String,
    /// Private key, as PEM.
    pub key: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self {
            pem: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            config: Arc::new(config),
        }
    }

    /// Makes one whose server demands a certificate of its client, which TLS 1.3 lets it say only
    /// after the client's side of the handshake is finished.
    pub fn demanding_another() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&provider),
        );
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self {
            pem: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            config: Arc::new(config),
        }
    }

    /// Writes it to a file to be trusted.
    pub fn write_to(&self, directory: &std::path::Path) -> PathBuf {
        let file = directory.join("trusted.pem");
        std::fs::write(&file, &self.pem).unwrap();
        file
    }
}

/// A message as the next hop received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub connection: usize,
    pub tls: bool,
    /// `MAIL FROM:` with all its parameters.
    pub mail: String,
    pub recipients: Vec<String>,
    pub data: Vec<u8>,
}

#[derive(Default)]
struct Log {
    connections: usize,
    peers: Vec<IpAddr>,
    commands: Vec<(usize, String)>,
    received: Vec<Received>,
    pipelined: bool,
}

pub struct NextHopServer {
    pub address: SocketAddr,
    log: Arc<Mutex<Log>>,
    _task: JoinSet<()>,
}

impl NextHopServer {
    pub async fn start(
        offer: Offer,
        script: impl Fn(usize, Moment<'_>) -> Option<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let script: Arc<Script> = Arc::new(script);
        let mut task = JoinSet::new();
        let shared = Arc::clone(&log);
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let number = {
                    let mut log = shared.lock().unwrap();
                    log.connections += 1;
                    log.peers.push(peer.ip());
                    log.connections - 1
                };
                connections.spawn(serve(
                    Conversation {
                        number,
                        offer: offer.clone(),
                        script: Arc::clone(&script),
                        log: Arc::clone(&shared),
                        tls: false,
                    },
                    stream,
                ));
            }
        });
        Self {
            address,
            log,
            _task: task,
        }
    }

    /// Starts a server that accepts everything.
    /// Starts a server that reports when it has a whole message, and never answers it.
    pub async fn hanging_after_data() -> (Self, UnboundedReceiver<()>) {
        let (hung, hangs) = unbounded_channel();
        let server = Self::start(Offer::usual(), move |_, moment| match moment {
            Moment::EndOfData => {
                hung.send(()).unwrap();
                Some(Act::Hang)
            }
            _ => None,
        })
        .await;
        (server, hangs)
    }

    pub async fn accepting_everything() -> Self {
        Self::start(Offer::usual(), |_, _| None).await
    }

    pub fn lmtp(&self) -> NextHop {
        NextHop {
            protocol: Protocol::Lmtp,
            ..self.hop(TlsMode::None)
        }
    }

    pub fn hop(&self, tls: TlsMode) -> NextHop {
        NextHop {
            host: "localhost".to_owned(),
            port: self.address.port(),
            tls,
            protocol: Protocol::Smtp,
        }
    }

    pub fn connections(&self) -> usize {
        self.log.lock().unwrap().connections
    }

    /// Returns the addresses that have connected.
    pub fn peers(&self) -> Vec<IpAddr> {
        self.log.lock().unwrap().peers.clone()
    }

    pub fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap().received.clone()
    }

    /// Returns true if a command ever came before the reply to the previous one.
    pub fn pipelined(&self) -> bool {
        self.log.lock().unwrap().pipelined
    }

    pub fn commands(&self) -> Vec<(usize, String)> {
        self.log.lock().unwrap().commands.clone()
    }
}

struct Conversation {
    number: usize,
    offer: Offer,
    script: Arc<Script>,
    log: Arc<Mutex<Log>>,
    tls: bool,
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

type Wire = BufStream<Box<dyn Duplex>>;

async fn serve(mut conversation: Conversation, stream: TcpStream) {
    let mut wire: Wire = BufStream::new(Box::new(stream));
    if let Some(certificate) = conversation.offer.implicit.clone()
        && conversation.secure(&mut wire, certificate).await.is_err()
    {
        return;
    }
    let _ = conversation.hold(&mut wire).await;
}

/// End of a conversation: by QUIT, a script or an error.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Conversation {
    async fn hold(&mut self, wire: &mut Wire) -> Result<(), Over> {
        self.act(wire, Moment::Connected, "220 next.example ESMTP")
            .await?;
        let (mut mail, mut recipients) = (String::new(), Vec::new());
        loop {
            let line = self.line(wire).await?;
            let line = String::from_utf8_lossy(&line).into_owned();
            self.log
                .lock()
                .unwrap()
                .commands
                .push((self.number, line.clone()));
            if let Ok(Ok([_, ..])) = timeout(Duration::ZERO, wire.fill_buf()).await {
                self.log.lock().unwrap().pipelined = true;
            }
            let verb = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            let usual = match verb.as_str() {
                "EHLO" | "LHLO" => self.ehlo(),
                "DATA" if recipients.is_empty() => "554 5.5.1 no valid recipients".to_owned(),
                "DATA" => "354 go on".to_owned(),
                "STARTTLS" | "QUIT" => "220 2.0.0 ready".to_owned(),
                _ => "250 2.0.0 ok".to_owned(),
            };
            if let Some(chunk) = line.strip_prefix("BDAT ") {
                let size = chunk.strip_suffix(" LAST").ok_or(Over)?;
                let mut data = vec![0; size.parse().map_err(|_| Over)?];
                wire.read_exact(&mut data).await?;
                self.end_of_data(wire, &mut mail, &mut recipients, data)
                    .await?;
                continue;
            }
            let reply = self.act(wire, Moment::Command(&line), &usual).await?;
            match (verb.as_str(), reply.as_bytes()[0]) {
                ("MAIL", b'2') => {
                    mail = line;
                    recipients.clear();
                }
                ("RCPT", b'2') => recipients.push(line),
                ("DATA", b'3') => {
                    let data = self.data(wire).await?;
                    self.end_of_data(wire, &mut mail, &mut recipients, data)
                        .await?;
                }
                ("STARTTLS", b'2') => self.start_tls(wire).await?,
                ("QUIT", _) => return Err(Over),
                _ => {}
            }
        }
    }

    fn ehlo(&self) -> String {
        let mut lines = vec!["next.example"];
        lines.extend(&self.offer.extensions);
        if self.offer.starttls.is_some() && !self.tls {
            lines.push("STARTTLS");
        }
        let last = lines.pop().unwrap();
        let mut reply: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        reply.push_str(&format!("250 {last}"));
        reply
    }

    async fn line(&self, wire: &mut Wire) -> Result<Vec<u8>, Over> {
        let mut line = Vec::new();
        wire.read_until(b'\n', &mut line).await?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(line.to_vec()),
            None => Err(Over),
        }
    }

    async fn data(&self, wire: &mut Wire) -> Result<Vec<u8>, Over> {
        let mut data = Vec::new();
        for number in 1.. {
            let line = self.line(wire).await?;
            if line == b"." {
                break;
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            data.extend_from_slice(b"\r\n");
            if let Some(act) = (self.script)(self.number, Moment::DataLine(number)) {
                self.perform(wire, act).await?;
            }
        }
        Ok(data)
    }

    async fn end_of_data(
        &self,
        wire: &mut Wire,
        mail: &mut String,
        recipients: &mut Vec<String>,
        data: Vec<u8>,
    ) -> Result<(), Over> {
        let received = Received {
            connection: self.number,
            tls: self.tls,
            mail: std::mem::take(mail),
            recipients: std::mem::take(recipients),
            data,
        };
        let act = (self.script)(self.number, Moment::EndOfData);
        let act = act.unwrap_or(Act::Say("250 2.0.0 taken".to_owned()));
        if matches!(&act, Act::Say(reply) | Act::SayAfter(_, reply) | Act::SayAndClose(reply) if reply.starts_with('2'))
        {
            self.log.lock().unwrap().received.push(received);
        }
        self.perform(wire, act).await.map(drop)
    }

    async fn start_tls(&mut self, wire: &mut Wire) -> Result<(), Over> {
        let certificate = self.offer.starttls.clone().ok_or(Over)?;
        self.secure(wire, certificate).await
    }

    async fn secure(&mut self, wire: &mut Wire, certificate: Certificate) -> Result<(), Over> {
        let plain: Box<dyn Duplex> = Box::new(tokio::io::empty());
        let plain = std::mem::replace(wire, BufStream::new(plain)).into_inner();
        let secured = TlsAcceptor::from(certificate.config).accept(plain).await?;
        *wire = BufStream::new(Box::new(secured));
        self.tls = true;
        Ok(())
    }

    /// Runs the script's action for this moment, or the usual reply; returns the reply sent.
    async fn act(&self, wire: &mut Wire, moment: Moment<'_>, usual: &str) -> Result<String, Over> {
        let act = (self.script)(self.number, moment).unwrap_or(Act::Say(usual.to_owned()));
        self.perform(wire, act).await
    }

    async fn perform(&self, wire: &mut Wire, act: Act) -> Result<String, Over> {
        match act {
            Act::Say(reply) => {
                self.write(wire, &reply).await?;
                Ok(reply)
            }
            Act::SayAfter(allowed, reply) => {
                allowed.notified().await;
                self.write(wire, &reply).await?;
                Ok(reply)
            }
            Act::SayAndHang(reply) => {
                self.write(wire, &reply).await?;
                std::future::pending().await
            }
            Act::SayAndClose(reply) => {
                self.write(wire, &reply).await?;
                Err(Over)
            }
            Act::Close => Err(Over),
            Act::Hang => std::future::pending().await,
        }
    }

    async fn write(&self, wire: &mut Wire, reply: &str) -> Result<(), Over> {
        wire.write_all(format!("{reply}\r\n").as_bytes()).await?;
        Ok(wire.flush().await?)
    }
}
