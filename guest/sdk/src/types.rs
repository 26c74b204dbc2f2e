//! The contract's records (`wit/types.wit`) as plain types.

use serde::{Deserialize, Serialize};

/// Which way a message travels, fixed by the listener that took it.
///
/// ```
/// use gatepost_sdk::{Flow, Session};
///
/// fn is_ours(session: &Session) -> bool {
///     session.flow == Flow::Submission
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// From the world to an address that the relay receives mail for.
    Inbound,
    /// From the application, on behalf of an account.
    Submission,
}

/// One SMTP connection, as far as it has got when the hook is called.
///
/// ```
/// use gatepost_sdk::{Session, Verdict};
///
/// fn in_the_clear(session: &Session) -> Verdict {
///     match &session.tls {
///         Some(_) => Verdict::Pass,
///         None => Verdict::reject(550, "5.7.10", "Encryption is needed here"),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Name of the listener in the relay's configuration.
    pub listener: String,
    /// The listener's direction.
    pub flow: Flow,
    /// The client's address in text form.
    pub client_ip: String,
    /// The client's port.
    pub client_port: u16,
    /// Argument of EHLO or HELO, once given.
    pub helo: Option<String>,
    /// Protocol and cipher; `None` in plaintext.
    pub tls: Option<String>,
    /// The user that AUTH has proved.
    pub user: Option<String>,
}

/// One SMTP transaction: the envelope (RFC 5321 section 2.3.1) and whose it is.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// A bounce has a null reverse-path (RFC 5321 section 4.5.5).
/// fn is_bounce(transaction: &Transaction) -> bool {
///     transaction.session.flow == Flow::Inbound && transaction.mail_from.is_empty()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// UUIDv7 in text form.
    pub id: String,
    /// The connection it runs on.
    pub session: Session,
    /// The account it belongs to, once something has fixed it.
    pub account: Option<String>,
    /// The reverse-path without angle brackets; empty for the null sender.
    pub mail_from: String,
    /// The forward-paths accepted so far, without angle brackets.
    pub recipients: Vec<String>,
}

/// What a client is told: RFC 5321 section 4.2 with an RFC 3463 enhanced code.
///
/// ```
/// let reply = gatepost_sdk::Reply::new(452, "4.2.2", "The mailbox is full");
/// assert_eq!((reply.code, reply.enhanced.as_str()), (452, "4.2.2"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits; 4xx and 5xx only.
    pub code: u16,
    /// Such as `5.7.1`; its class must be that of `code`.
    pub enhanced: String,
    /// One line of printable ASCII, at most 400 octets.
    pub text: String,
}

impl Reply {
    /// A reply; the host refuses one whose two codes disagree. Of the text 400 characters are kept,
    /// and what is not printable US-ASCII becomes a question mark.
    ///
    /// ```
    /// let reply = gatepost_sdk::Reply::new(550, "5.1.1", "Nobody of that name");
    /// assert_eq!(reply.text, "Nobody of that name");
    /// ```
    pub fn new(code: u16, enhanced: &str, text: impl Into<String>) -> Self {
        Self {
            code,
            enhanced: enhanced.into(),
            text: crate::bounds::reply(&text.into()).into_owned(),
        }
    }
}

/// What a policy decides about a session, a sender, a recipient or a message.
///
/// ```
/// use gatepost_sdk::*;
///
/// fn by_size(octets: u64) -> Verdict {
///     match octets {
///         0..1_000_000 => Verdict::Pass,
///         1_000_000..10_000_000 => Verdict::Quarantine("it is large".into()),
///         _ => Verdict::reject(552, "5.3.4", "Too large for a help desk"),
///     }
/// }
/// assert_eq!(by_size(9), Verdict::Pass);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it.
    Pass,
    /// As pass, and said with conviction.
    Accept,
    /// Refused for good: a 5xx reply.
    Reject(Reply),
    /// Refused for now: a 4xx reply.
    Tempfail(Reply),
    /// Taken and dropped; only in the message hook, and only where the site grants it.
    Discard,
    /// Taken and kept apart, with the reason; only in the message hook.
    Quarantine(String),
}

impl Verdict {
    /// [`Verdict::Reject`] with a reply made from its parts.
    ///
    /// ```
    /// use gatepost_sdk::{Reply, Verdict};
    ///
    /// let reply = Reply::new(550, "5.7.1", "no");
    /// assert_eq!(Verdict::reject(550, "5.7.1", "no"), Verdict::Reject(reply));
    /// ```
    pub fn reject(code: u16, enhanced: &str, text: impl Into<String>) -> Self {
        Self::Reject(Reply::new(code, enhanced, text))
    }

    /// [`Verdict::Tempfail`] with a reply made from its parts.
    ///
    /// ```
    /// use gatepost_sdk::{Reply, Verdict};
    ///
    /// let reply = Reply::new(451, "4.7.1", "later");
    /// assert_eq!(Verdict::tempfail(451, "4.7.1", "later"), Verdict::Tempfail(reply));
    /// ```
    pub fn tempfail(code: u16, enhanced: &str, text: impl Into<String>) -> Self {
        Self::Tempfail(Reply::new(code, enhanced, text))
    }
}

