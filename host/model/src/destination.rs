//! Destinations: where a message goes, and how.
//!
//! A policy answers a route with a [`Plan`]: [`Step`]s in order, each of which names a [`Way`]. The
//! relay makes a [`Destination`] of a step, which says where this recipient goes. The queue keeps
//! the destination with the recipient, claims by it, and stands still for all its messages while it
//! does not answer.

use std::fmt;

use gatepost_message::{Address, Millis};
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

/// Use of TLS on the connection to a next hop.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// No TLS.
    None,
    /// Optional: used if offered, with any certificate.
    #[default]
    Opportunistic,
    /// Mandatory, by STARTTLS, with a certificate that verifies; else the message waits.
    Required,
    /// Mandatory from the first octet (RFC 8314 section 3.3), with a certificate that verifies;
    /// else the message waits.
    Implicit,
}

impl TlsMode {
    /// Returns the mode's word in the configuration, fixtures and keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Opportunistic => "opportunistic",
            Self::Required => "required",
            Self::Implicit => "implicit",
        }
    }
}

/// Protocol of a next hop.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "DeliveryProtocol")]
pub enum Protocol {
    /// SMTP (RFC 5321).
    #[default]
    Smtp,
    /// LMTP (RFC 2033).
    Lmtp,
}

impl Protocol {
    /// Returns true for the default, which serialisation leaves out.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
    fn is_smtp(&self) -> bool {
        *self == Self::Smtp
    }
}

/// Server that a message is handed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NextHop {
    /// Domain name, in characters or A-labels, or address literal without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Use of TLS.
    #[serde(default)]
    pub tls: TlsMode,
    /// Protocol of the server.
    #[serde(default, skip_serializing_if = "Protocol::is_smtp")]
    pub protocol: Protocol,
}

/// Way to a recipient, as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Through the connection of this name: the account's own, else the site's.
    Connection(String),
    /// Through the connection that serves this address: of the address, its brand, or its domain,
    /// the most specific one.
    ConnectionOf(Address),
    /// To the servers of the recipient's domain (RFC 5321 section 5.1).
    Mx,
    /// To whoever receives the recipient's mail on this relay.
    Inside,
    /// To the application's LMTP server of this name.
    Lmtp(String),
    /// To the application's HTTP endpoint of this name.
    Http(String),
    /// To the endpoint that gets the recipient's mail: of the address, its brand or its account. No
    /// policy names it: it stands before the site's route.
    AccountEndpoint,
    /// Into the Maildir of this name.
    Maildir(String),
    /// To this server.
    NextHop(NextHop),
}

impl Way {
    /// Returns the way's word in fixtures, `gatepost check` and the trace.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connection(_) => "connection",
            Self::ConnectionOf(_) => "connection-of",
            Self::Mx => "mx",
            Self::Inside => "inside",
            Self::Lmtp(_) => "lmtp",
            Self::Http(_) => "http",
            Self::AccountEndpoint => "account-endpoint",
            Self::Maildir(_) => "maildir",
            Self::NextHop(_) => "next-hop",
        }
    }
}

/// Writes a way as operators see it, such as `connection acme` or `mail.b.example:25`.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mx | Self::Inside | Self::AccountEndpoint => f.write_str(self.word()),
            Self::Connection(name) | Self::Lmtp(name) | Self::Http(name) | Self::Maildir(name) => {
                write!(f, "{} {name}", self.word())
            }
            Self::ConnectionOf(address) => write!(f, "connection of {address}"),
            Self::NextHop(hop) => write!(f, "{}:{}", hop.host, hop.port),
        }
    }
}

/// Condition under which the next step of a plan is taken: both limits must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct GoOn {
    /// Deferred attempts on this step.
    pub failures: u32,
    /// Seconds since the first attempt on this step.
    pub seconds: u32,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "PlanStep")]
pub struct Step {
    /// Way to the recipient.
    pub way: Way,
    /// Condition for the next step; without one this step is kept to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_on_after: Option<GoOn>,
    /// Pool of egress addresses from which the relay connects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<String>,
}

