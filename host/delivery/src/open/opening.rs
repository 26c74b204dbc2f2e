//! Settings of one session to a server.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use gatepost_model::{Protocol, TlsMode};
use gatepost_smtp::client::EhloName;

use super::login::LoginSource;
use crate::settings::Timeouts;
use crate::tls::Tls;

/// Everything that the opening of a session needs.
#[derive(Clone)]
pub struct Opening {
    /// Name of the server, in A-labels, or its address without brackets: its certificate must be
    /// for this name. For mail by MX it is the name in the MX record.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Addresses of the server, in the order in which they are tried. They are connected to as they
    /// are, and nothing is looked up: whoever checked them has checked what is connected to.
    pub addresses: Vec<SocketAddr>,
    /// Protocol of the server.
    pub protocol: Protocol,
    /// Use of TLS. With a log-in the certificate is verified in any mode, and there is no going on
    /// in plaintext: anybody on the path would get the password.
    pub mode: TlsMode,
    /// Connectors of TLS.
    pub tls: Tls,
    /// Name by which the relay introduces itself.
    pub ehlo_name: EhloName,
    /// Addresses from which the relay may connect, of either family; if there are none, the system
    /// chooses.
    pub egress: Vec<IpAddr>,
    /// Log-in, without which no mail is handed over.
    pub login: Option<LoginSource>,
    /// Timeouts of each step.
    pub timeouts: Timeouts,
    /// Listener to the dialogue.
    pub transcript: Option<Transcript>,
}

impl Opening {
    /// Returns the server as `host:port`.
    pub fn server(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Returns true if the server must show a certificate that verifies.
    pub(crate) fn verifies(&self) -> bool {
        self.login.is_some() || matches!(self.mode, TlsMode::Required | TlsMode::Implicit)
    }
}

/// Speaker of a line in a dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The relay; secrets are masked.
    Relay,
    /// The server, in its own words.
    Server,
}

type Hear = dyn Fn(Speaker, &str) + Send + Sync;

/// Listener to a dialogue up to the first transaction: it gets each line without its CRLF.
#[derive(Clone)]
pub struct Transcript(Arc<Hear>);

impl Transcript {
    /// Makes a listener.
    pub fn new(listen: impl Fn(Speaker, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listen))
    }

    pub(crate) fn add(&self, speaker: Speaker, lines: &[u8]) {
        let lines = String::from_utf8_lossy(lines);
        lines.lines().for_each(|line| self.0(speaker, line));
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transcript(..)")
    }
}
