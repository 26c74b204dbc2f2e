//! Targets: how a destination is reached at the moment of an attempt.
//!
//! A [`ServerTarget`] names its servers by a [`FindServers`], which may ask the DNS, and is watched
//! by a [`Watch`] where somebody keeps its state: a connection of a customer has limits, a daily
//! quota and replies with a meaning of their own.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::{Address, Message, Millis, ReversePath};
use gatepost_model::NextHop;
use gatepost_smtp::Reply;
use gatepost_smtp::client::{EhloName, Stage};
use gatepost_spool::{Claim, ClaimedRecipient};
use tokio::io::DuplexStream;

use crate::connect::NoSession;
use crate::open::{Opening, OpeningFailure};
use crate::settings::Timeouts;
use crate::tls::Tls;

/// Way in which a destination is reached.
#[derive(Clone)]
pub enum Target {
    /// Servers that speak SMTP or LMTP.
    Server(ServerTarget),
    /// The application, without SMTP.
    Application(Arc<dyn HandOver>),
}

impl Target {
    /// Returns who keeps the destination's state.
    pub(crate) fn watch(&self) -> Option<&Arc<dyn Watch>> {
        match self {
            Self::Server(server) => server.watch.as_ref(),
            Self::Application(_) => None,
        }
    }
}

/// Hands messages to the application without SMTP.
pub trait HandOver: Send + Sync {
    /// Hands a message over; returns an outcome for each of its recipients, in their order.
    fn hand_over<'a>(&'a self, handed: Handed<'a>) -> HandingOver<'a>;
}

/// Future of the outcomes.
pub type HandingOver<'a> = Pin<Box<dyn Future<Output = Vec<HandedOver>> + Send + 'a>>;

/// A message for the application, in the name in which it goes there.
#[derive(Debug, Clone, Copy)]
pub struct Handed<'a> {
    /// The message in the queue.
    pub claim: &'a Claim,
    /// The message.
    pub message: &'a Message,
    /// MAIL FROM.
    pub reverse_path: &'a ReversePath,
    /// Recipients to hand it over for.
    pub recipients: &'a [&'a ClaimedRecipient],
}

/// Outcome for one recipient.
#[derive(Debug, Clone)]
pub struct HandedOver {
    /// Reply as in SMTP: 2xx is delivered, 4xx waits, 5xx has failed.
    pub reply: Reply,
    /// Wait that the application asks for.
    pub retry_after: Option<Duration>,
    /// Words for the operator, if somebody has to mend something.
    pub alarm: Option<Alarm>,
    /// Meaning for other mail.
    pub reach: Reach,
}

/// Words for the operator about mail that waits for the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Fault, and what to do.
    pub advice: String,
    /// First words of the answer, or the error of the system: for the log alone.
    pub detail: Option<String>,
}

/// Meaning of an outcome for other mail for the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The application takes mail.
    Works,
    /// It has too much to do.
    Busy,
    /// Nothing gets there, whatever the message.
    Down,
    /// Nothing: it may be this message alone.
    Unknown,
}

/// Servers of one destination, and what they may be asked to take.
#[derive(Clone)]
pub struct ServerTarget {
    /// Servers.
    pub servers: Servers,
    /// Limits of its own.
    pub limits: Limits,
    /// Identity in which a session is opened, where it is not the same for all mail: the mailbox
    /// that logs in, or the domain in EHLO. A session is used again only for the same one.
    pub identity: Option<Arc<str>>,
    /// Keeper of its state.
    pub watch: Option<Arc<dyn Watch>>,
}

impl fmt::Debug for ServerTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTarget")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl From<NextHop> for ServerTarget {
    fn from(hop: NextHop) -> Self {
        Self::from(Servers::NextHop {
            hop,
            egress: Vec::new(),
        })
    }
}

/// Makes a target without limits of its own, whose state nobody keeps.
impl From<Servers> for ServerTarget {
    fn from(servers: Servers) -> Self {
        Self {
            servers,
            limits: Limits::default(),
            identity: None,
            watch: None,
        }
    }
}