/// Writes a step as fixtures, `gatepost check` and the trace have it, such as
/// `connection acme go-on-after=3,3600`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.way.word())?;
        match &self.way {
            Way::Mx | Way::Inside | Way::AccountEndpoint => {}
            Way::Connection(name) | Way::Lmtp(name) | Way::Http(name) | Way::Maildir(name) => {
                write!(f, " {name}")?;
            }
            Way::ConnectionOf(address) => write!(f, " {address}")?,
            Way::NextHop(hop) => {
                write!(f, " {}:{} tls={}", hop.host, hop.port, hop.tls.word())?;
                if hop.protocol == Protocol::Lmtp {
                    f.write_str(" protocol=lmtp")?;
                }
            }
        }
        if let Some(GoOn { failures, seconds }) = self.go_on_after {
            write!(f, " go-on-after={failures},{seconds}")?;
        }
        match &self.egress {
            Some(egress) => write!(f, " egress={egress}"),
            None => Ok(()),
        }
    }
}

impl Step {
    /// Makes a step that is kept to the end.
    pub fn new(way: Way) -> Self {
        Self {
            way,
            go_on_after: None,
            egress: None,
        }
    }
}

/// Plan of a policy, or of the configuration, for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// Steps in order: at least one, at most [`Plan::MOST_STEPS`].
    pub steps: Vec<Step>,
    /// Address in whose name the message leaves, in From and in the reverse-path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_as: Option<Address>,
    /// Seconds after acceptance at which the recipient is given up, if that is earlier than the
    /// relay would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<u32>,
    /// Seconds for which the queue may keep this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_for: Option<u32>,
}

impl Plan {
    /// Most steps of one plan.
    pub const MOST_STEPS: usize = 8;

    /// Makes a plan of one step.
    pub fn by(way: Way) -> Self {
        Self {
            steps: vec![Step::new(way)],
            send_as: None,
            expire_after: None,
            holds_for: None,
        }
    }
}

/// Writes a plan on one line, as `gatepost check` and the trace have it.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            let before = if number == 0 { "" } else { ", then " };
            write!(f, "{before}{step}")?;
        }
        if let Some(address) = &self.send_as {
            write!(f, "; as {address}")?;
        }
        if let Some(seconds) = self.expire_after {
            write!(f, "; expires after {seconds} s")?;
        }
        match self.holds_for {
            Some(seconds) => write!(f, "; holds for {seconds} s"),
            None => Ok(()),
        }
    }
}

impl From<NextHop> for Plan {
    fn from(hop: NextHop) -> Self {
        Self::by(Way::NextHop(hop))
    }
}

/// Routing of a recipient, by a policy or else by the default route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Absence of an opinion.
    Pass,
    /// Delivered by this plan.
    Deliver(Plan),
    /// Held for an operator, with the reason.
    Hold(String),
    /// Dropped without a notice, with the reason.
    Discard(String),
    /// Deferred, with a 4xx reply.
    Defer(Reply),
    /// Failed for good, with a 5xx reply.
    Fail(Reply),
}

impl Routing {
    /// Returns the routing's word in `gatepost check`, fixtures and the trace.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Deliver(_) => "deliver",
            Self::Hold(_) => "hold",
            Self::Discard(_) => "discard",
            Self::Defer(_) => "defer",
            Self::Fail(_) => "fail",
        }
    }
}

/// Writes a routing on one line.
impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Self::Pass => f.write_str(word),
            Self::Deliver(plan) => write!(f, "{word} by {plan}"),
            Self::Hold(reason) | Self::Discard(reason) => write!(f, "{word}: {reason}"),
            Self::Defer(reply) | Self::Fail(reply) => write!(f, "{word} {reply}"),
        }
    }
}

/// Place to which one recipient goes: what a step of a plan comes to. The queue counts, paces and
/// stops by it.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct DestinationKey(Box<str>);

