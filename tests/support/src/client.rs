//! An SMTP client that sends exactly the given octets.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::{PATIENCE, Scram};

/// A connection to an SMTP server.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    input: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Secured(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// Transient, while plaintext becomes TLS.
    Changing,
}

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Code of three digits.
    pub code: u16,
    /// Lines, without code.
    pub lines: Vec<String>,
}

impl Reply {
    /// Returns the lines joined by spaces.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Returns the enhanced status code, if every line begins with the same one (RFC 2034 section
    /// 4).
    pub fn enhanced(&self) -> Option<&str> {
        let code = self.lines.first()?.split(' ').next()?;
        let is_code = code.split('.').count() == 3
            && code.split('.').all(|part| part.parse::<u16>().is_ok())
            && code.starts_with(&(self.code / 100).to_string());
        let everywhere = self.lines.iter().all(|line| line.starts_with(code));
        (is_code && everywhere).then_some(code)
    }

    /// Returns the id of the transaction that the reply is about; it must name one.
    pub fn transaction(&self) -> String {
        let text = self.text();
        let words = text.split([' ', '(', ')']);
        let is_id = |word: &&str| word.len() == 36 && word.split('-').count() == 5;
        // Reasons follow it for a submitter, and may hold other ids.
        let mut forward = words.clone();
        let id = match text.contains("Queued as ") {
            true => forward.find(is_id),
            false => words.rev().find(is_id),
        };
        let id = id.map(str::to_owned);
        id.unwrap_or_else(|| panic!("no transaction id in {text:?}"))
    }
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::from_stream(TcpStream::connect(address)?)
    }

    /// Connects from an address of this machine, such as one of 127.0.0.0/8.
    pub fn connect_from(source: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
        socket.connect(&address.into())?;
        Self::from_stream(socket.into())
    }

    /// Takes over an open connection.
    pub fn from_stream(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: Stream::Plain(stream),
            input: Vec::new(),
        })
    }

    /// Connects and reads the greeting, which must be 220.
    pub fn greeted(address: SocketAddr) -> Self {
        let mut client =
            Self::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        client.expect(220);
        client
    }

    /// Sends octets.
    pub fn send(&mut self, octets: impl AsRef<[u8]>) -> io::Result<()> {
        let stream: &mut dyn Write = match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Secured(stream) => stream,
            Stream::Changing => return Err(io::ErrorKind::NotConnected.into()),
        };
        stream.write_all(octets.as_ref())?;
        stream.flush()
    }

    /// Reads one whole reply.
    ///
    /// # Errors
    /// The connection has ended (`UnexpectedEof`), or what comes is no reply.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let malformed = || io::Error::new(io::ErrorKind::InvalidData, line.clone());
            let code = line
                .get(..3)
                .and_then(|code| code.parse().ok())
                .ok_or_else(malformed)?;
            let more = match line.as_bytes().get(3) {
                Some(b'-') => true,
                Some(b' ') | None => false,
                Some(_) => return Err(malformed()),
            };
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if !more {
                return Ok(Reply { code, lines });
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.input.drain(..end + 2).collect::<Vec<_>>();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads some of what comes; returns false at its end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        let stream: &mut dyn Read = match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Secured(stream) => stream,
            Stream::Changing => return Err(io::ErrorKind::NotConnected.into()),
        };
        let count = stream.read(&mut chunk)?;
        self.input.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// Reads all that comes until the server closes the connection.
    ///
    /// # Errors
    /// The connection breaks before.
    pub fn rest(&mut self) -> io::Result<String> {
        while self.fill()? {}
        Ok(String::from_utf8_lossy(&std::mem::take(&mut self.input)).into_owned())
    }

    /// Reads a reply, which must have this code.
    pub fn expect(&mut self, code: u16) -> Reply {
        let reply = self
            .reply()
            .unwrap_or_else(|error| panic!("{code} was due: {error}"));
        assert_eq!(reply.code, code, "{}", reply.text());
        reply
    }

    /// Sends a line and reads the reply, which must have this code.
    pub fn command(&mut self, line: &str, code: u16) -> Reply {
        self.send(format!("{line}\r\n"))
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let reply = self
            .reply()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(reply.code, code, "{line}: {}", reply.text());
        reply
    }

    /// Returns true if the server has closed the connection: the next read is at its end.
    pub fn closed(&mut self) -> bool {
        match self.reply() {
            Ok(_) => false,
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            ),
        }
    }

    /// Sends EHLO; returns the extensions that are offered.
    pub fn ehlo(&mut self) -> Vec<String> {
        let reply = self.command("EHLO client.example", 250);
        reply.lines.into_iter().skip(1).collect()
    }

    /// Runs the TLS handshake. The input buffer, which came in plaintext, is discarded, as a client
    /// must (RFC 3207 section 4.2).
    ///
    /// # Errors
    /// The handshake fails.
    pub fn secure(&mut self) -> io::Result<()> {
        self.secure_as("localhost")
    }

    /// Runs the TLS handshake, and asks for the certificate of a name; or for none in particular, if
    /// it is an address.
    ///
    /// # Errors
    /// The handshake fails.
    pub fn secure_as(&mut self, name: &str) -> io::Result<()> {
        self.input.clear();
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Changing) else {
            return Err(io::Error::other("secured already"));
        };
        self.stream = Stream::Secured(Box::new(under_tls(stream, name)?));
        Ok(())
    }

    /// Returns the certificate that the server has shown.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let Stream::Secured(stream) = &self.stream else {
            return None;
        };
        let shown = stream.conn.peer_certificates()?.first()?;
        Some(shown.to_vec())
    }

    /// Returns the channel binding for AUTH: the exporter of this TLS connection (RFC 9266).
    pub fn binding(&self) -> [u8; 32] {
        let Stream::Secured(stream) = &self.stream else {
            panic!("not secured");
        };
        let label = b"EXPORTER-Channel-Binding";
        let exported = stream.conn.export_keying_material([0; 32], label, None);
        exported.unwrap_or_else(|error| panic!("no exporter: {error}"))
    }

    /// Runs STARTTLS, the handshake, and EHLO again.
    pub fn starttls(&mut self) -> Vec<String> {
        self.command("STARTTLS", 220);
        self.secure()
            .unwrap_or_else(|error| panic!("handshake: {error}"));
        self.ehlo()
    }

    /// Runs EHLO, STARTTLS and AUTH PLAIN.
    pub fn authenticated(mut self, user: &str, password: &str) -> Self {
        self.ehlo();
        self.starttls();
        let reply = self.plain(user, password);
        assert_eq!(reply.code, 235, "{}", reply.text());
        self
    }

    /// Sends AUTH PLAIN; returns the reply.
    pub fn plain(&mut self, user: &str, password: &str) -> Reply {
        let token = STANDARD.encode(format!("\0{user}\0{password}"));
        let sent = self.send(format!("AUTH PLAIN {token}\r\n"));
        let reply = sent.and_then(|()| self.reply());
        reply.unwrap_or_else(|error| panic!("AUTH PLAIN: {error}"))
    }

    /// Runs AUTH by SCRAM; returns the reply that ends it. The server's proof must be right.
    pub fn scram(&mut self, mechanism: &str, scram: &mut Scram) -> Reply {
        let mut say = |line: &str| {
            self.send(format!("{line}\r\n"))
                .and_then(|()| self.reply())
                .unwrap_or_else(|error| panic!("{line}: {error}"))
        };
        let reply = say(&format!("AUTH {mechanism} {}", scram.first()));
        if reply.code != 334 {
            return reply;
        }
        let reply = say(&scram.last(&reply.text()));
        if reply.code != 334 {
            return reply;
        }
        assert!(scram.accepts(&reply.text()), "the server's proof is wrong");
        say("")
    }

    /// Sends one message by MAIL, RCPT and DATA; returns the reply that ended it, whichever it was.
    ///
    /// # Errors
    /// The connection ends first.
    pub fn deliver(&mut self, from: &str, to: &[&str], message: &[u8]) -> io::Result<Reply> {
        self.send(format!("MAIL FROM:<{from}>\r\n"))?;
        let reply = self.reply()?;
        if reply.code != 250 {
            return Ok(reply);
        }
        let mut refused = None;
        let mut accepted = 0;
        for recipient in to {
            self.send(format!("RCPT TO:<{recipient}>\r\n"))?;
            let reply = self.reply()?;
            if reply.code == 250 {
                accepted += 1
            } else {
                refused = Some(reply)
            }
        }
        if let (0, Some(reply)) = (accepted, refused) {
            self.send("RSET\r\n")?;
            self.reply()?;
            return Ok(reply);
        }
        self.send("DATA\r\n")?;
        let reply = self.reply()?;
        if reply.code != 354 {
            return Ok(reply);
        }
        self.send(stuffed(message))?;
        self.reply()
    }
}

/// Returns the message with dots stuffed, and the end of data (RFC 5321 section 4.5.2).
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 8);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// Runs the TLS handshake as a client that asks for the certificate of a name, and trusts any.
pub(crate) fn under_tls(
    stream: TcpStream,
    name: &str,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(trusting(), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// Returns TLS that trusts any certificate.
pub(crate) fn trusting() -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|error| panic!("no TLS: {error}"));
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)));
    Arc::new(config.with_no_client_auth())
}

/// Accepts any certificate: the tests' are throw-away ones.
#[derive(Debug)]
struct Anyone(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        let verified =
            rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms);
        match verified {
            // It reads no certificate with the critical extension of a validation (RFC 8737).
            Err(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(_))) => {
                Ok(HandshakeSignatureValid::assertion())
            }
            verified => verified,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