/// What a policy decides about one recipient of a message, besides the verdict.
///
/// ```
/// use gatepost_sdk::{Decision, RecipientVerdict};
///
/// let mut decision = Decision::default();
/// let verdict = RecipientVerdict::Suppress("it wants no notifications".into());
/// decision.judge_recipient("ann@x.example", verdict);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientVerdict {
    /// This recipient is refused.
    Reject(Reply),
    /// This recipient gets nothing, and nobody is told but the record; needs
    /// [`Duties::suppresses`].
    Suppress(String),
}

/// What kind of message this is.
///
/// ```
/// use gatepost_sdk::{Decision, MessageClass};
///
/// let mut decision = Decision::default();
/// decision.classify(MessageClass::AutoGenerated, false);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageClass {
    /// Written by a person.
    Human,
    /// An automatic answer.
    AutoReplied,
    /// Made by a machine, not in answer.
    AutoGenerated,
    /// A delivery status notification or its like.
    Bounce,
    /// Came through a mailing list.
    List,
}

impl MessageClass {
    /// Its name, as the contract spells it.
    ///
    /// ```
    /// assert_eq!(gatepost_sdk::MessageClass::AutoReplied.word(), "auto-replied");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::AutoReplied => "auto-replied",
            Self::AutoGenerated => "auto-generated",
            Self::Bounce => "bounce",
            Self::List => "list",
        }
    }
}

/// How the connection to a next hop is secured.
///
/// ```
/// assert_eq!(gatepost_sdk::TlsMode::default(), gatepost_sdk::TlsMode::Opportunistic);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    None,
    /// Where the next hop offers STARTTLS; any certificate will do.
    #[default]
    Opportunistic,
    /// With a certificate that verifies, or the message waits.
    Required,
}

/// What a next hop speaks.
///
/// ```
/// let lmtp: gatepost_sdk::Protocol = serde_json::from_str("\"lmtp\"").unwrap();
/// assert_eq!(lmtp, gatepost_sdk::Protocol::Lmtp);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// SMTP (RFC 5321).
    #[default]
    Smtp,
    /// LMTP (RFC 2033), as the servers of mailboxes do.
    Lmtp,
}

/// The server that a message is handed to. It can be a part of a policy's settings.
///
/// ```
/// use gatepost_sdk::*;
///
/// let json = r#"{ "host": "smtp.customer.example", "port": 587, "tls": "required" }"#;
/// let hop: NextHop = serde_json::from_str(json).unwrap();
/// assert_eq!((hop.tls, hop.protocol), (TlsMode::Required, Protocol::Smtp));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NextHop {
    /// A domain name, in characters or A-labels, or an address literal without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is secured.
    #[serde(default)]
    pub tls: TlsMode,
    /// What the server speaks.
    #[serde(default, skip_serializing_if = "Protocol::is_smtp")]
    pub protocol: Protocol,
}

impl Protocol {
    /// Whether it is what goes without saying.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
    fn is_smtp(&self) -> bool {
        *self == Self::Smtp
    }
}

/// What a policy decides before an attempt at delivery.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// After ten attempts it is enough.
/// fn with_patience(attempt: &Attempt) -> Routing {
///     match attempt.previous {
///         0..10 => Routing::Pass,
///         _ => Routing::Fail(Reply::new(550, "5.4.7", "The next hop has not answered for long")),
///     }
/// }
/// let first = Attempt { recipient: "ann@sender.example".into(), previous: 0 };
/// assert_eq!(with_patience(&first), Routing::Pass);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routing {
    /// No opinion: the next policy, and at the end the configured default, decides.
    Pass,
    /// Hand the message to this server.
    NextHop(NextHop),
    /// Not now: a 4xx reply.
    Defer(Reply),
    /// Never: a 5xx reply, and the sender is told.
    Fail(Reply),
}

/// One recipient about to be attempted.
///
/// ```
/// use gatepost_sdk::Attempt;
///
/// fn is_first(attempt: &Attempt) -> bool {
///     attempt.previous == 0
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its address.
    pub recipient: String,
    /// How many attempts were made before.
    pub previous: u32,
}

/// How an attempt ended.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// Addresses that refuse for good are remembered for a day.
/// fn remember(result: &AttemptResult, decision: &mut Decision) {
///     if result.ending == Ending::Failed {
///         decision.mark_seen(format!("failed:{}", result.recipient), 86_400);
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The next hop took it.
    Delivered,
    /// It will be tried again.
    Deferred,
    /// It was refused for good or has expired.
    Failed,
}

/// What the next hop, or the relay on its behalf, said of one recipient.
///
/// ```
/// use gatepost_sdk::AttemptResult;
///
/// fn by_the_server_itself(result: &AttemptResult) -> bool {
///     result.server.is_some()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    /// Its address.
    pub recipient: String,
    /// How it ended.
    pub ending: Ending,
    /// The reply that ended it.
    pub reply: Reply,
    /// `host:port` of the server that was tried.
    pub server: Option<String>,
}

/// What a policy does that must never fail open: `on-error = "skip"` is refused for it.
///
/// ```
/// # use gatepost_sdk::*;
/// # struct Silence;
/// # impl Policy for Silence {
/// # type Settings = ();
/// # fn new((): ()) -> Result<Self, Vec<String>> { Ok(Self) }
/// fn duties() -> Duties {
///     Duties { suppresses: true, ..Duties::default() }
/// }
/// # }
/// # assert!(Silence::duties().suppresses);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duties {
    /// It decides who may hand mail to the relay.
    pub authenticates: bool,
    /// It withholds mail from recipients; only such a policy may suppress.
    pub suppresses: bool,
}
