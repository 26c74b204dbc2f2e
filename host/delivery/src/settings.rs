//! Settings of delivery, their defaults and the reasons for these.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use ipnet::IpNet;

use crate::notify::Notifications;

/// Source of the time: the wall clock, except in tests.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// All settings of delivery. [`Settings::new`] has the defaults.
#[derive(Clone)]
pub struct Settings {
    /// The relay's own name: EHLO argument, Reporting-MTA and domain of the notices' author.
    pub hostname: String,
    /// Schedule of retries, and time to give up.
    pub retry: Retry,
    /// Notices to senders: conditions, contents and texts.
    pub notifications: Arc<Notifications>,
    /// Most messages in delivery at once; at least 1. Default 200.
    pub messages_in_flight: usize,
    /// Most connections to one next hop at once; at least 1. Default 20.
    pub connections_per_next_hop: usize,
    /// Longest wait of a message for a free connection to its next hop. Then it returns to the
    /// queue without counting an attempt, so that one slow server does not hold every place in
    /// flight. Default 30 seconds.
    pub wait_for_connection: Duration,
    /// Most recipients of one transaction; at least 1. Default 100, which every server must accept
    /// (RFC 5321 section 4.5.3.1.8).
    pub recipients_per_transaction: usize,
    /// True if an 8-bit message is converted for a next hop without 8BITMIME, if nothing forbids it
    /// ([`gatepost_message::seven_bit`]) and it has at most 16 MiB; otherwise it is returned with
    /// 5.6.3. Default false.
    pub convert_8bit: bool,
    /// Treatment of a message with lines of more than 998 octets for a next hop without CHUNKING.
    /// Default [`LongLines::Convert`].
    pub long_lines: LongLines,
    /// Networks of next hops that are told who sent a message to the relay, if they offer XFORWARD.
    /// Default none.
    pub xforward_to: Vec<IpNet>,
    /// Limits on the reuse of connections.
    pub reuse: Reuse,
    /// Timeouts of the dialogue.
    pub timeouts: Timeouts,
    /// PEM files with certificates to trust besides the public roots, for [`TlsMode::Required`].
    ///
    /// [`TlsMode::Required`]: gatepost_model::TlsMode::Required
    pub trusted: Vec<PathBuf>,
    /// Duration of a claim on a message. An attempt is given up after nine tenths of it, so that
    /// nobody else can have claimed the message meanwhile. Default 1 hour.
    pub lease: Duration,
    /// Rules by which the replies of servers put addresses on the suppression list of the account
    /// that sent the message. Default: as in [`Suppressing::default`].
    pub suppressing: Suppressing,
    /// True if events tell accounts what became of their mail. Default true.
    pub events: bool,
    /// Time for which a message is kept after a recipient has failed; zero keeps none. Default zero.
    pub keep_failed: Duration,
    /// Clock. Default [`Millis::now`].
    pub clock: Clock,
}

impl Settings {
    /// Returns the defaults for a relay of that name.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
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
            suppressing: Suppressing::default(),
            events: true,
            keep_failed: Duration::ZERO,
            clock: Arc::new(Millis::now),
        }
    }
}

/// Rules by which replies put addresses on suppression lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suppressing {
    /// True if they do at all. Default true.
    pub record: bool,
    /// Number of messages that a mailbox has to refuse for now, with no delivery between them; zero
    /// is no number. Default 5.
    pub soft_failures: u32,
    /// Time in which these are counted. Default 14 days.
    pub soft_within: Duration,
}

impl Default for Suppressing {
    fn default() -> Self {
        Self {
            record: true,
            soft_failures: 5,
            soft_within: Duration::from_secs(14 * 86_400),
        }
    }
}

/// Treatment of a message with lines of more than 998 octets (RFC 5321 section 4.5.3.1.6) for a
/// next hop that does not offer CHUNKING. One that does gets it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LongLines {
    /// Encode anew what no signature covers ([`gatepost_message::convert`]), and send other
    /// messages as they are: most servers accept them, and one that does not says so.
    #[default]
    Convert,
    /// Encode anew, signed or not; send as it is only if there is no other form.
    ConvertSigned,
    /// Send as it is.
    Pass,
    /// Return to the sender with 5.6.0.
    Refuse,
}

/// Schedule of retries (RFC 5321 section 4.5.4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Waits after the first, second, … attempt; the last one repeats. Empty means at once, which
    /// only a test wants. Default 1, 5, 15, 30 minutes, 1, 2, 4 hours.
    pub schedule: Vec<Duration>,
    /// Fraction, between 0 and 1, by which a wait is lengthened or shortened at random, so that
    /// messages that failed together are not retried together. Default 0.1.
    pub jitter: f64,
    /// Time after acceptance at which a message is given up. Intake stores it with each message;
    /// delivery does so with its notices. Default 5 days.
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

/// Limits on the reuse of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Most transactions on one connection; 1 means no reuse. Default 50.
    pub transactions: u32,
    /// Longest time that a connection is kept open without work. Default 10 seconds.
    pub idle: Duration,
    /// Most idle connections to all destinations together. Mail for a great many domains has a
    /// connection for each, which is hardly ever of use again and takes a descriptor at both ends.
    /// Default 100.
    pub most_idle: usize,
}

impl Default for Reuse {
    fn default() -> Self {
        Self {
            transactions: 50,
            idle: Duration::from_secs(10),
            most_idle: 100,
        }
    }
}

/// Timeouts of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Look-up of the host's addresses. Default 30 seconds.
    pub lookup: Duration,
    /// Connecting to one address. Default 30 seconds: there may be others.
    pub connect: Duration,
    /// TLS handshake. Default 1 minute.
    pub handshake: Duration,
    /// Sending of a group of commands or one piece of the message (RFC 5321 section 4.5.3.2.5).
    /// Default 3 minutes.
    pub send: Duration,
    /// Upper bound for the wait for any reply. Default: the time that RFC 5321 section 4.5.3.2 asks
    /// for that reply, such as 5 minutes for MAIL and 10 for the end of data; a shorter wait for
    /// that one makes duplicates.
    pub reply: Option<Duration>,
    /// QUIT, for which nobody waits. Default 5 seconds.
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
