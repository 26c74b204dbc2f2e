//! Records of the hooks (`types.wit`).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Direction of a message, fixed by the listener that took it.
///
/// ```
/// use gatepost_sdk::{Flow, Session};
///
/// fn is_ours(session: &Session) -> bool {
///     session.flow == Flow::Submission
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// From the world to an address that the relay receives mail for.
    #[default]
    Inbound,
    /// From the application, on behalf of an account.
    Submission,
    /// Made by the relay itself: notices and probes.
    Internal,
    /// None of these.
    Other,
}

/// Protocol by which a message came.
///
/// ```
/// use gatepost_sdk::{Session, Transport};
///
/// /// Whether there is a client that could be asked to try again.
/// fn has_client(session: &Session) -> bool {
///     session.transport != Transport::Own
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// SMTP (RFC 5321).
    #[default]
    Smtp,
    /// HTTP interface of the relay.
    Http,
    /// None: the relay made the message itself.
    Own,
    /// None of these.
    Other,
}

/// Address of a client.
///
/// ```
/// use gatepost_sdk::{ClientAddress, Session};
///
/// fn is_local(session: &Session) -> bool {
///     session.client.as_ref().is_some_and(|client| client.ip == "127.0.0.1")
/// }
/// # let _ = ClientAddress { ip: "::1".into(), port: 25 };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress {
    /// Address in text form, IPv4 or IPv6.
    pub ip: String,
    /// Port.
    pub port: u16,
}

/// SMTP connection, in its state when the hook is called.
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
    /// Direction of the listener.
    pub flow: Flow,
    /// Protocol by which the message came.
    pub transport: Transport,
    /// Address of the client; `None` if the relay made the message itself.
    pub client: Option<ClientAddress>,
    /// Argument of EHLO or HELO, once given.
    pub helo: Option<String>,
    /// Protocol and cipher; `None` in plaintext.
    pub tls: Option<String>,
    /// User that AUTH has proved.
    pub user: Option<String>,
}

impl Session {
    /// Returns the address of the client in text form; `None` if the relay made the message itself.
    ///
    /// ```
    /// use gatepost_sdk::Session;
    ///
    /// fn is_denied(session: &Session, denied: &[String]) -> bool {
    ///     session.client_ip().is_some_and(|ip| denied.iter().any(|other| other == ip))
    /// }
    /// ```
    pub fn client_ip(&self) -> Option<&str> {
        self.client.as_ref().map(|client| client.ip.as_str())
    }
}

/// SMTP transaction: the envelope (RFC 5321 section 2.3.1) and its account.
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
    /// Connection that it runs on.
    pub session: Session,
    /// Account that it belongs to, once that is fixed.
    pub account: Option<String>,
    /// Reverse-path without angle brackets; empty for the null reverse-path.
    pub mail_from: String,
    /// Forward-paths accepted so far, without angle brackets.
    pub recipients: Vec<String>,
}

/// SMTP reply to a client: RFC 5321 section 4.2 with an RFC 3463 enhanced code.
///
/// ```
/// let reply = gatepost_sdk::Reply::new(452, "4.2.2", "The mailbox is full");
/// assert_eq!((reply.code, reply.enhanced.as_str()), (452, "4.2.2"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits; 4xx and 5xx only.
    pub code: u16,
    /// Enhanced code, such as `5.7.1`; its class must be that of `code`.
    pub enhanced: String,
    /// One line of printable ASCII, at most 400 octets.
    pub text: String,
}

impl Reply {
    /// Octets of the longest text.
    pub const LONGEST_TEXT: usize = 400;

    /// Makes a reply; the host refuses one whose two codes disagree. 400 characters of the text are
    /// kept, and characters that are not printable US-ASCII become question marks.
    ///
    /// ```
    /// let reply = gatepost_sdk::Reply::new(550, "5.1.1", "Nobody of that name");
    /// assert_eq!(reply.text, "Nobody of that name");
    /// ```
    pub fn new(code: u16, enhanced: &str, text: impl Into<String>) -> Self {
        Self {
            code,
            enhanced: enhanced.into(),
            text: printable(&text.into()).into_owned(),
        }
    }

    /// Returns the reply with its text as [`new`](Self::new) would have it.
    ///
    /// ```
    /// let mut reply = gatepost_sdk::Reply::new(550, "5.1.1", "");
    /// reply.text = "Nobody of\nthat name".into();
    /// assert_eq!(reply.printable().text, "Nobody of?that name");
    /// ```
    #[must_use]
    pub fn printable(self) -> Self {
        Self::new(self.code, &self.enhanced, self.text)
    }
}

/// Makes a text one line of printable US-ASCII, as a reply's text has to be.
fn printable(text: &str) -> Cow<'_, str> {
    let printable = |octet: u8| matches!(octet, b' '..=b'~');
    if text.len() <= Reply::LONGEST_TEXT && text.bytes().all(printable) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    Cow::Owned(text.chars().take(Reply::LONGEST_TEXT).map(plain).collect())
}

/// Decision about a session, a sender, a recipient or a message.
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
    /// No objection.
    Pass,
    /// As pass, said with conviction.
    Accept,
    /// Refused for good: a 5xx reply.
    Reject(Reply),
    /// Refused for now: a 4xx reply.
    Tempfail(Reply),
    /// Taken and dropped; only in the message hook, and only if the site grants it.
    Discard,
    /// Taken and quarantined, with the reason; only in the message hook.
    Quarantine(String),
}

impl Verdict {
    /// Makes a [`Verdict::Reject`] from the parts of its reply.
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