/// Servers of a destination.
#[derive(Clone)]
pub enum Servers {
    /// One server that the site names. The system resolves its name.
    NextHop {
        /// Server.
        hop: NextHop,
        /// Addresses from which the relay connects; if there are none, the system chooses.
        egress: Vec<IpAddr>,
    },
    /// Servers that are found when a session is opened.
    Found(Arc<dyn FindServers>),
    /// This relay itself, over a stream in memory.
    Inside(Arc<dyn ReachInside>),
}

/// Reaches the intake of this relay.
pub trait ReachInside: Send + Sync {
    /// Opens a stream on which the relay speaks as a server; `None` if no listener takes mail from
    /// outside.
    fn reach(&self) -> Option<DuplexStream>;
}

/// Finds the servers of a destination.
pub trait FindServers: Send + Sync {
    /// Returns the openings of sessions, in the order in which they are tried; at least one.
    ///
    /// # Errors
    /// The reason why there is none. A permanent reply fails the recipients: the destination takes
    /// no mail.
    fn find<'a>(&'a self, terms: &'a OpeningTerms) -> Finding<'a>;
}

/// Future of the servers.
pub type Finding<'a> = Pin<Box<dyn Future<Output = Result<Vec<Opening>, NoSession>> + Send + 'a>>;

/// Terms of the relay for every session that it opens.
#[derive(Clone)]
pub struct OpeningTerms {
    /// Name by which the relay introduces itself.
    pub ehlo_name: EhloName,
    /// Connectors that trust the public roots and the site's own.
    pub tls: Tls,
    /// Timeouts of each step.
    pub timeouts: Timeouts,
}

/// Limits of one destination. What is `None` is as in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Most connections at once.
    pub connections: Option<usize>,
    /// Most messages on one connection.
    pub messages_a_connection: Option<u32>,
    /// Most messages in a minute; `None` is no limit.
    pub messages_a_minute: Option<u32>,
    /// Most recipients of one transaction.
    pub recipients: Option<usize>,
    /// Most domains of recipients in one transaction; `None` is no limit.
    pub domains: Option<usize>,
}

/// Keeps the state of a destination, and knows what its replies mean.
pub trait Watch: Send + Sync {
    /// Asks for leave to send a message from that mailbox to so many recipients, and counts it.
    ///
    /// # Errors
    /// The reason why it has to wait.
    fn begin(&self, mailbox: Option<&Address>, recipients: u32, now: Millis) -> Result<(), Stop>;

    /// Returns the reason for which all mail of the destination waits, if there is one.
    fn stopped(&self) -> Option<Stop>;

    /// Is told that a session was opened.
    fn session_opened(&self, now: Millis);

    /// Is told that no session came about; returns what becomes of the mail.
    fn session_refused(&self, why: &OpeningFailure, now: Millis) -> Stop;

    /// Returns true if the service gives messages another Message-ID.
    fn replaces_message_id(&self) -> bool {
        false
    }

    /// Returns the Message-IDs that a message may have from now on, as the reply to it tells.
    fn given_ids(&self, _reply: &Reply) -> Vec<String> {
        Vec::new()
    }

    /// Is told that the server has taken a message.
    fn accepted(&self, now: Millis);

    /// Is told of a negative reply in a transaction. Returns what becomes of the mail if the reply
    /// says nothing of the recipient, `None` if it does.
    fn replied(
        &self,
        stage: Stage,
        reply: &Reply,
        mailbox: Option<&Address>,
        now: Millis,
    ) -> Option<Stop>;
}

/// Reason for mail to wait, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Time of the next try.
    pub until: Millis,
    /// True if all mail of the destination waits, and not one mailbox's.
    pub whole: bool,
    /// True if somebody has to mend something: such mail does not expire, it is held.
    pub broken: bool,
    /// Reason, as a transient reply.
    pub reply: Reply,
}
