//! The relay itself: its name, its store, how it is watched and what it allows a client.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gatepost_smtp::server;
use gatepost_trace::Retention;
use serde::Deserialize;

use super::{Domain, units};

/// The relay itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Relay {
    /// Its name in greeting, EHLO, Received headers and bounces; should resolve to it.
    pub hostname: Domain,
    /// Directory of queue, trace, compiled policies and control socket.
    #[serde(default = "default_store")]
    pub store: PathBuf,
    /// Free octets on the store's disk below which no mail is taken (452), so that what was taken
    /// can still be delivered and recorded; at least 1 MiB.
    #[serde(default = "default_min_free", deserialize_with = "units::size")]
    pub min_free: u64,
    /// Folder of policies' modules, which is watched: a module that changes in it is put in use.
    pub policies: Option<PathBuf>,
    /// How long transactions and deliveries in hand may take to finish once the relay is told to
    /// stop.
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
    /// Serves `/metrics`, `/healthz` and `/readyz`, to anyone who can connect.
    pub address: SocketAddr,
}

/// The certificate of listeners that speak TLS.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// PEM file: the certificate, then what leads from it to the root.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

/// Mail kept apart.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Quarantine {
    /// How long a message is kept before it is dropped.
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

/// How long is known what happened to a message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Trace {
    /// Events older than this are dropped.
    #[serde(deserialize_with = "units::duration")]
    pub expiry: Duration,
    /// With more events than this, the oldest are dropped.
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
    /// The same in the trace's terms.
    pub fn retention(&self) -> Retention {
        Retention {
            age: self.expiry,
            events: self.events,
        }
    }
}

/// What of a message is repaired as it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Repair {
    /// A bare CR, a bare LF and a NUL inside a message; else it is refused with 550.
    pub line_ends: bool,
    /// Byte order marks and lines of an mbox in the header section; else they stay, for policies to
    /// judge.
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

/// What a client may ask of the relay.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Recipients of a message; more get 452.
    pub recipients: usize,
    /// Octets of a message; more get 552.
    #[serde(deserialize_with = "units::size")]
    pub message_size: u64,
    /// Octets of its header section; more get 552.
    #[serde(deserialize_with = "units::size")]
    pub header_size: u64,
    /// Octets of a line of a message, without CRLF; more get 500. RFC 5321 section 4.5.3.1.6 asks
    /// for at least 998.
    pub line: usize,
    /// MAIL and RCPT take addresses by the grammar of RFC 5321 alone; others get 501.
    pub strict_addresses: bool,
    /// Octets of a command line, with CRLF, at least
    /// [`LEAST_COMMAND_LINE`](server::Limits::LEAST_COMMAND_LINE); more get 500.
    pub command: usize,
    /// Refusals for good before the session is closed with 421.
    pub errors: u32,
    /// Commands in a row without progress before it is.
    pub idle_commands: u32,
    /// Silence before it is (RFC 5321 section 4.5.3.2.7 asks for 5 minutes).
    #[serde(deserialize_with = "units::duration")]
    pub idle: Duration,
    /// Time from greeting to the end before it is.
    #[serde(deserialize_with = "units::duration")]
    pub total: Duration,
    /// Connections at a time on all listeners, of which each has some for itself; more get 421.
    pub connections: usize,
    /// Connections at a time from one address; more get 421.
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
    /// The largest that policies may make a message: what may come, and room for what policies add
    /// to it. Without that room, a message as large as it may come would be a fault of any policy
    /// that marks it.
    pub fn sizes(&self) -> gatepost_policy::Sizes {
        const ROOM: u64 = 64 << 10;
        gatepost_policy::Sizes {
            header: self.header_size.saturating_add(ROOM),
            message: self.message_size.saturating_add(ROOM),
        }
    }

    /// Those of one session, in the protocol's terms.
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