impl DestinationKey {
    /// Longest key, in octets: what a connection's name, an account and a host of full length come
    /// to.
    pub const LONGEST: usize = 512;

    /// Makes a key of its text, as a store has kept it; a longer one is cut.
    pub fn new(text: &str) -> Self {
        Self(text[..text.floor_char_boundary(Self::LONGEST)].into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DestinationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Destination of one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Destination {
    /// A connection: of this account, or of the site.
    Connection {
        /// Account that owns it; none for the site's.
        account: Option<String>,
        /// Name.
        name: String,
    },
    /// The servers of a domain.
    Mx {
        /// Domain in lower-case A-labels, or an address literal with its brackets.
        domain: String,
        /// Pool of egress addresses.
        egress: Option<String>,
    },
    /// This relay.
    Inside,
    /// The application's LMTP server of this name.
    Lmtp(String),
    /// The application's HTTP endpoint of this name.
    Http(String),
    /// An endpoint of an account.
    AccountEndpoint {
        /// Id of the account.
        account: String,
        /// Name.
        name: String,
    },
    /// The Maildir of this name.
    Maildir(String),
    /// A server.
    NextHop {
        /// The server.
        hop: NextHop,
        /// Pool of egress addresses.
        egress: Option<String>,
    },
}

impl Destination {
    /// Returns the key of the destination in the queue: two destinations with the same key are the
    /// same.
    pub fn key(&self) -> DestinationKey {
        DestinationKey::new(&self.to_string())
    }

    /// Returns the text by which metrics count the destination of the application. It is the key,
    /// but one for the endpoints of all accounts: their number has no bound.
    pub fn label(&self) -> String {
        match self {
            Self::AccountEndpoint { .. } => "account-endpoint".to_owned(),
            _ => self.key().to_string(),
        }
    }

    /// Returns true if the application gets the mail there. Such mail is held at its expiry, and not
    /// returned: its sender can mend nothing.
    pub fn is_of_application(&self) -> bool {
        matches!(
            self,
            Self::Lmtp(_) | Self::Http(_) | Self::AccountEndpoint { .. } | Self::Maildir(_)
        )
    }
}

/// Writes a destination as operators see it, such as `mx:b.example`.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pool = |egress: &Option<String>| match egress {
            Some(egress) => format!(" from {egress}"),
            None => String::new(),
        };
        match self {
            Self::Connection {
                account: Some(account),
                name,
            } => write!(f, "connection:{account}/{name}"),
            Self::Connection {
                account: None,
                name,
            } => write!(f, "connection:{name}"),
            Self::Mx { domain, egress } => write!(f, "mx:{domain}{}", pool(egress)),
            Self::Inside => f.write_str("inside"),
            Self::Lmtp(name) => write!(f, "lmtp:{name}"),
            Self::Http(name) => write!(f, "http:{name}"),
            Self::AccountEndpoint { account, name } => write!(f, "endpoint:{account}/{name}"),
            Self::Maildir(name) => write!(f, "maildir:{name}"),
            Self::NextHop { hop, egress } => {
                let scheme = match hop.protocol {
                    Protocol::Smtp => "smtp",
                    Protocol::Lmtp => "lmtp-at",
                };
                let (host, port, tls) = (&hop.host, hop.port, hop.tls.word());
                write!(f, "{scheme}:{host}:{port} tls {tls}{}", pool(egress))
            }
        }
    }
}

/// Route of one recipient, as the queue keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Route {
    /// Plan that was answered.
    pub plan: Plan,
    /// Index of the step in use.
    pub step: u8,
    /// Destination that the step came to.
    pub destination: Destination,
    /// Deferred attempts on this step.
    pub failures: u32,
    /// Time of the first attempt on this step.
    pub since: Option<Millis>,
    /// Versions of the policies and of the connection that the answer stands on: it is asked again
    /// when they differ.
    pub stamp: String,
    /// End of the time for which the answer holds.
    pub holds_until: Option<Millis>,
}
