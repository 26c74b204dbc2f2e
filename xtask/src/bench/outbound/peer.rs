//! The other servers: one program that takes mail for all of them, and notes when each message
//! came.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use test_support::Certificate;

/// Stack of a session's thread: ten thousand of them may be open.
const STACK: usize = 128 << 10;

/// Sender whose messages are counted apart from all others.
pub const SMALL: &str = "small@sender.example";

/// Initial response of AUTH PLAIN for the user `gatepost` with the password `secret`.
const CREDENTIAL: &str = "AGdhdGVwb3N0AHNlY3JldA==";

/// A server that takes mail and notes when it came.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    shared: Arc<PeerState>,
}

/// Manner of a server.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Certificate for STARTTLS; with it the server demands TLS and AUTH PLAIN.
    pub certificate: Option<Certificate>,
    /// Time that it takes over a message.
    pub delay: Duration,
}

#[derive(Debug, Default)]
struct PeerState {
    arrivals: Mutex<Arrivals>,
    grown: Condvar,
}

/// Arrivals since the last [`Peer::forget`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Arrivals {
    /// Messages, without those of [`SMALL`].
    pub count: u64,
    /// Time of the first of them.
    pub first: Option<Instant>,
    /// Time of the last of them.
    pub last: Option<Instant>,
    /// Messages of [`SMALL`].
    pub small: u64,
    /// Connections on which a session began.
    pub sessions: u64,
}

impl Arrivals {
    /// Returns the time from the first to the last.
    pub fn time(&self) -> Duration {
        let both = self.first.zip(self.last);
        both.map_or(Duration::ZERO, |(first, last)| last.duration_since(first))
    }
}

/// A session's way of speaking.
struct Dialogue<'a> {
    tls: Option<Arc<ServerConfig>>,
    delay: Duration,
    shared: &'a PeerState,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Peer {
    /// Starts a server on 127.0.0.1.
    ///
    /// # Errors
    /// It cannot listen, or its certificate cannot be read.
    pub fn start(manner: &Manner) -> Result<Self> {
        let tls = match &manner.certificate {
            Some(certificate) => Some(Arc::new(config(certificate)?)),
            None => None,
        };
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::<PeerState>::default();
        let (delay, own) = (manner.delay, Arc::clone(&shared));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, tls) = (Arc::clone(&own), tls.clone());
                let session = move || {
                    let shared = &*shared;
                    // A peer that hangs up is no fault of the server.
                    let dialogue = Dialogue { tls, delay, shared };
                    let _ = dialogue.serve(stream);
                };
                // Without a thread the connection is closed, and the relay tries again.
                let _ = thread::Builder::new().stack_size(STACK).spawn(session);
            }
        });
        Ok(Self { address, shared })
    }

    /// Returns the address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what has come so far.
    pub fn arrivals(&self) -> Arrivals {
        *self.shared.lock()
    }

    /// Forgets what has come.
    pub fn forget(&self) {
        *self.shared.lock() = Arrivals::default();
    }

    /// Waits until `come` holds for what has come, and returns that.
    ///
    /// # Errors
    /// Nothing more comes for that time.
    pub fn wait(&self, patience: Duration, come: impl Fn(&Arrivals) -> bool) -> Result<Arrivals> {
        let mut arrivals = self.shared.lock();
        while !come(&arrivals) {
            let seen = (arrivals.count, arrivals.small);
            let waited = self.shared.grown.wait_timeout(arrivals, patience);
            let (now, timed_out) = waited.unwrap_or_else(|e| e.into_inner());
            arrivals = now;
            let grown = (arrivals.count, arrivals.small) != seen;
            ensure!(
                grown || !timed_out.timed_out(),
                "{} and {} messages came, and then no more",
                arrivals.count,
                arrivals.small
            );
        }
        Ok(*arrivals)
    }
}

impl PeerState {
    fn lock(&self) -> std::sync::MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn arrived(&self, is_small: bool) {
        let now = Instant::now();
        let mut arrivals = self.lock();
        if is_small {
            arrivals.small += 1;
        } else {
            arrivals.count += 1;
            arrivals.first.get_or_insert(now);
            arrivals.last = Some(now);
        }
        drop(arrivals);
        self.grown.notify_all();
    }
}