    /// Makes a [`Verdict::Tempfail`] from the parts of its reply.
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

/// Decision about one recipient of a message, apart from the verdict.
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
    /// Refusal of this recipient.
    Reject(Reply),
    /// Suppression of this recipient: it gets nothing, and only the record tells of it; needs
    /// the duty `suppresses`.
    Suppress(String),
}

/// Class of a message.
///
/// ```
/// use gatepost_sdk::{Decision, MessageClass};
///
/// let mut decision = Decision::default();
/// decision.classify(MessageClass::AutoGenerated, false);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// None of these.
    Other,
}

impl MessageClass {
    /// Returns its name, as the contract spells it.
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
            Self::Other => "other",
        }
    }
}

/// Use of TLS on the connection to a next hop.
///
/// ```
/// assert_eq!(gatepost_sdk::TlsMode::default(), gatepost_sdk::TlsMode::Opportunistic);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// No TLS.
    None,
    /// TLS if the next hop offers STARTTLS; any certificate will do.
    #[default]
    Opportunistic,
    /// STARTTLS with a certificate that verifies; otherwise the message waits.
    Required,
    /// TLS from the first octet (RFC 8314 section 3.3) with a certificate that verifies; otherwise
    /// the message waits.
    Implicit,
}

impl TlsMode {
    /// Returns its name, as settings spell it.
    ///
    /// ```
    /// assert_eq!(gatepost_sdk::TlsMode::Implicit.word(), "implicit");
    /// ```
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
    /// LMTP (RFC 2033), which mailbox servers speak.
    Lmtp,
}

/// Server that a message is handed to. It can be a part of a policy's settings.
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
    /// Domain name, in characters or A-labels, or an address literal without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Use of TLS on the connection.
    #[serde(default)]
    pub tls: TlsMode,
    /// Protocol of the server.
    #[serde(default, skip_serializing_if = "Protocol::is_smtp")]
    pub protocol: Protocol,
}

impl Protocol {
    /// Returns true for the default.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
    fn is_smtp(&self) -> bool {
        *self == Self::Smtp
    }
}

/// Recipient that is about to be attempted.
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
    /// Address of the recipient.
    pub recipient: String,
    /// Number of attempts made before.
    pub previous: u32,
}

/// End of an attempt.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Taken by the next hop.
    #[default]
    Delivered,
    /// To be tried again.
    Deferred,
    /// Refused for good.
    Failed,
    /// Given up: its time was over.
    Expired,
    /// Kept for an operator.
    Held,
    /// None of these.
    Other,
}

/// Stage that an attempt had reached when it ended.
///
/// ```
/// use gatepost_sdk::{AttemptResult, Stage};
///
/// /// Whether the server spoke about this recipient, and not about the session.
/// fn is_about_recipient(result: &AttemptResult) -> bool {
///     result.stage == Stage::Recipient
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Name and address of the server, connection, greeting.
    Connect,
    /// STARTTLS or the handshake.
    Tls,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA, or the first chunk.
    Data,
    /// End of the message.
    #[default]
    Message,
    /// None: the relay itself decided, or delivered without a server.
    Local,
    /// None of these.
    Other,
}

/// Result of an attempt for one recipient, as the next hop, or the relay on its behalf, gave it.
///
/// ```
/// use gatepost_sdk::AttemptResult;
///
/// fn by_the_server_itself(result: &AttemptResult) -> bool {
///     result.server.is_some()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptResult {
    /// Address of the recipient.
    pub recipient: String,
    /// End of the attempt.
    pub ending: Ending,
    /// Stage that it had reached.
    pub stage: Stage,
    /// Reply that ended it.
    pub reply: Reply,
    /// Step of the plan that was taken, such as `connection acme`.
    pub step: Option<String>,
    /// Server that was tried, as `host:port`.
    pub server: Option<String>,
    /// Protocol and cipher; `None` in plaintext.
    pub tls: Option<String>,
    /// Address in whose name the message left, if that is not the sender's own.
    pub sent_as: Option<String>,
    /// Message-ID of the message as it left, without angle brackets.
    pub message_id: Option<String>,
}

impl AttemptResult {
    /// Makes a result of which no more is known.
    ///
    /// ```
    /// use gatepost_sdk::{AttemptResult, Ending, Reply};
    ///
    /// let reply = Reply::new(550, "5.1.1", "Nobody of that name");
    /// let result = AttemptResult::new("ann@b.example", Ending::Failed, reply);
    /// assert_eq!(result.server, None);
    /// ```
    pub fn new(recipient: impl Into<String>, ending: Ending, reply: Reply) -> Self {
        Self {
            recipient: recipient.into(),
            ending,
            stage: Stage::default(),
            reply,
            step: None,
            server: None,
            tls: None,
            sent_as: None,
            message_id: None,
        }
    }
}

/// Severity of a log line.
///
/// ```
/// use gatepost_sdk::{Facts, Level};
///
/// fn complain(facts: &dyn Facts) {
///     facts.log(Level::Warn, "the partners' list is empty");
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For the policy's author.
    Debug,
    /// For the record.
    Info,
    /// For the operator, to look at some day.
    Warn,
    /// For the operator, to act on now.
    Error,
}

by_number! {
    Flow { Inbound, Submission, Internal, Other }
    Transport { Smtp, Http, Own, Other }
    MessageClass { Human, AutoReplied, AutoGenerated, Bounce, List, Other }
    TlsMode { None, Opportunistic, Required, Implicit }
    Protocol { Smtp, Lmtp }
    Ending { Delivered, Deferred, Failed, Expired, Held, Other }
    Stage { Connect, Tls, Auth, Mail, Recipient, Data, Message, Local, Other }
    Level { Debug, Info, Warn, Error }
}
