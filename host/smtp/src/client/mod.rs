//! The client's side of a session: greeting, EHLO, TLS, then one transaction after another.
//!
//! The owner of a connection loops over [`Session::next_event`] as with the server's side. After
//! [`Event::Ready`] it may [`begin`](Session::begin) a transaction or [`quit`](Session::quit).
//! Every transaction begun ends in exactly one [`Event::Finished`], which has one outcome for
//! each recipient, whatever happens to the connection; [`Event::Failed`] then says that the
//! connection is of no more use.

mod capabilities;
mod envelope;
mod framer;
mod parameters;
mod reader;
mod session;
mod xforward;

use bytes::Bytes;
use gatepost_message::ReversePath;

pub use self::capabilities::{Capabilities, Limits};
pub use self::framer::{Framer, StrayOctet};
pub use self::session::Session;
pub use self::xforward::{Attribute, Origin};
use crate::dsn::{self, Recipient};
use crate::reply::Reply;

/// Whether STARTTLS (RFC 3207) is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tls {
    /// Never: plaintext, or TLS came first.
    None,
    /// Where offered.
    #[default]
    Opportunistic,
    /// Always, or no mail is handed over.
    Required,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// RFC 5321.
    #[default]
    Smtp,
    /// RFC 2033: the server answers the end of a message once for each recipient that it
    /// accepted, because it has put the message into some mailboxes and maybe not into others.
    Lmtp,
}

/// How a client session behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the server speaks.
    pub protocol: Protocol,
    /// What EHLO or LHLO says: the relay's domain name or an address literal.
    pub ehlo_name: String,
    /// Whether STARTTLS is used.
    pub tls: Tls,
}

/// One message for some recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Where bounces go.
    pub reverse_path: ReversePath,
    /// To whom; in the order in which they are to be answered.
    pub recipients: Vec<Recipient>,
    /// Octets of the message, before dot-stuffing.
    pub size: u64,
    /// Whether it holds octets outside ASCII.
    pub eight_bit: bool,
    /// Whether its header section needs SMTPUTF8 (RFC 6531). That its envelope does is seen here.
    pub smtputf8: bool,
    /// Whether it has lines of more than 998 octets, and what then.
    pub long_lines: LongLines,
    /// Whether its last line has its CRLF. One that has none goes by BDAT (RFC 3030) where that
    /// is offered; DATA cannot but add it.
    pub ends_in_crlf: bool,
    /// What the sender wants to hear of it.
    pub dsn: dsn::MessageRequest,
    /// Who sent it here, for a server that is to be told and wants to know by XFORWARD.
    pub origin: Option<Origin>,
}

/// Lines of more octets than a server has to take (RFC 5321 section 4.5.3.1.6). A server that offers
/// CHUNKING is given them as octets of a chunk, in which there are no lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LongLines {
    /// There are none.
    #[default]
    None,
    /// They go by DATA where BDAT is not offered: most servers take them.
    Sent,
    /// They go by BDAT alone; a server that does not offer it is not sent the message.
    ByChunk,
}

/// What the session's owner is to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Wait for bytes from the server and [`feed`](Session::feed) them, for at most
    /// [`timeout`](Session::timeout).
    NeedInput,
    /// Send these bytes.
    Send(Bytes),
    /// Do the TLS handshake as client, then call [`tls_started`](Session::tls_started), or
    /// [`fail`](Session::fail) with [`Failure::Tls`].
    StartTls,
    /// A transaction may begin. Said once after the handshakes and once after each transaction.
    Ready,
    /// The server waits for the message: send it through this, then call
    /// [`body_sent`](Session::body_sent).
    SendBody(Framer),
    /// The transaction is over.
    Finished(TransactionResult),
    /// The connection is of no more use: close it. It stays at that.
    Failed(Failure),
    /// After [`quit`](Session::quit): close the connection. It stays at that.
    Closed,
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionResult {
    /// One for each recipient, in their order. Positive means that the server has the message
    /// and answers for it.
    pub recipients: Vec<Outcome>,
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The reply that decided it.
    pub reply: Reply,
    /// To what it was the reply.
    pub stage: Stage,
}

/// The step of a transaction that decided a recipient's fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The end of the message.
    Message,
    /// The server said nothing to that effect: the reply is this side's own.
    Local,
}

impl Stage {
    /// The step in words, as in `in reply to RCPT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "MAIL",
            Self::Recipient => "RCPT",
            Self::Data => "DATA",
            Self::Message => "end of data",
            Self::Local => "no command",
        }
    }
}

/// Why a connection is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server refused the session.
    #[error("next hop refused the session in reply to {to}: {reply}")]
    Refused {
        /// `the connection`, `EHLO`, `STARTTLS` …
        to: &'static str,
        /// What it said.
        reply: Reply,
    },
    /// TLS is required and not offered.
    #[error("next hop does not offer STARTTLS, which the route requires")]
    TlsNotOffered,
    /// The handshake failed.
    #[error("TLS handshake with the next hop failed: {0}")]
    Tls(String),
    /// The server said what is no SMTP, or not what it may say here.
    #[error("next hop broke the protocol: {0}")]
    Protocol(String),
    /// The connection ended or an I/O error ended it.
    #[error("connection to the next hop was lost: {0}")]
    Disconnected(String),
    /// The server was silent for too long.
    #[error("next hop did not answer in time")]
    TimedOut,
}

impl Failure {
    /// The failure as a reply, for the queue and for reports (RFC 3463). Transient, unless the
    /// server itself said otherwise.
    pub fn reply(&self) -> Reply {
        let (code, enhanced) = match self {
            Self::Refused { reply, .. } => return reply.clone(),
            Self::TlsNotOffered => (450, "4.7.4"),
            Self::Tls(_) => (454, "4.7.5"),
            Self::Protocol(_) => (451, "4.5.0"),
            Self::Disconnected(_) | Self::TimedOut => (451, "4.4.2"),
        };
        Reply::new(code, enhanced, self.to_string())
    }
}

/// [`Session::begin`] was called while no transaction could begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a transaction can begin only when the session is ready")]
pub struct NotReady(
    /// What was to begin.
    pub Box<Transaction>,
);