fn config(certificate: &Certificate) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from_pem_file(&certificate.certificate)?];
    let key = PrivateKeyDer::from_pem_file(&certificate.key)?;
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions()?;
    Ok(config.with_no_client_auth().with_single_cert(chain, key)?)
}

impl Dialogue<'_> {
    fn serve(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        self.shared.lock().sessions += 1;
        let mut plain: BufReader<Box<dyn Stream>> =
            BufReader::new(Box::new(stream.try_clone()?) as Box<dyn Stream>);
        plain.get_mut().write_all(b"220 peer.example\r\n")?;
        if !self.converse(&mut plain, false)? {
            return Ok(());
        }
        let Some(config) = &self.tls else {
            return Ok(());
        };
        let connection = ServerConnection::new(Arc::clone(config))?;
        let secure: Box<dyn Stream> = Box::new(StreamOwned::new(connection, stream));
        self.converse(&mut BufReader::new(secure), true).map(drop)
    }

    /// Takes mail until the session ends; returns true where it goes on in TLS. Replies go out when
    /// no further command is at hand.
    fn converse(&self, stream: &mut BufReader<Box<dyn Stream>>, secure: bool) -> Result<bool> {
        let open = self.tls.is_none();
        let extensions: &[u8] = match (open, secure) {
            (true, _) => b"250-peer.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            (_, false) => b"250-peer.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
            (_, true) => {
                b"250-peer.example\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n"
            }
        };
        let (mut allowed, mut small) = (open, false);
        let (mut line, mut replies) = (Vec::new(), Vec::new());
        loop {
            if stream.buffer().is_empty() && !replies.is_empty() {
                stream.get_mut().write_all(&replies)?;
                stream.get_mut().flush()?;
                replies.clear();
            }
            line.clear();
            if stream.read_until(b'\n', &mut line)? == 0 {
                return Ok(false);
            }
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match &verb[..] {
                b"EHLO" => replies.extend_from_slice(extensions),
                b"STAR" if !open && !secure => {
                    stream.get_mut().write_all(b"220 go ahead\r\n")?;
                    return Ok(true);
                }
                b"AUTH" if secure => {
                    allowed = line.trim_ascii_end().ends_with(CREDENTIAL.as_bytes());
                    replies.extend_from_slice(match allowed {
                        true => b"235 2.7.0 welcome\r\n",
                        false => b"535 5.7.8 no such user\r\n",
                    });
                }
                b"MAIL" if !allowed => replies.extend_from_slice(b"530 5.7.0 log in first\r\n"),
                b"MAIL" => {
                    small = line
                        .windows(SMALL.len())
                        .any(|part| part == SMALL.as_bytes());
                    replies.extend_from_slice(b"250 2.1.0 yes\r\n");
                }
                b"DATA" if allowed => {
                    replies.extend_from_slice(b"354 go on\r\n");
                    stream.get_mut().write_all(&replies)?;
                    stream.get_mut().flush()?;
                    replies.clear();
                    while line != b".\r\n" {
                        line.clear();
                        ensure!(stream.read_until(b'\n', &mut line)? > 0, "hung up");
                    }
                    if !self.delay.is_zero() {
                        thread::sleep(self.delay);
                    }
                    self.shared.arrived(small);
                    replies.extend_from_slice(b"250 2.0.0 taken\r\n");
                }
                b"QUIT" => {
                    stream.get_mut().write_all(b"221 bye\r\n")?;
                    return Ok(false);
                }
                _ => replies.extend_from_slice(b"250 2.0.0 yes\r\n"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::{Content, Load};

    #[test]
    fn a_peer_notes_what_comes_and_lets_nobody_in_without_a_log_in() -> Result<()> {
        let peer = Peer::start(&Manner::default())?;
        let load = Load {
            sessions: 5,
            messages: 50,
            content: Content::Octets(2000),
        };
        load.timed(peer.address())?;
        let patience = Duration::from_secs(10);
        let come = peer.wait(patience, |come| come.count == 50)?;
        assert!(come.time() > Duration::ZERO && come.small == 0);

        let directory = tempfile::tempdir()?;
        let strict = Peer::start(&Manner {
            certificate: Some(Certificate::make(directory.path())),
            ..Manner::default()
        })?;
        assert!(load.timed(strict.address()).is_err());
        assert_eq!(strict.arrivals().count, 0);
        Ok(())
    }
}
