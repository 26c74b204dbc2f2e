//! Sections of the relay itself: name, store, monitoring, and limits on clients.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_smtp::server;
use gatepost_trace::Retention;
use serde::Deserialize;

use super::{Domain, units};

/// Settings of the relay itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Relay {
    /// Host name in greeting, EHLO, Received fields and bounces. It should resolve to the relay.
    pub hostname: Domain,
    /// Directory of queue, trace, compiled policies and control socket.
    #[serde(default = "default_store")]
    pub store: PathBuf,
    /// Free bytes on the store's disk below which no mail is accepted (452), so that accepted mail
    /// can still be delivered and recorded; at least 1 MiB.
    #[serde(default = "default_min_free", deserialize_with = "units::size")]
    pub min_free: u64,
    /// Folder of policy modules. It is watched: a module that changes is activated.
    pub policies: Option<PathBuf>,
    /// Folder of profiles of services, besides those that come with the relay.
    pub profiles: Option<PathBuf>,
    /// Time that transactions and deliveries in progress get to finish during shutdown.
    #[serde(default = "default_drain", deserialize_with = "units::duration")]
    pub drain: Duration,
}

fn default_store() -> PathBuf {
    PathBuf::from("/var/lib/gatepost")
}

fn default_min_free() -> u64 {
    256 << 20
}

fn default_drain() -> Duration {
    Duration::from_secs(20)
}

/// Metrics and health over HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// Address that serves `/metrics`, `/healthz` and `/readyz` to anyone who can connect.
    pub address: SocketAddr,
}

/// Certificate of listeners that speak TLS.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RelayTls {
    /// PEM file of the certificate chain: the certificate first, then the intermediate ones.
    pub certificate: PathBuf,
    /// PEM file of the private key.
    pub key: PathBuf,
    /// Further certificates, each for the names that it holds, [`Self::MOST_FURTHER`] at most.
    #[serde(default)]
    pub further: Vec<FurtherCertificate>,
}

/// Certificate for clients that ask for one of its names (RFC 6066 section 3).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FurtherCertificate {
    /// PEM file of the certificate chain: the certificate first, then the intermediate ones.
    pub certificate: PathBuf,
    /// PEM file of the private key.
    pub key: PathBuf,
}

impl RelayTls {
    /// The most further certificates: each handshake may look at all of them.
    pub const MOST_FURTHER: usize = 100;

    /// Returns the files of each certificate and of its key, the one for all other names first.
    pub fn pairs(&self) -> impl Iterator<Item = (&Path, &Path)> {
        let further = self.further.iter().map(|of| (&*of.certificate, &*of.key));
        std::iter::once((&*self.certificate, &*self.key)).chain(further)
    }
}

/// Settings of the quarantine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Quarantine {
    /// Time after which a quarantined message is dropped.
    #[serde(deserialize_with = "units::duration")]
    pub expiry: Duration,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self {
            expiry: Duration::from_secs(30 * 86_400),
        }
    }
}

/// Retention of the trace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Trace {
    /// Maximum age of events.
    #[serde(deserialize_with = "units::duration")]
    pub expiry: Duration,
    /// Maximum number of events; the oldest are dropped.
    pub events: u64,
}

impl Default for Trace {
    fn default() -> Self {
        let retention = Retention::default();
        Self {
            expiry: retention.age,
            events: retention.events,
        }
    }
}

impl Trace {
    /// Returns the retention in the terms of the trace.
    pub fn retention(&self) -> Retention {
        Retention {
            age: self.expiry,
            events: self.events,
        }
    }
}

/// Repairs of a message as it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Repair {
    /// Repairs bare CR, bare LF and NUL inside a message. If false, such a message is refused with
    /// 550.
    pub line_ends: bool,
    /// Removes byte order marks and mbox lines in the header section. If false, they stay, for
    /// policies to judge.
    pub opening: bool,
}

impl Default for Repair {
    fn default() -> Self {
        Self {
            line_ends: true,
            opening: true,
        }
    }
}

/// Limits on what a client may ask of the relay.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Maximum number of recipients of a message; more get 452.
    pub recipients: usize,
    /// Maximum size of a message in octets; more get 552.
    #[serde(deserialize_with = "units::size")]
    pub message_size: u64,
    /// Maximum size of a header section in octets; more get 552.
    #[serde(deserialize_with = "units::size")]
    pub header_size: u64,
    /// Maximum length of a line of a message in octets, without CRLF; more get 500. RFC 5321
    /// section 4.5.3.1.6 asks for at least 998.
    pub line: usize,
    /// Takes in MAIL and RCPT only addresses that follow the grammar of RFC 5321; others get 501.
    pub strict_addresses: bool,
    /// Maximum length of a command line in octets, with CRLF, at least
    /// [`LEAST_COMMAND_LINE`](server::Limits::LEAST_COMMAND_LINE); more get 500.
    pub command: usize,
    /// Permanent errors before the session is closed with 421.
    pub errors: u32,
    /// Commands in a row without progress before the session is closed.
    pub idle_commands: u32,
    /// Idle time before the session is closed (RFC 5321 section 4.5.3.2.7 asks for 5 minutes).
    #[serde(deserialize_with = "units::duration")]
    pub idle: Duration,
    /// Total time of a session before it is closed.
    #[serde(deserialize_with = "units::duration")]
    pub total: Duration,
    /// Maximum number of connections on all listeners, some of them reserved for each; more get
    /// 421.
    pub connections: usize,
    /// Maximum number of connections from one address; more get 421.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let session = server::Limits::default();
        Self {
            recipients: session.recipients,
            message_size: session.message_size,
            header_size: session.header_size,
            line: session.line,
            strict_addresses: session.strict_addresses,
            command: session.command_line,
            errors: session.errors,
            idle_commands: session.idle_commands,
            idle: session.idle,
            total: session.total,
            connections: 1000,
            connections_per_address: 50,
        }
    }
}

impl Limits {
    /// Returns the maximum size of a message after edits by policies: what clients may send, and
    /// some room. Without it, any policy that adds a field to a message of the maximum size would
    /// be at fault.
    pub fn sizes(&self) -> gatepost_policy::Sizes {
        const ROOM: u64 = 64 << 10;
        gatepost_policy::Sizes {
            header: self.header_size.saturating_add(ROOM),
            message: self.message_size.saturating_add(ROOM),
        }
    }

    /// Returns the limits of a session in the terms of the protocol.
    pub fn session(&self, repair: Repair) -> server::Limits {
        server::Limits {
            recipients: self.recipients,
            message_size: self.message_size,
            header_size: self.header_size,
            line: self.line,
            repair_line_ends: repair.line_ends,
            repair_opening: repair.opening,
            strict_addresses: self.strict_addresses,
            command_line: self.command,
            errors: self.errors,
            idle_commands: self.idle_commands,
            idle: self.idle,
            total: self.total,
            ..server::Limits::default()
        }
    }
}
