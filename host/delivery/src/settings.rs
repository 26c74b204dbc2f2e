//! What an operator can set about delivery, with the defaults and why they are so.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_model::NextHop;
use ipnet::IpNet;

use crate::notify::Notifications;

/// Where the time comes from: the wall clock, unless a test moves the hands.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Everything that delivery can be told. [`Settings::new`] has the defaults.
#[derive(Clone)]
pub struct Settings {
    /// The relay's own name: EHLO argument, Reporting-MTA and domain of the notices' author.
    pub hostname: String,
    /// Where messages go that no policy has routed; without it they are deferred.
    pub default_route: Option<NextHop>,
    /// When a deferred recipient is tried again and when it is given up.
    pub retry: Retry,
    /// What senders are told, when, and in which words.
    pub notifications: Arc<Notifications>,
    /// How many messages are being delivered at once; at least 1. Default 200.
    pub messages_in_flight: usize,
    /// How many connections are open to one next hop at once; at least 1. Default 20.
    pub connections_per_next_hop: usize,
    /// How long a message waits for a free connection to its next hop before it goes back to the
    /// queue, so that one slow server does not hold every place in flight. It costs no attempt.
    /// Default 30 seconds.
    pub wait_for_connection: Duration,
    /// How many recipients go into one transaction; at least 1. Default 100, which every server
    /// has to take (RFC 5321 section 4.5.3.1.8).
    pub recipients_per_transaction: usize,
    /// Whether an 8-bit message is converted for a next hop without 8BITMIME, where nothing
    /// forbids it ([`gatepost_message::seven_bit`]) and it has at most 16 MiB; else it is
    /// returned with 5.6.3. Default no.
    pub convert_8bit: bool,
    /// What becomes of a message with lines of more than 998 octets for a next hop without
    /// CHUNKING. Default [`LongLines::Convert`].
    pub long_lines: LongLines,
    /// Next hops at addresses in these networks are told who sent a message to the relay, where
    /// they offer XFORWARD. Default none.
    pub xforward_to: Vec<IpNet>,
    /// When a connection is used again.
    pub reuse: Reuse,
    /// How long each step of the dialogue may take.
    pub timeouts: Timeouts,
    /// PEM files with certificates to trust besides the public roots, for [`TlsMode::Required`].
    ///
    /// [`TlsMode::Required`]: gatepost_model::TlsMode::Required
    pub trusted: Vec<PathBuf>,
    /// How long a claim on a message is held. An attempt that is not over by nine tenths of it is
    /// given up, so that nobody else can have claimed the message meanwhile. Default 1 hour.
    pub lease: Duration,
    /// The time. Default [`Millis::now`].
    pub clock: Clock,
}

impl Settings {
    /// The defaults for a relay of that name.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            default_route: None,
            retry: Retry::default(),
            notifications: Arc::default(),
            messages_in_flight: 200,
            connections_per_next_hop: 20,
            wait_for_connection: Duration::from_secs(30),
            recipients_per_transaction: 100,
            convert_8bit: false,
            long_lines: LongLines::default(),
            xforward_to: Vec::new(),
            reuse: Reuse::default(),
            timeouts: Timeouts::default(),
            trusted: Vec::new(),
            lease: Duration::from_secs(60 * 60),
            clock: Arc::new(Millis::now),
        }
    }
}

/// What becomes of a message with lines of more than 998 octets (RFC 5321 section 4.5.3.1.6) for a
/// next hop that does not offer CHUNKING. One that does is given it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LongLines {
    /// It is encoded anew where no signature covers what changes ([`gatepost_message::convert`]),
    /// and goes as it is otherwise: most servers take it, and one that does not says so.
    #[default]
    Convert,
    /// It is encoded anew, signed or not; as it is only where it has no other form.
    ConvertSigned,
    /// It goes as it is.
    Pass,
    /// It goes back to its sender with 5.6.0.
    Refuse,
}

/// When a deferred recipient is tried again (RFC 5321 section 4.5.4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// The waits after the first, second, … attempt; the last one repeats. Empty means at once,
    /// which only a test wants. Default 1, 5, 15, 30 minutes, 1, 2, 4 hours.
    pub schedule: Vec<Duration>,
    /// By how much a wait is stretched or shortened at random, as a fraction of it between 0 and
    /// 1, so that what failed together does not come back together. Default 0.1.
    pub jitter: f64,
    /// How long after its acceptance a message is given up. Whoever accepts one stamps it with
    /// this; delivery does so with its notices. Default 5 days.
    pub expiry: Duration,
    /// Seed of the jitter, for repeatable tests. Default: from the system.
    pub seed: Option<u64>,
}

impl Default for Retry {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            schedule: [1, 5, 15, 30, 60, 120, 240].map(minutes).to_vec(),
            jitter: 0.1,
            expiry: minutes(5 * 24 * 60),
            seed: None,
        }
    }
}

/// When a connection is used for another transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Transactions on one connection; 1 means no reuse. Default 50.
    pub transactions: u32,
    /// How long a connection is kept open without work. Default 10 seconds.
    pub idle: Duration,
}

impl Default for Reuse {
    fn default() -> Self {
        Self {
            transactions: 50,
            idle: Duration::from_secs(10),
        }
    }
}

/// How long each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking up the host's addresses. Default 30 seconds.
    pub lookup: Duration,
    /// Connecting to one address. Default 30 seconds: there may be others.
    pub connect: Duration,
    /// The TLS handshake. Default 1 minute.
    pub handshake: Duration,
    /// Sending a group of commands or one piece of the message (RFC 5321 section 4.5.3.2.5).
    /// Default 3 minutes.
    pub send: Duration,
    /// The most to wait for any reply. Default: what RFC 5321 section 4.5.3.2 asks for that
    /// reply, such as 5 minutes for MAIL and 10 for the end of data; too short a wait for that
    /// one makes duplicates.
    pub reply: Option<Duration>,
    /// The whole good-bye, for which nobody is waiting. Default 5 seconds.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            lookup: Duration::from_secs(30),
            connect: Duration::from_secs(30),
            handshake: Duration::from_secs(60),
            send: Duration::from_secs(3 * 60),
            reply: None,
            quit: Duration::from_secs(5),
        }
    }
}
